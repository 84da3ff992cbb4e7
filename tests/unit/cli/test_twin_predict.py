"""`twin predict` as a user calls it on the example fleet: pictures, times, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from anycastle.cli.main import cli
from anycastle.cli.twin_predict_pictures import networks, states
from anycastle.io.placement.places import located_by_label
from anycastle.twin.intent import intent_of, without_pops
from anycastle.twin.predict import Asked, predict_shift
from tests.unit.twin.fleets import three, users_on
from tests.unit.twin.twelve import twelve


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("predict")
    assert CliRunner().invoke(cli, ["init", str(found / "fleet")]).exit_code == 0
    (found / "times.csv").write_text("action,converged_s,unreachable_s\nwithdraw,20,1\nwithdraw,45,9\n")
    (found / "graph.txt").write_text("64496|64497|0|bgp\n64496|1|-1|bgp\n64497|2|-1|bgp\n")
    return found


def predict(folder: Path, *more: object) -> Result:
    arguments = ["twin", "predict", "--fleet", folder / "fleet", "--without", "fra1", *more]
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.mark.mission("C12")
def test_pictures_of_the_example_fleet(folder: Path) -> None:
    svg, png = folder / "shares.svg", folder / "map.png"
    done = predict(folder, "--graph", "synthetic:500", "--load", "38G", "--plot", svg, "--map", png)

    assert done.exit_code == 0, done.stderr
    assert svg.read_bytes().startswith(b"<?xml")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert f"map in {png}: 100.0 % of users have a place (drawn by region" in done.stderr


@pytest.mark.mission("C12")
def test_how_long_it_takes(folder: Path) -> None:
    done = predict(folder, "--graph", "synthetic:500", "--convergence", folder / "times.csv", "-o", "json")
    found = json.loads(done.stdout)["convergence"]
    assert (found["action"], found["observed"]) == ("withdraw", 1)
    assert [each["users"] for each in found["arrivals"]] == [0.5, 0.9, 0.95]

    told = predict(folder, "--graph", "synthetic:500", "--convergence", folder / "times.csv").stderr
    assert "time, as was measured of withdraw:" in told
    assert json.loads(predict(folder, "--graph", "synthetic:500", "-o", "json").stdout)["convergence"] is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--plot", "x.pdf"), "'x.pdf' ends neither in .svg nor in .png"),
        (("--map", "x.png", "--graph", "GRAPH"), "where are the networks of this graph? Give --regions"),
        (("--convergence", "TIMES"), "no column is named 'acton'; did you mean 'action'?"),
    ],
)
def test_what_is_refused(folder: Path, more: tuple[str, ...], words: str) -> None:
    (folder / "bad.csv").write_text("acton,converged_s\nwithdraw,1\n")
    named = {"GRAPH": folder / "graph.txt", "TIMES": folder / "bad.csv"}
    done = predict(folder, *(named.get(each, each) for each in more))
    assert done.exit_code == 2
    assert words in done.stderr


def test_the_state_of_each_pop() -> None:
    """`nine` prepends twice all the time; `west` goes, comes, or is silent before and after."""
    now = intent_of(three(), twelve())
    less = without_pops(now, ("west",))
    assert states(now, now) == {"west": "announced", "east": "announced", "nine": "prepended"}
    assert states(now, less)["west"] == "withdrawn"
    assert states(less, now)["west"] == "new"
    assert states(less, less)["west"] == "silent"


def test_networks_stand_in_their_country_at_their_pop() -> None:
    """When west is gone, 7 (3 of 12 users, in Chile) lands at east, and 9 (2, in Japan) at nine; 8 has no place."""
    graph = twelve()
    now = intent_of(three(), graph)
    shift = predict_shift(
        graph, now, without_pops(now, ("west",)), np.random.default_rng(1), Asked(users_on(graph), members=64)
    )
    located = located_by_label(graph, {7: "cl", 9: "JP"}, np.random.default_rng(1), "a test")
    found = networks(shift, located)

    order = [pop.name for pop in shift.pops]
    landed = {order[pop]: 12 * found.weight[found.pop == pop].sum() for pop in set(found.pop.tolist())}
    assert landed == {"east": pytest.approx(3), "nine": pytest.approx(2)}
    assert (
        found.latitude[found.pop == order.index("east")].max()
        < 0
        < found.latitude[found.pop == order.index("nine")].min()
    )
