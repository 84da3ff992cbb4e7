"""`twin place` and `twin pilot`, as a user calls them, on a graph made here."""

import json
import random

import pytest
from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.twin.synthetic import make_graph

GRAPH = "synthetic:1500:7"
SITES = """\
sites:
  - {name: fra1, latitude: 50.11, longitude: 8.68, cost_per_mbps: 0.1}
  - {name: sin1, latitude: 1.35, longitude: 103.82, upstreams: [ASIA], cost_per_month: 900, setup_cost: 9000}
  - {name: gru1, latitude: -23.5, longitude: -46.6, upstreams: [SOUTH], cost_per_month: 700, cost_per_mbps: 1}
  - {name: gone, latitude: 0, longitude: 0, upstreams: [4200000000], cost_per_month: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Candidates at the largest transits of their regions; fra1 is at the second of its own."""
    made = make_graph(1500, random.Random(7))

    def largest(region, place=0):
        nodes = [node for node, asn in enumerate(made.graph.asn.tolist()) if made.region[asn] == region]
        return made.graph.asn[sorted(nodes, key=lambda node: -len(made.graph.customers(node)))[place]]

    found = tmp_path_factory.mktemp("place")
    text = SITES.replace("ASIA", str(largest("asia"))).replace("SOUTH", str(largest("south-america")))
    (found / "sites.yaml").write_text(text)
    (found / "fra1").write_text(f"fra1={largest('europe', 1)}")
    (found / "times.csv").write_text("action,converged_s,unreachable_s\nannounce,4,0\nannounce,20,1\n")
    return found


def run(*arguments):
    return CliRunner().invoke(cli, ["twin", *map(str, arguments)])


def place(folder, *more):
    pop = (folder / "fra1").read_text()
    return run("place", GRAPH, "--asn", 64500, "--pop", pop, "--sites", folder / "sites.yaml", *more)


@pytest.mark.mission("C18", "S4")
def test_placement_in_words(folder):
    done = place(folder, "--traffic", 1000, "--value-per-ms", 100, "--convergence", folder / "times.csv")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "POPS"
    assert lines[1].startswith("today ")
    assert any(line.startswith("+ ") for line in lines)
    assert "REGION" in done.stdout
    assert "drawn by region, for the graph is synthetic" in done.stderr
    assert "candidate gone has no upstream that is in this graph" in done.stderr
    assert "sets tried, all there are" in done.stderr
    assert "of users move; of these 50 % after" in done.stderr


@pytest.mark.mission("C18", "S4")
def test_placement_as_json_adds_up(folder):
    """Shares and regions add up to all; a set's cost is its rent and the traffic that moves there, less at fra1."""
    done = place(folder, "--traffic", 1000, "-o", "json", "--aim", "under-100", "--most", 2)
    value = json.loads(done.stdout)
    assert value["graph"]["ases"] == 1500
    both = value["exact"]
    assert set(both["added"]) == {"sin1", "gru1"}
    assert value["sets_tried"] == 4
    assert value["gap"] is not None
    for option in (value["today"], both, *value["greedy"], *value["single"]):
        users = option["users"]
        assert sum(option["shares"].values()) + users["no_route"] == pytest.approx(1, abs=1e-4)
        assert sum(each["share"] for each in option["regions"].values()) == pytest.approx(1, abs=1e-4)
        assert users["under_30_ms"]["value"] <= users["under_50_ms"]["value"] <= users["under_100_ms"]["value"]
        assert users["mean_ms"]["best"] <= users["mean_ms"]["value"] <= users["mean_ms"]["worst"]
        assert option["nearest_would_claim"]["mean_ms"]["value"] <= users["mean_ms"]["value"] + 0.5
        low, high = option["mean_ms_by_ties"]
        assert low <= high
    rents, dues = {"sin1": 900, "gru1": 700}, {"fra1": 0.1, "gru1": 1.0, "sin1": 0.0}
    before = value["today"]["shares"]
    cost = sum(rents[name] for name in both["added"]) + sum(
        1000 * dues[pop] * (share - before.get(pop, 0)) for pop, share in both["shares"].items()
    )
    assert both["economics"]["cost_per_month"] == pytest.approx(cost, abs=0.1)


def test_measured_round_trips_and_places_go_first(folder):
    """One AS counts, at a known point, measured at 7 ms to fra1: so it is, whatever the model says."""
    (folder / "rtt.csv").write_text("asn,pop,rtt_ms\n700,fra1,7\n700,sin1,300\n700,gru1,300\n")
    (folder / "points.csv").write_text("asn,latitude,longitude,region\n700,-10,20,here\n")
    (folder / "weights.csv").write_text("asn,users\n700,10\n")
    files = [each for name in ("rtt", "places", "weights") for each in (f"--{name}", "")]
    files[1::2] = [folder / "rtt.csv", folder / "points.csv", folder / "weights.csv"]
    value = json.loads(place(folder, *files, "-o", "json").stdout)
    assert value["today"]["users"]["mean_ms"]["value"] == pytest.approx(7)
    assert list(value["today"]["regions"]) == ["here"]
    assert value["greedy"] == []


def test_pictures_are_drawn(folder, tmp_path):
    done = place(folder, "--plot", tmp_path / "curve.svg", "--map", tmp_path / "map.png")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "curve.svg").stat().st_size > 10_000
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_the_best_under_a_budget(folder):
    value = json.loads(place(folder, "--budget", 750, "-o", "json").stdout)
    assert all(each["economics"]["cost_per_month"] <= 750 for each in [*value["greedy"], value["exact"]])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--plot", "curve.pdf"), "ends neither in .svg nor in .png"),
        (("--asn-ranges", "SITES"), "only tell something together"),
        (("--aim", "p50"), "'p50' is not one of"),
        (("--convergence", "TIMES"), "has no 'announce'; it has: withdraw"),
    ],
)
def test_what_is_refused(folder, more, words):
    (folder / "withdrawals.csv").write_text("action,converged_s\nwithdraw,4\n")
    files = {"SITES": folder / "sites.yaml", "TIMES": folder / "withdrawals.csv"}
    done = place(folder, *[files.get(each, each) for each in more])
    assert done.exit_code == 2
    assert words in done.stderr


def test_a_pop_of_today_needs_a_place(folder, tmp_path):
    (tmp_path / "sites.csv").write_text("name,latitude,longitude,upstreams\nsin1,1,104,100\n")
    pop = (folder / "fra1").read_text()
    done = run("place", GRAPH, "--asn", 64500, "--pop", pop, "--sites", tmp_path / "sites.csv")
    assert done.exit_code == 2
    assert "where is fra1?" in done.stderr


def pilot_rows(before, after, tmp_path):
    for name, rtt_ms in (("before.csv", before), ("after.csv", after)):
        rows = [f"{64600 + at},asia,{value}" for at, value in enumerate(rtt_ms)]
        (tmp_path / name).write_text("asn,region,rtt_ms\n" + "\n".join(rows) + "\n")
    return tmp_path / "before.csv", tmp_path / "after.csv"


@pytest.mark.mission("S4")
def test_a_pilot_against_what_was_foretold(folder, tmp_path):
    foretold = place(folder, "-o", "json")
    (tmp_path / "place.json").write_text(foretold.stdout)
    option = next(each for each in json.loads(foretold.stdout)["single"] if each["added"] == ["sin1"])
    saved = option["economics"]["saved_ms"]
    files = pilot_rows(
        [300 + each for each in range(40)], [300 + each - saved + each % 2 for each in range(40)], tmp_path
    )
    done = run("pilot", *files, "--predicted", tmp_path / "place.json", "--set", "sin1")
    assert done.exit_code == 0, done.stderr
    assert "all" in done.stdout
    assert "does not agree" in done.stderr  # half a millisecond more than its interval allows
    value = json.loads(run("pilot", *files, "--predicted-ms", -saved + 0.5, "-o", "json").stdout)
    assert value["prediction"]["verdict"].startswith("agrees")
    assert value["parts"][0]["figures"]["mean"]["change_ms"] == pytest.approx(-saved + 0.5, abs=0.01)


def test_a_pilot_that_is_refused(tmp_path):
    files = pilot_rows([1, 2], [1, 2], tmp_path)
    done = run("pilot", *files, "--predicted", files[0], "--predicted-ms", 3)
    assert done.exit_code == 2
    (tmp_path / "other.json").write_text("[]")
    done = run("pilot", *files, "--predicted", tmp_path / "other.json")
    assert done.exit_code == 2
    assert "other.json:1:1: this is no answer of" in done.stderr
    done = run("pilot", *files)
    assert "too few to say" in done.stdout
