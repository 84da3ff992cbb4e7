"""The commands of calibration, on a fleet made here and written as a table."""

import json
import random

import pytest
from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.twin.synthetic_catchments import make_fleet

GRAPH = "synthetic:1500:7"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The experiments of a fleet on the graph `GRAPH`; the last one in a file of its own."""
    folder = tmp_path_factory.mktemp("catchments")
    experiments = make_fleet(1500, 4, random.Random(7)).observations.experiments
    for name, chosen in (("taught.csv", experiments[:-1]), ("new.csv", experiments[-1:])):
        rows = [
            f"{each.name},{each.announced[pop]},{asn}"
            for each in chosen
            for asn, pop in zip(each.asn, each.pop, strict=True)
        ]
        (folder / name).write_text("announced,pop,asn\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def model(table):
    path = table / "model.npz"
    done = _run("calibrate", table / "taught.csv", "--graph", GRAPH, "--method", "table", "--sample", 50, "-o", path)
    assert done.exit_code == 0, done.stderr
    assert "mean of 5" in done.stdout
    assert "4 PoPs, 1,500 ASes" in done.stderr
    return path


def _run(*arguments):
    return CliRunner().invoke(cli, ["twin", *map(str, arguments)])


@pytest.mark.mission("C12")
def test_a_model_scores_as_it_was_scored_and_predicts_what_it_never_saw(table, model):
    stored = json.loads(_run("score", model, "-o", "json").stdout)
    assert stored["all"]["experiments"] == 5
    assert stored["all"]["accuracy"] > 0.7
    new = json.loads(_run("score", model, "--against", table / "new.csv", "-o", "json").stdout)
    assert [each["experiment"] for each in new["experiments"]] == ["pop-c+pop-d"]
    assert new["all"]["accuracy"] > 0.6
    assert new["method"] == "predicted by a stored model"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_diagram_is_drawn(tmp_path, model, suffix):
    path = tmp_path / f"reliability.{suffix}"
    done = _run("score", model, "--plot", path)
    assert done.exit_code == 0, done.stderr
    assert path.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r")
    assert "neither in .svg" in _run("score", model, "--plot", tmp_path / "x.pdf").stderr


def test_what_to_announce_next_and_whom_to_probe(tmp_path, model):
    found = json.loads(_run("next-experiment", model, "-o", "json").stdout)
    assert found[0]["announced"] == ["pop-c", "pop-d"]  # the only pair that nobody announced
    assert found[0]["known"] == 0
    weights = tmp_path / "weights.csv"
    weights.write_text("asn,weight\n150,3\nAS151,1\n")
    probes = json.loads(
        _run(
            "next-experiment", model, "--announced", "pop-c,pop-d", "--probes", 3, "--weights", weights, "-o", "json"
        ).stdout
    )
    assert {each["asn"] for each in probes[:2]} == {150, 151}
    assert probes[2]["weight"] == 0
    weights.write_text("asn,weight\n150,x\n")
    done = _run("next-experiment", model, "--weights", weights)
    assert done.exit_code == 2
    assert "weights.csv:2:5: weight: 'x' is no number" in done.stderr


def test_wrong_usage_says_what_is_right(table, model):
    assert "neither table nor json" in _run("calibrate", table / "new.csv", "--graph", GRAPH, "-o", "x.txt").stderr
    done = _run("calibrate", table / "new.csv", "--graph", GRAPH, "--countries", table / "new.csv")
    assert "--countries needs --asn-ranges" in done.stderr
    done = _run("calibrate", table / "new.csv", "--graph", GRAPH, "--no-score", "--plot", "x.svg")
    assert "--no-score leaves out" in done.stderr
    assert "Did you mean 'calibrate'" in _run("calibrat").stderr


def test_a_model_without_a_scorecard_says_so(tmp_path, table):
    path = tmp_path / "bare.npz"
    done = _run("calibrate", table / "taught.csv", "--graph", GRAPH, "--no-score", "-o", path)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "has no scorecard" in str(_run("score", path).exception)


@pytest.mark.mission("M10")
def test_shifts_of_rounds(tmp_path):
    heading = "client_id,source_address,source_address_asn,send_receive_time_diff\n"
    for name, sites in (("baseline", "aab"), ("1xLHR", "abb"), ("2xLHR", "bbb"), ("3xLHR", "bbb")):
        rows = "".join(f"{site}-anycast01,10.0.{at}.1,1,5.0\n" for at, site in enumerate(sites))
        (tmp_path / f"{name}__a+b__today.csv").write_text(heading + rows)
    done = _run("shifts", tmp_path, "-o", "json")
    found = {each["configuration"]: each for each in json.loads(done.stdout)}
    assert set(found) == {"1xLHR", "2xLHR", "3xLHR"}
    assert found["3xLHR"]["measured"] == {"a": 0.0, "b": 1.0}
    assert found["3xLHR"]["error_points"] < found["3xLHR"]["unmoved_error_points"]
    assert "UNMOVED" in _run("shifts", tmp_path).stdout
