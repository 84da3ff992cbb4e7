"""Every kind and generation of result: made ones field by field, and all real ones that are at hand."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from anycastle.wire.atlas.dns import DNS
from anycastle.wire.atlas.http import HTTP
from anycastle.wire.atlas.ntp import NTP
from anycastle.wire.atlas.parse import KINDS, RESULT_BYTES_MAX, kind_of, parse_result, plain, result_of
from anycastle.wire.atlas.ping import Ping
from anycastle.wire.atlas.result import Garbage, Origin
from anycastle.wire.atlas.tls import TLS
from anycastle.wire.atlas.traceroute import HopReply, Traceroute
from tests.unit.wire.atlas.samples import SAMPLES, chaos_reply, origin, packed, sample

REPOSITORY = Path(__file__).parents[4]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "atlas"
REAL = {"dns": (43, 1), "http": (17, 3), "ping": (15, 0), "ssl": (17, 4), "traceroute": (21, 2)}
"""Results of each file, and how many are an error: counted in the files by hand."""


def read(name: str) -> Any:
    result = parse_result(sample(name))
    assert not isinstance(result, Garbage), result
    return result


@pytest.mark.mission("C7", "I3")
@pytest.mark.parametrize("name", REAL)
def test_all_real_results_are_read(name: str) -> None:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    results = [parse_result(line) for line in path.read_bytes().splitlines()]
    assert [result for result in results if isinstance(result, Garbage)] == []
    told = [plain(result) for result in results if not isinstance(result, Garbage)]
    assert (len(told), sum(bool(each["error"]) for each in told)) == REAL[name]
    for each, line in zip(told, path.read_bytes().splitlines(), strict=True):
        raw = json.loads(line)
        assert (each["probe"], each["measurement"], each["at_s"], each["firmware"]) == (
            raw["prb_id"],
            raw["msm_id"],
            raw["timestamp"],
            int(raw["fw"]),
        )
        json.dumps(each, allow_nan=False)


def test_no_time_and_no_error_of_a_real_result_is_lost() -> None:
    """What the JSON holds is counted apart from our reading."""
    path = DATA / "traceroute.jsonl"
    if not path.exists():
        pytest.skip(f"no {path}")
    for line in path.read_bytes().splitlines():
        replies = [reply for hop in json.loads(line)["result"] for reply in hop.get("result", [])]
        result = parse_result(line)
        assert isinstance(result, Traceroute)
        told = [reply for hop in result.hops for reply in hop.replies]
        assert [reply.rtt_ms for reply in told] == [reply.get("rtt") for reply in replies]
        assert [reply.error for reply in told] == [str(reply.get("err", "")) for reply in replies]
        assert sum(reply.late for reply in told) == sum("late" in reply for reply in replies)
        assert sum(reply == HopReply() for reply in told) == sum("x" in reply for reply in replies)


@pytest.mark.parametrize("name", SAMPLES)
def test_whose_result_it_is(name: str) -> None:
    result = read(name)
    firmware, unsure = int(SAMPLES[name]["fw"]), SAMPLES[name].get("lts")
    assert result.origin == Origin(
        1001, 77, 1_700_000_000, firmware, "192.0.2.9", unsure if unsure and unsure > 0 else None
    )
    assert plain(result)["kind"] == SAMPLES[name]["type"] == kind_of(result)


def test_ping() -> None:
    old: Ping = read("ping-0")
    assert (old.sent, old.received, old.rtt_ms_min, old.rtt_ms_max, old.replies) == (3, 3, 57.8, 58.2, ())
    new: Ping = read("ping-4610")
    assert [reply.rtt_ms for reply in new.replies] == [None, 36.4, 27.7]
    assert [reply.duplicate for reply in new.replies] == [False, True, False]
    assert read("ping-lost").rtt_ms_mean is None
    assert read("ping-lost").error == ""
    assert read("ping-error").error == "sendto failed: Network unreachable"


def test_dns() -> None:
    one: DNS = read("dns-4670")
    assert [exchange.server for exchange in one.exchanges] == ["ns1.fra.example.net"]
    assert one.exchanges[0].rtt_ms == 21.5
    without: DNS = read("dns-no-octets")
    assert [exchange.server for exchange in without.exchanges] == ["ns2.iad"]
    assert read("dns-type-number").exchanges[0].server == ""
    both: DNS = read("dns-set")
    assert [exchange.server for exchange in both.exchanges] == ["dead", ""]
    assert [exchange.error for exchange in both.exchanges] == ["", "timeout: 5000"]
    assert both.error == ""
    assert read("dns-timeout").error == "timeout: 5000"


def test_a_dns_reply_that_is_none_is_an_error_of_the_result() -> None:
    told = origin("dns", 4700, af=4, dst_addr="198.51.100.1", result={"abuf": packed(chaos_reply()[:20]), "rt": 1.5})
    result = result_of(told)
    assert isinstance(result, DNS)
    assert result.exchanges[0].reply is None
    assert "no DNS message" in result.error


def test_version_bind_is_no_name_of_a_site() -> None:
    answers = [{"TYPE": "TXT", "NAME": "version.bind", "RDATA": "resolver 3.5"}]
    result = result_of(origin("dns", 4660, dst_addr="198.51.100.1", result={"rt": 1.0, "answers": answers}))
    assert isinstance(result, DNS)
    assert result.exchanges[0].server == ""


def test_http() -> None:
    for name, family in (("http-0", 4), ("http-1", 6), ("http-4430", 4)):
        result: HTTP = read(name)
        fetch = result.fetches[0]
        assert (fetch.family, fetch.method, fetch.status, fetch.header_size, fetch.body_size) == (
            family, "GET", 200, 263, 1406
        )  # fmt: skip
        assert fetch.error == ""
    assert read("http-0").fetches[0].rtt_ms == 42.268
    assert read("http-1-error").error == "connect error 4"
    assert read("http-4610-error").error == "timeout reading chunk"


def test_tls() -> None:
    good: TLS = read("tls-4480")
    assert (good.port, len(good.certificates), good.error) == ("https", 1, "")
    refused: TLS = read("tls-4720-alert")
    assert (refused.alert, refused.error, refused.connect_ms, refused.handshake_ms) == ((2, 40), "alert 40", 31.6, 65.8)
    assert read("tls-4550-name").error == "no such name"


def test_traceroute() -> None:
    whole: Traceroute = read("traceroute-4460")
    assert whole.reached
    assert [hop.number for hop in whole.hops] == [1, 2, 3]
    assert whole.hops[1].replies == (HopReply(),)
    assert whole.hops[2].replies[0].labels == (407904,)
    late: Traceroute = read("traceroute-late")
    assert [reply.late for reply in late.hops[0].replies] == [True, False, False]
    assert [reply.error for reply in late.hops[0].replies] == ["", "H", "13"]
    failed: Traceroute = read("traceroute-error")
    assert (failed.error, failed.reached) == ("connect failed: Network is unreachable", False)


def test_ntp() -> None:
    good: NTP = read("ntp-4900")
    assert (good.stratum, good.root_delay_ms) == (2, 12.5)
    assert good.replies[0].rtt_ms == pytest.approx(30.1)
    assert good.replies[0].offset_ms == pytest.approx(-1.5)
    assert good.replies[1].rtt_ms is None
    assert read("ntp-unsynchronised").stratum is None


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "a result is a JSON object"),
        (b'{"type": "wifi"}', "'wifi' is no kind of result; there are dns, http, ntp, ping, sslcert, traceroute"),
        (b'{"type": "ping"}', "ping: Object missing required field `msm_id`"),
        (json.dumps(origin("ping", 1, sent="many", rcvd=0)).encode(), "ping: Expected `int`, got `str` - at `$.sent`"),
        (json.dumps(origin("ping", 4610, sent=1, rcvd=1, min=-5.0)).encode(), "ping: -5 ms is no time"),
        (json.dumps(origin("http", 4610, result=[])).encode(), "http: no request stands in the result"),
        (json.dumps(origin("http", 1, result="GET4 a b c d e")).encode(), "http: 'GET4 a b c d e' is no line"),
        (json.dumps({**origin("ping", 1, sent=1, rcvd=1), "prb_id": -1}).encode(), "ping: a probe, a measurement"),
        (b" " * (RESULT_BYTES_MAX + 1), "octets; a result has at most"),
    ],
)  # fmt: skip
def test_what_is_no_result_is_said_to_be_none(octets: bytes, reason: str) -> None:
    result = parse_result(octets)
    assert isinstance(result, Garbage)
    assert reason in result.reason


def test_every_kind_has_a_sample() -> None:
    assert {value["type"] for value in SAMPLES.values()} == set(KINDS)
