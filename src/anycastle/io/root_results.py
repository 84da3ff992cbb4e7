"""Reads what RSSAC047 is worked out from: probers' results, the addresses of identifiers, and copies of the zone.

A prober's schedule spreads its targets over the five minutes, and shifts each by a second or so. So a round of a target
is counted from its first one, and not by the clock, where a shift would put two rounds into one interval.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import dns.exception
import dns.rdatatype
import dns.zone

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.catchments.text import read_text
from anycastle.io.probe.result_lines import fields_of
from anycastle.probe.kinds.dns import RCODES
from anycastle.probe.result import FailureKind
from anycastle.probe.zone_answer import Fault, ZoneVersion, faults, zone_version
from anycastle.slo.rssac047 import INTERVAL_MIN, Measurement, Transport
from anycastle.slo.rssac047_month import Answers, serials_at

MEASUREMENTS_MAX: Final = 10_000_000
"""Of one report: thirteen identifiers from twenty vantage points have 9 million in a month."""

ZONES_MAX: Final = 200
"""Copies in a folder: the root has some sixty versions a month."""

FAULTS_SHOWN: Final = 20
_INTERVAL_S: Final = INTERVAL_MIN * 60.0
_SOA: Final = {f". SOA {each.value}": each for each in Transport}


class LeftOut(NamedTuple):
    """Measurements of a time that a known trouble spoiled; RSSAC047 has their reason told. [raz, hnr, xjv, dew]"""

    who: str
    """A vantage point, or an identifier."""
    start: Timestamp
    end: Timestamp
    reason: str


@dataclass(slots=True)
class RootResults:
    """What was read."""

    measurements: list[Measurement] = field(default_factory=list)
    answers: dict[str, Answers] = field(default_factory=dict)
    faults: list[tuple[Timestamp, str, str, Fault]] = field(default_factory=list)
    """(when, vantage point, identifier, what) of the first wrong answers."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> measurements."""
    unjudged: Counter[int] = field(default_factory=Counter)
    """Serial of a zone that was in use and of which there is no copy -> answers that were not judged for it."""
    garbage: list[str] = field(default_factory=list)


def read_identifiers(path: Path) -> dict[str, str]:
    """Give address -> identifier of a file of root hints, as IANA publishes. Raises `ParseError`, `WorldError`."""
    try:
        hints = dns.zone.from_text(read_text(path), origin=".", relativize=False, check_origin=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise ParseError(f"{path}: no root hints: {error}") from error
    found = {
        record.to_text(): str(name).rstrip(".").lower()
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for name, _ttl, record in hints.iterate_rdatas(kind)
    }
    if not found:
        raise ParseError(f"{path}: there is no address in it")
    return found


def read_zones(folder: Path, tell: Callable[[str], None] = lambda _: None) -> dict[int, ZoneVersion]:
    """Give serial -> version of all files in a folder. Raises `ParseError`, `WorldError`."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    if len(paths) > ZONES_MAX:
        raise ParseError(f"{folder}: {len(paths)} files; at most {ZONES_MAX} copies of a zone are read")
    found = {}
    for path in paths:
        tell(str(path))
        try:
            version = zone_version(read_text(path))
        except ParseError as error:
            raise ParseError(f"{path}: {error}") from error
        found[version.serial] = version
    if not found:
        raise ParseError(f"{folder}: there is no copy of a zone in it")
    return found


class _Rounds:
    """Which interval a measurement is of."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], float] = {}

    def interval(self, vantage: str, target: str, at: float) -> int:
        first = self._first.setdefault((vantage, target), at)
        return int(first // _INTERVAL_S) + round((at - first) / _INTERVAL_S)


def read_measurements(
    paths: Sequence[Path],
    identifiers: Mapping[str, str],
    span: tuple[float, float],
    left_out: Sequence[LeftOut] = (),
) -> RootResults:
    """Give the SOA queries of a span of time. Raises `ParseError`, `WorldError`."""
    found, rounds = RootResults(), _Rounds()
    for value, identifier in _lines(paths, identifiers, span, found.garbage):
        transport = _SOA.get(str(value.get("asked")))
        if transport is None or _left_out(value, identifier, left_out, found.left_out):
            continue
        if (value.get("failure") or {}).get("kind") == FailureKind.OURS.value:
            found.left_out["the prober could not ask"] += 1
            continue
        if len(found.measurements) == MEASUREMENTS_MAX:
            raise ParseError(f"more than {MEASUREMENTS_MAX:,} measurements; report on fewer identifiers at a time")
        found.measurements.append(_measurement(value, identifier, transport, rounds))
    return found


def read_answers(
    paths: Sequence[Path],
    identifiers: Mapping[str, str],
    span: tuple[float, float],
    zones: Mapping[int, ZoneVersion],
    seen: Mapping[int, Timestamp],
    found: RootResults,
    left_out: Sequence[LeftOut] = (),
) -> None:
    """Judge the answers that were kept, into `found`. `seen` is when each serial was first in use."""
    for value, identifier in _lines(paths, identifiers, span, []):
        reply = _reply(value)
        if reply is None or _left_out(value, identifier, left_out, found.left_out):
            continue
        at = Timestamp(float(value["at"]))
        serials = serials_at(seen, at)
        lacking = [each for each in serials if each not in zones]
        if lacking:  # right ones too are left out: those alone would make any server look right
            found.unjudged.update(lacking)
            continue
        wrong = faults(reply, [zones[each] for each in serials], at)
        counted = found.answers.setdefault(identifier, Answers())
        counted.judged += 1
        counted.right += not wrong
        if wrong and len(found.faults) < FAULTS_SHOWN:
            found.faults.extend((at, value["vantage_point"], identifier, each) for each in wrong)


def _lines(
    paths: Sequence[Path], identifiers: Mapping[str, str], span: tuple[float, float], garbage: list[str]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Give the results that went to an identifier in a span, and which it was."""
    for path in paths:
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if not line.strip():
                continue
            value = fields_of(line)
            if value is None:
                garbage.append(f"{path}:{number}: no result of a prober")
                continue
            identifier = identifiers.get(str(value.get("address")))
            if identifier is not None and span[0] <= value["at"] < span[1]:
                yield value, identifier


def _left_out(value: dict[str, Any], identifier: str, spans: Sequence[LeftOut], counts: Counter[str]) -> bool:
    for each in spans:
        if each.who in (value["vantage_point"], identifier) and each.start <= value["at"] < each.end:
            counts[f"{each.who}: {each.reason}"] += 1
            return True
    return False


def _measurement(value: dict[str, Any], identifier: str, transport: Transport, rounds: _Rounds) -> Measurement:
    seen, phases = value.get("seen") or {}, value["phases"]
    # From the question, or where there is a connection from its beginning, to the whole answer. [tsm, epp]
    answered_ms = sum(phases.get(name, 0.0) for name in ("connect", "answer")) if seen else None
    rcode = RCODES.get(str(seen.get("rcode")), -1) if seen else None
    serial = seen.get("serial")
    vantage, family = value["vantage_point"], 6 if ":" in str(value["address"]) else 4
    interval = rounds.interval(vantage, str(value.get("target")), float(value["at"]))
    known = serial if isinstance(serial, int) else None
    return Measurement(interval, vantage, identifier, transport, family, answered_ms, rcode, known)


def _reply(value: dict[str, Any]) -> bytes | None:
    """Give the answer to a drawn question; None where the result has none, or one whose rcode is no answer [ote]."""
    seen = value.get("seen")
    if value.get("kind") != "zone" or not isinstance(seen, dict) or value.get("failure"):
        return None
    try:
        return b64decode(str(seen.get("reply")), validate=True)
    except Base64Error:
        return None
