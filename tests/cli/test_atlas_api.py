"""`anycastle probe atlas create`, `fetch`, `follow`, as they are typed, against a server over a real socket."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.io.atlas_api.server import BEGAN, KEY, NUMBER, Atlas, result, served


@pytest.fixture
def atlas() -> Iterator[Atlas]:
    with served(Atlas()) as found:
        yield found


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "atlas.key"
    path.write_text(f"{KEY}\n")
    return path


def typed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [Path(sys.executable).parent / "anycastle", "probe", "atlas", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert KEY not in done.stdout + done.stderr
    return done


@pytest.mark.mission("I3")
def test_an_order_says_first_what_it_costs_and_is_sent_with_yes_alone(atlas: Atlas, key_file: Path) -> None:
    order = ("create", "dns", "192.0.2.53", "--probes", "50", "--key-file", str(key_file), "--api", atlas.address)
    asked = typed(*order)
    assert asked.returncode == 2
    assert "50 results of 20 credits: up to 1,000 credits; 100,000 are left" in asked.stderr
    assert "nothing is ordered: --yes" in asked.stderr
    assert atlas.orders == []
    done = typed(*order, "--yes", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "measurements": [NUMBER], "credits_estimated": 1000, "results_expected": 50,
    }  # fmt: skip
    assert atlas.orders[0]["definitions"][0]["query_argument"] == "id.server"
    assert atlas.orders[0]["is_oneoff"] is True


def test_an_order_that_costs_too_much_is_refused(atlas: Atlas, key_file: Path) -> None:
    order = ("create", "traceroute", "2001:db8::53", "--key-file", str(key_file), "--api", atlas.address, "--yes")
    dear = typed(*order, "--every", "5m", "--for", "48h", "--max-credits", "1000")
    assert dear.returncode == 2
    assert "it may cost 864,000 credits, which is more than --max-credits 1,000" in dear.stderr
    beyond = typed(*order, "--every", "5m", "--for", "48h")
    assert beyond.returncode == 2
    assert beyond.stdout == ""
    assert "28800 results of 30 credits: up to 864,000 credits, 432,000 a day; 100,000 are left" in beyond.stderr
    assert atlas.orders == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "dns", "192.0.2.53"), "--key-file names its file"),
        (("create", "ping", "192.0.2.53", "--every", "5m"), "--every and --for belong together"),
        (("create", "ping", "192.0.2.53", "--ipv6"), "192.0.2.53 is no address of IPv6"),
        (("create", "ping", "a..b"), "'a..b' is no name"),
        (("create", "ping", "192.0.2.53", "--asn", "1", "--country", "DE"), "one of --area, --country"),
        (("create", "ping", "192.0.2.53", "--country", "D1"), "a code of two letters"),
        (("create", "ping", "192.0.2.53", "--probe-ids", "1,x"), "numbers with commas"),
        (("create", "dns", "192.0.2.53", "--type", "NOPE"), "'NOPE' is no record type"),
    ],
)
def test_what_is_typed_wrong_is_told(arguments: tuple[str, ...], words: str) -> None:
    done = typed(*arguments)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


@pytest.mark.mission("I3")
def test_results_are_fetched_window_by_window_and_can_be_parsed(atlas: Atlas, tmp_path: Path) -> None:
    atlas.measurement = {"start_time": BEGAN, "stop_time": BEGAN + 5400}
    atlas.results = [result(probe, BEGAN + 60 * probe) for probe in range(90)] + [result(999, BEGAN + 6000)]
    out = tmp_path / "results.ndjson"
    done = typed("fetch", str(NUMBER), "--api", atlas.address, "--window", "30m", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "90 results of measurement 1001" in done.stderr
    assert atlas.asked.count(f"GET /measurements/{NUMBER}/results/") == 4
    parsed = typed("parse", str(out))
    assert "ping  90" in parsed.stdout
    some = typed("fetch", str(NUMBER), "--api", atlas.address, "--probe-ids", "3,5,7", "--max-results", "2")
    assert some.returncode == 1
    assert [json.loads(line)["prb_id"] for line in some.stdout.splitlines()] == [3, 5]
    assert "2 results of measurement 1001; there are more" in some.stderr


def test_a_measurement_that_is_not_there(atlas: Atlas) -> None:
    done = typed("fetch", "77", "--api", atlas.address)
    assert done.returncode == 1
    assert "status 404: Not Found; Not found." in done.stderr


@pytest.mark.mission("I3")
def test_new_results_are_followed(atlas: Atlas) -> None:
    now = int(time.time())
    atlas.results = [result(1, now - 60)]
    atlas.streamed = [["atlas_subscribed", {}], ["atlas_result", result(2, now)]]
    where = ("--api", atlas.address, "--stream", atlas.stream)
    done = typed("follow", str(NUMBER), *where, "--since", "5m", "--for", "3s")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["prb_id"] for line in done.stdout.splitlines()] == [1, 2]
    assert "2 results of measurement 1001" in done.stderr
