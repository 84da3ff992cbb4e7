"""RSSAC047 from the question to the report: nsd serves a signed root zone, a prober asks it, a month is worked out."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dns.dnssec
import dns.dnssectypes
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.probe.attempt import attempt
from anycastle.io.probe.result_json import line
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.zone import ZoneAsk, ZoneSeen
from anycastle.probe.result import ProbeResult
from anycastle.probe.target import ProbeTarget
from anycastle.probe.zone_answer import ZoneVersion, faults, zone_version
from tests.lab.agent_rigs import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.mission("M3"),
    pytest.mark.skipif(shutil.which("nsd") is None, reason="nsd is not installed: `sudo make lab-packages`"),
]

ADDRESS = "127.0.0.1"
VANTAGE = VantagePoint("v1")
DELEGATED = ("com", "org", "arpa")
KEY = ec.generate_private_key(ec.SECP256R1())
RECORDS = """
. 86400 IN SOA a.root. hostmaster.root. {serial} 1800 900 604800 86400
. 518400 IN NS a.root.
a.root. 518400 IN A 127.0.0.1
com. 172800 IN NS ns.com.
com. 86400 IN DS 30909 8 2 e2d3c916f6deeac73294e8268fb5885044a833fc5459588f4a9184cfc41a5766
ns.com. 172800 IN A {glue}
org. 172800 IN NS ns.org.
ns.org. 172800 IN A 192.0.2.2
arpa. 172800 IN NS a.root.
{more}
"""


def zone_text(serial: int, glue: str = "192.0.2.1", more: str = "") -> str:
    """Give a signed root zone with some delegations, one of them without DS."""
    zone = dns.zone.from_text(RECORDS.format(serial=serial, glue=glue, more=more), origin=".", relativize=False)
    dnskey = dns.dnssec.make_dnskey(KEY.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    first, last = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(zone, transaction, keys=[(KEY, dnskey)], inception=first, expiration=last)
    text: str = zone.to_text(relativize=False)
    return text


@contextmanager
def serving(folder: Path, text: str) -> Iterator[int]:
    """Run nsd with a zone; give its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    (folder / "root.zone").write_text(text)
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: {ADDRESS}@{port}\n  server-count: 1\n  username: ""\n  database: ""\n'
        f'  zonesdir: "{folder}"\n  pidfile: "{folder}/nsd.pid"\n  xfrdfile: "{folder}/xfrd"\n'
        f'  zonelistfile: "{folder}/list"\n  cookie-secret-file: "{folder}/cookies"\n  rrl-ratelimit: 0\n'
        'remote-control:\n  control-enable: no\nzone:\n  name: "."\n  zonefile: "root.zone"\n'
    )
    server = subprocess.Popen(["nsd", "-d", "-c", str(folder / "nsd.conf")], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), "nsd answers")
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int) -> bool:
    try:
        reply = dns.query.udp(dns.message.make_query(".", "SOA"), ADDRESS, port=port, timeout=1)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR


def asked(port: int, count: int, names: Path) -> list[ProbeResult]:
    """Draw so many questions and ask them."""
    target = ProbeTarget("root", ADDRESS, port, ZoneAsk(str(names)), timeout_s=8.0)

    async def all_of_them() -> list[ProbeResult]:
        return [await attempt(target, VANTAGE) for _ in range(count)]

    return asyncio.run(all_of_them())


def reply_of(result: ProbeResult) -> bytes:
    assert isinstance(result.seen, ZoneSeen), result.failure
    return b64decode(result.seen.reply)


def changed(result: ProbeResult, change: str) -> bytes:
    """Give an answer as somebody who tampers with it, or serves it badly, would have it."""
    message = dns.message.from_wire(reply_of(result))
    match change:
        case "unsigned":
            for section in (message.answer, message.authority):
                section[:] = [each for each in section if each.rdtype != dns.rdatatype.RRSIG]
        case "aa":
            message.flags ^= dns.flags.AA
        case "empty":
            message.answer.clear()
            message.authority.clear()
            message.additional.clear()
        case "answer":
            record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.A, "203.0.113.66")
            message.find_rrset(message.additional, dns.name.from_text("ns.com."), dns.rdataclass.IN,
                               dns.rdatatype.A, create=True).add(record)  # fmt: skip
    return message.to_wire(max_size=65535)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[ProbeResult], ZoneVersion]]:
    """Give answers of a server that is right, and its zone."""
    folder = tmp_path_factory.mktemp("nsd")
    names = folder / "tlds.txt"
    names.write_text("# Version 2026112800\n" + "\n".join(each.upper() for each in DELEGATED) + "\n")
    text = zone_text(2026112800)
    with serving(folder, text) as port:
        yield asked(port, 300, names), zone_version(text)


def styles(results: list[ProbeResult]) -> dict[tuple[str, str], ProbeResult]:
    return {(each.seen.name, each.seen.record_type): each for each in results if isinstance(each.seen, ZoneSeen)}


def test_whatever_is_drawn_the_answers_of_a_right_server_are_right(
    served: tuple[list[ProbeResult], ZoneVersion],
) -> None:
    results, version = served
    assert [each.failure for each in results if each.failure] == []
    wrong = [(each.seen, found) for each in results if (found := faults(reply_of(each), [version], each.at))]
    assert wrong == []
    found = styles(results)
    assert {(".", "SOA"), (".", "NS"), (".", "DNSKEY")} < found.keys()
    assert {("com.", "NS"), ("com.", "DS"), ("org.", "NS"), ("org.", "DS"), ("arpa.", "DS")} < found.keys()
    assert ("arpa.", "NS") not in found
    assert any(name.startswith("www.rssac047-test.") and kind == "A" for name, kind in found)
    assert {each.seen.transport for each in results if isinstance(each.seen, ZoneSeen)} == {"udp", "tcp"}


@pytest.mark.parametrize(
    ("style", "change", "marks"),
    [
        ((".", "SOA"), "unsigned", {"obw", "ktm"}),
        ((".", "SOA"), "aa", {"xhr"}),
        ((".", "NS"), "unsigned", {"wal"}),
        ((".", "NS"), "aa", {"csz"}),
        ((".", "DNSKEY"), "unsigned", {"eou"}),
        ((".", "DNSKEY"), "aa", {"occ"}),
        (("com.", "NS"), "unsigned", {"kbd"}),
        (("com.", "NS"), "aa", {"ujy"}),
        (("com.", "NS"), "answer", {"vnk"}),
        (("org.", "NS"), "unsigned", {"mkl"}),
        (("com.", "DS"), "unsigned", {"cpf"}),
        (("com.", "DS"), "answer", {"vnk", "mle"}),
        (("org.", "DS"), "unsigned", {"axj", "czb"}),
        (("com.", "NS"), "empty", {"pdd"}),
    ],
)
def test_an_answer_that_was_changed_is_told_by_the_requirement_that_it_misses(
    served: tuple[list[ProbeResult], ZoneVersion], style: tuple[str, str], change: str, marks: set[str]
) -> None:
    results, version = served
    result = styles(results)[style]
    assert {each.mark for each in faults(changed(result, change), [version], result.at)} == marks


def test_a_denial_without_its_proofs_is_wrong(served: tuple[list[ProbeResult], ZoneVersion]) -> None:
    results, version = served
    denied = next(
        each for name, each in ((key, value) for (key, _), value in styles(results).items()) if "rssac" in name
    )
    assert {each.mark for each in faults(changed(denied, "unsigned"), [version], denied.at)} == {"axj", "czb", "jhz"}
    assert {each.mark for each in faults(changed(denied, "aa"), [version], denied.at)} == {"gpl"}


def test_signatures_end_and_zones_change(served: tuple[list[ProbeResult], ZoneVersion]) -> None:
    results, version = served
    found = styles(results)
    after_all = Timestamp(datetime(2041, 1, 1, tzinfo=UTC).timestamp())
    assert {each.mark for each in faults(reply_of(found[".", "NS"]), [version], after_all)} == {"yds"}
    moved = zone_version(zone_text(2026112801, glue="192.0.2.9"))
    assert {each.mark for each in faults(reply_of(found["com.", "NS"]), [moved], now().wall)} == {"vnk"}
    assert faults(reply_of(found["com.", "NS"]), [moved, version], now().wall) == ()
    other = zone_version(zone_text(2026112800).replace("hostmaster.root.", "postmaster.root."))
    assert "vnk" in {each.mark for each in faults(reply_of(found[".", "SOA"]), [other], now().wall)}
    assert faults(b"\0", [version], now().wall)[0].mark == "lbl"


def test_a_cut_answer_is_asked_for_again_over_tcp(tmp_path: Path) -> None:
    many = "\n".join(f"com. 172800 IN NS ns{number}.name-server-with-a-long-name.com." for number in range(60))
    names = tmp_path / "tlds.txt"
    names.write_text("com\n")
    text = zone_text(1, more=many)
    with serving(tmp_path, text) as port:
        results = [each for each in asked(port, 60, names) if each.seen and each.seen.name == "com."]  # type: ignore[attr-defined]
    referrals = [each for each in results if isinstance(each.seen, ZoneSeen) and each.seen.record_type == "NS"]
    assert referrals
    assert {each.seen.transport for each in referrals if each.seen} == {"tcp"}  # type: ignore[attr-defined]
    assert any([phase.name for phase in each.phases] == ["answer", "connect", "answer"] for each in referrals)
    assert [faults(reply_of(each), [zone_version(text)], each.at) for each in referrals] == [()] * len(referrals)


def month_lines(port: int, names: Path, serial: int) -> bytes:
    """Give results of one round: SOA over UDP and TCP, and forty drawn questions."""

    async def soa(transport: str) -> ProbeResult:
        target = ProbeTarget(f"a-{transport}", ADDRESS, port, DNSAsk(transport=transport))
        return await attempt(target, VANTAGE)

    results = [asyncio.run(soa("udp")), asyncio.run(soa("tcp")), *asked(port, 40, names)]
    assert all(each.seen.serial == serial for each in results[:2])  # type: ignore[union-attr]
    return b"".join(line(each, str(number)) for number, each in enumerate(results))


def report(folder: Path, *more: str) -> tuple[int, dict[str, object], str]:
    month = datetime.now(UTC).strftime("%Y-%m")
    command = ["slo", "rssac047", "--hints", str(folder / "named.root"), "--month", month, "-o", "json", *more]
    done = subprocess.run(
        [sys.executable, "-m", "anycastle.cli.main", *command], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_a_month_is_reported_and_a_server_that_lies_fails_it(tmp_path: Path) -> None:
    names, zones, results = tmp_path / "tlds.txt", tmp_path / "zones", tmp_path / "results.ndjson"
    names.write_text("com\norg\n")
    zones.mkdir()
    (tmp_path / "named.root").write_text(". 3600000 NS A.ROOT.\nA.ROOT. 3600000 A 127.0.0.1\n")
    text = zone_text(7)
    (zones / "7.zone").write_text(text)
    with serving(tmp_path, text) as port:
        results.write_bytes(month_lines(port, names, 7))
    code, found, told = report(tmp_path, "--zones", str(zones), str(results))
    assert code == 0, told
    rows = {(each["metric"], each["way"]): each for each in found["identifiers"]["a.root"]}  # type: ignore[index]
    assert {key: each["result"] for key, each in rows.items()} == {
        ("availability", "IPv4 TCP"): "pass", ("availability", "IPv4 UDP"): "pass",
        ("latency", "IPv4 TCP"): "pass", ("latency", "IPv4 UDP"): "pass",
        ("correctness", None): "pass", ("publication_latency", None): "no data",
    }  # fmt: skip
    assert rows["correctness", None]["measurements"] == 40
    assert "value" not in rows["correctness", None]

    with serving(tmp_path, text.replace("192.0.2.1", "192.0.2.66").replace("192.0.2.2", "192.0.2.66")) as port:
        results.write_bytes(results.read_bytes() + month_lines(port, names, 7))
    code, found, told = report(tmp_path, "--zones", str(zones), str(results))
    assert code == 4
    rows = {(each["metric"], each["way"]): each for each in found["identifiers"]["a.root"]}  # type: ignore[index]
    assert rows["correctness", None]["result"] == "fail"
    assert {each["requirement"] for each in found["wrong_answers"]} == {"vnk"}  # type: ignore[attr-defined]
    assert "a.root answered v1 wrongly" in told

    spans = "v1,2026-01-01,2040-01-01,the vantage point was hijacked"
    code, found, told = report(tmp_path, "--zones", str(zones), "--leave-out", spans, str(results))
    assert (code, found) == (2, {})
    assert "left out: v1: the vantage point was hijacked" in told
    assert "nothing to report" in told


def fast_opens() -> int:
    """Give how many connections this machine has opened with data in the first segment (RFC 7413)."""
    names, values = (row.split() for row in Path("/proc/net/netstat").read_text().splitlines()[:2])
    return int(values[names.index("TCPFastOpenActive")])


def test_no_connection_is_opened_fast(tmp_path: Path) -> None:
    before = fast_opens()
    with serving(tmp_path, zone_text(5)) as port:
        target = ProbeTarget("a-tcp", ADDRESS, port, DNSAsk(transport="tcp"))
        results = [asyncio.run(attempt(target, VANTAGE)) for _ in range(2)]
    assert [each.failure for each in results] == [None, None]
    assert fast_opens() == before


def test_an_answer_of_a_zone_without_a_copy_is_not_called_wrong(tmp_path: Path) -> None:
    names, zones, results = tmp_path / "tlds.txt", tmp_path / "zones", tmp_path / "results.ndjson"
    names.write_text("com\n")
    zones.mkdir()
    (tmp_path / "named.root").write_text("A.ROOT. 3600000 A 127.0.0.1\n")
    (zones / "older").write_text(zone_text(7))
    with serving(tmp_path, zone_text(8, glue="192.0.2.8")) as port:
        results.write_bytes(month_lines(port, names, 8))
    code, found, told = report(tmp_path, "--zones", str(zones), str(results))
    assert code == 0
    assert found["wrong_answers"] == []
    assert "not judged: there is no copy of zone 8" in told


def test_a_file_of_names_is_read_again_when_it_has_changed_and_a_bad_one_is_our_failure(tmp_path: Path) -> None:
    names = tmp_path / "tlds.txt"
    names.write_text("x" * 70 + "\n")
    with serving(tmp_path, zone_text(9)) as port:
        target = ProbeTarget("root", ADDRESS, port, ZoneAsk(str(names)), timeout_s=8.0)

        def drawn() -> list[ProbeResult]:
            async def some() -> list[ProbeResult]:
                return [await attempt(target, VANTAGE) for _ in range(60)]

            return asyncio.run(some())

        assert {each.failure.kind.value for each in drawn() if each.failure} == {"ours"}
        names.write_text("com\n")
        assert any(isinstance(each.seen, ZoneSeen) and each.seen.name == "com." for each in drawn())
        names.unlink()
        assert {each.failure.words for each in drawn() if each.failure} == {f"{names}: No such file or directory"}
