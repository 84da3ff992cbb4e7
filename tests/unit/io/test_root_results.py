"""Results of probers as what RSSAC047 counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io import root_results
from anycastle.io.root_results import LeftOut, read_identifiers, read_measurements, read_zones
from anycastle.slo.rssac047 import Transport

pytestmark = pytest.mark.mission("M3")

IDENTIFIERS = {"192.0.2.1": "a", "2001:db8::1": "a", "192.0.2.2": "b"}
ALWAYS = (0.0, 1e12)


def result(at: float, **fields: Any) -> str:
    usual = {
        "at": at, "vantage_point": "v1", "target": "a-udp", "kind": "dns", "asked": ". SOA udp", "address": "192.0.2.1",
        "phases": {"answer": 12.5}, "failure": None, "seen": {"rcode": "NOERROR", "serial": 7},
    }  # fmt: skip
    return json.dumps(usual | fields)


def read(folder: Path, *lines: str, left_out: tuple[LeftOut, ...] = ()) -> root_results.RootResults:
    path = folder / "results.ndjson"
    path.write_text("\n".join(lines))
    return read_measurements([path], IDENTIFIERS, ALWAYS, left_out)


def test_ways_times_and_serials(tmp_path: Path) -> None:
    timeout = {"kind": "timeout", "phase": "answer", "words": "no answer within 4 s"}
    found = read(
        tmp_path,
        result(300.0),
        result(310.0, asked=". SOA tcp", address="2001:db8::1", phases={"resolve": 9.0, "connect": 5.0, "answer": 6.0}),
        result(320.0, seen=None, failure=timeout),
        result(330.0, seen={"rcode": "REFUSED"}, failure={"kind": "content", "phase": "answer", "words": "rcode"}),
    ).measurements  # fmt: skip
    assert [(each.transport, each.family, each.answered_ms, each.rcode, each.serial) for each in found] == [
        (Transport.UDP, 4, 12.5, 0, 7),
        (Transport.TCP, 6, 11.0, 0, 7),
        (Transport.UDP, 4, None, None, None),
        (Transport.UDP, 4, 12.5, 5, None),
    ]
    assert [each.available for each in found] == [True, True, False, False]


def test_rounds_are_counted_from_the_first_and_a_shift_merges_none(tmp_path: Path) -> None:
    times = (299.5, 600.4, 899.2, 1199.8, 1500.3)
    assert [each.interval for each in read(tmp_path, *map(result, times)).measurements] == [0, 1, 2, 3, 4]


def test_other_questions_addresses_and_times_are_no_measurements(tmp_path: Path) -> None:
    path = tmp_path / "results.ndjson"
    path.write_text("\n".join([result(1.0), result(5.0, asked=". NS udp"), result(6.0, address="203.0.113.1"), "{}"]))
    found = read_measurements([path], IDENTIFIERS, (2.0, 9.0))
    assert found.measurements == []
    assert found.garbage == [f"{path}:4: no result of a prober"]


def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    ours = {"kind": "ours", "phase": "resolve", "words": "no descriptor"}
    spans = (LeftOut("v1", Timestamp(10.0), Timestamp(20.0), "its disk was full"),)
    found = read(
        tmp_path, result(9.0), result(10.0), result(20.0), result(30.0, seen=None, failure=ours), left_out=spans
    )
    assert len(found.measurements) == 2
    assert found.left_out == {"v1: its disk was full": 1, "the prober could not ask": 1}


def test_more_than_can_be_held_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_results, "MEASUREMENTS_MAX", 2)
    with pytest.raises(ParseError, match="more than 2 measurements"):
        read(tmp_path, *map(result, (1.0, 2.0, 3.0)))


def test_hints_as_iana_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "named.root"
    path.write_text(
        "; formerly NS.INTERNIC.NET\n.  3600000  NS  A.ROOT-SERVERS.NET.\n"
        "A.ROOT-SERVERS.NET.  3600000  A  198.41.0.4\nA.ROOT-SERVERS.NET.  3600000  AAAA  2001:503:ba3e::2:30\n"
    )
    assert read_identifiers(path) == {
        "198.41.0.4": "a.root-servers.net", "2001:503:ba3e::2:30": "a.root-servers.net"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"), [("A.ROOT. 1 A 1.2.3\n", "no root hints"), ("; none\n", "there is no address in it")]
)
def test_hints_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "named.root"
    path.write_text(text)
    with pytest.raises(ParseError, match=words):
        read_identifiers(path)


def test_a_folder_without_a_zone_or_with_something_else(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="there is no copy of a zone in it"):
        read_zones(tmp_path)
    (tmp_path / "zone").write_text("example. 1 IN NS ns.example.\n")
    with pytest.raises(ParseError, match=f"{tmp_path}/zone: no zone of '.'"):
        read_zones(tmp_path)
