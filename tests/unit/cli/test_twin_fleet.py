"""Commands that take a fleet announce as its files say: prepends and silence followed, the rest named."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anycastle.cli.main import cli

LINKS = "64496|1|-1|bgp\n64497|2|-1|bgp\n64498|3|-1|bgp\n64496|64497|0|bgp\n64497|64498|0|bgp\n64496|64498|0|bgp\n"
SITES = "name,latitude,longitude,upstreams,cost_per_month\nlhr1,51.5,-0.1,64497,100\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example fleet, on a graph of its three transits and a customer of each."""
    found = tmp_path_factory.mktemp("fleet")
    assert CliRunner().invoke(cli, ["init", str(found / "fleet")]).exit_code == 0
    (found / "graph.txt").write_text(LINKS)
    (found / "sites.csv").write_text(SITES)
    (found / "places.csv").write_text("asn,latitude,longitude\n1,50,8\n2,50,8\n3,50,8\n")
    return found


def twin(folder: Path, command: str, *more: object) -> Result:
    arguments = ["twin", command, folder / "graph.txt", "--no-cache", "--fleet", folder / "fleet", *more]
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.stderr
    return done


@pytest.mark.mission("C12")
def test_failures_start_from_what_is_announced(folder: Path) -> None:
    """gru1 stands first, so ties would be its own; but it prepends to its only transit, where fra1 and iad1 do not."""
    done = twin(folder, "survive", "-o", "json")
    base = json.loads(done.stdout)["base"]
    assert base["gru1"] == 0
    assert sum(base.values()) == pytest.approx(1, abs=1e-4)
    assert "as announced for dns 192.0.2.0/24" in done.stderr
    assert "gru1/transit-a: what AS64496 does upon no-asia" in done.stderr


def test_a_placement_starts_from_what_is_announced(folder: Path) -> None:
    more = ("--sites", folder / "sites.csv", "--places", folder / "places.csv", "-o", "json")
    today = json.loads(twin(folder, "place", *more).stdout)["today"]
    assert today["shares"]["gru1"] == 0


def test_a_sweep_keeps_silent_what_the_fleet_keeps_silent(folder: Path) -> None:
    """Of nrt1 and fra1, AS 64498 and its customer, two of six ASes, hear nrt1 first-hand; told nothing, they go to fra1
    with their peer AS 64496. The others stay as they are.
    """
    (folder / "table.csv").write_text("gru1,nrt1,iad1,fra1\n-,0,-,0\n")
    sweep = ("sweep", "--table", folder / "table.csv", "-o", "ndjson")
    told = json.loads(twin(folder, *sweep).stdout)["shares"]

    service = folder / "fleet" / "services" / "dns.yaml"
    text = service.read_text()
    silenced = text.replace("      med: 50", "      upstreams: {transit-c: {announce: false}}")
    assert silenced != text
    service.write_text(silenced)
    try:
        silent = json.loads(twin(folder, *sweep).stdout)["shares"]
    finally:
        service.write_text(text)
    assert told["nrt1"] - silent["nrt1"] == pytest.approx(2 / 6, abs=1e-5)
    assert silent["fra1"] - told["fra1"] == pytest.approx(2 / 6, abs=1e-5)


@pytest.mark.mission("C12")
def test_failures_by_users(folder: Path) -> None:
    """All users are of AS 2, which hears transit-b alone, where nrt1 and fra1 tie: each is a half of what may be."""
    (folder / "users.csv").write_text("asn,users\n2,10\n")
    found = json.loads(twin(folder, "survive", "--weights", folder / "users.csv", "-o", "json").stdout)
    base = found["base"]
    assert base["nrt1"] + base["fra1"] == pytest.approx(1)
    assert 0.3 < base["fra1"] < 0.7
    failures = {each["failed"][0]: each for each in found["failures"]}
    assert {pop: each["moved"] for pop, each in failures.items()} == base
    assert failures["fra1"]["shares"]["nrt1"] == pytest.approx(1)
