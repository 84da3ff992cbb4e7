"""Evidence from files as they exist: event logs and exports, probers' results, Prometheus's answers, agents' reports.

What an agent tells its controller stands in both logs; given both, it is one fact. A line that cannot be read is told
with its place and left out: in an incident nine good files are worth more than one error.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.agent_report import read_report
from anycastle.io.catchments.text import read_text
from anycastle.io.event_export import FORMAT, is_export
from anycastle.io.event_log import EventLog, StoredEvent, stored_event
from anycastle.io.probe.result_lines import fields_of, vantage_of
from anycastle.model.distance import great_circle_km
from anycastle.model.event import RunbookStepped
from anycastle.model.fleet import Fleet
from anycastle.model.vantage_point import VantagePoint
from anycastle.response.event_facts import fact_of
from anycastle.response.evidence import Case, Fact, Lane, Probed, Report, Sample, Source
from anycastle.response.signal import Subject

FACTS_MAX: Final = 500_000
PROBES_MAX: Final = 1_000_000
PROBLEMS_MAX: Final = 20

METRICS: Final = ("cpu", "packets", "requests", "hit_ratio", "origin_requests")
"""What rules know of telemetry: cpu and hit_ratio are shares, the others are of one second."""

WATCH: Final = "watch"
"""The name under which the watch writes its events."""

_ROUND_TRIPS: Final = ("connect", "echo", "answer")


@dataclass(slots=True)
class Read:
    """What was read, and what could not be."""

    facts: list[Fact] = field(default_factory=list)
    probes: list[Probed] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    given: set[Source] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    _known: set[tuple[float, str, str]] = field(default_factory=set)

    def case(self) -> Case:
        """Give it as a case, still without the topology."""
        return Case(
            tuple(self.facts), tuple(self.probes), tuple(self.samples), tuple(self.reports), given=frozenset(self.given)
        )

    def blame(self, text: str) -> None:
        """Note what cannot be read."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    def events(self, rows: Iterable[StoredEvent], name: str) -> None:
        """Take the rows of a log that is called `name`."""
        for row in rows:
            if len(self.facts) >= FACTS_MAX:
                self.blame(f"{name}: more than {FACTS_MAX} events; the later ones are left out")
                return
            key = row.at, row.pop, row.kind + json.dumps(row.fields, sort_keys=True, default=str)
            if key in self._known:
                continue
            self._known.add(key)
            event = row.event()
            where = f"{name}:{row.sequence}"
            if event is None:
                self.facts.append(
                    Fact(row.at, Lane.ALARM, row.kind, Subject(), where, kind=row.kind, fields=row.fields)
                )
                continue
            self.facts.append(replace(fact_of(event, where), kind=row.kind, fields=row.fields))
            if not isinstance(event.body, RunbookStepped):
                self.given.add(Source.WATCH if row.pop == WATCH else Source.EVENTS)


def read_events(path: Path, into: Read, *, of_watch: bool = False) -> None:
    """Read a log of SQLite, an export, or what `events -o ndjson` and `watch replay -o ndjson` print.

    Raises `WorldError`, and `ParseError` for a file that is none of them.
    """
    if of_watch:
        into.given.add(Source.WATCH)
    if is_export(path):
        into.events(_lines(path, into, WATCH if of_watch else ""), path.name)
        return
    with EventLog(path, read_only=True) as log:
        into.events(log.read(), path.name)


def _lines(path: Path, into: Read, pop: str) -> Iterator[StoredEvent]:
    for number, text in enumerate(read_text(path).splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError:
            into.blame(f"{path}:{number}: no line of JSON")
            continue
        if not isinstance(line, dict) or "head" in line or line.get("format") == FORMAT:
            continue
        try:
            yield _row(line, number, pop)
        except (KeyError, TypeError, ValueError):
            into.blame(f"{path}:{number}: no event")


def _row(line: dict[str, Any], number: int, pop: str) -> StoredEvent:
    """Give a line's event. Raises `KeyError`, `TypeError` or `ValueError`."""
    at = line.pop("at")
    moment = datetime.fromisoformat(at).timestamp() if isinstance(at, str) else float(at)
    kind, place, sequence = str(line.pop("kind")), str(line.pop("pop", pop)), int(line.pop("sequence", number))
    line.pop("hash", None)
    if isinstance(body := line.get("body"), str):
        return stored_event(sequence, moment, place, kind, body, b"")
    return StoredEvent(sequence, Timestamp(moment), place, kind, line, b"")


def read_probes(path: Path, fleet: Fleet | None, into: Read) -> None:
    """Read results of a prober, a line each. Raises `WorldError`."""
    into.given.add(Source.PROBES)
    regions: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        value = fields_of(line)
        if value is None:
            into.blame(f"{path}:{number}: no result of a prober")
        elif len(into.probes) >= PROBES_MAX:
            into.blame(f"{path}: more than {PROBES_MAX} results; the later ones are left out")
            return
        elif (value.get("failure") or {}).get("kind") != "ours":
            into.probes.append(_probed(value, f"{path.name}:{number}", fleet, regions))


def _probed(value: dict[str, Any], where: str, fleet: Fleet | None, regions: dict[str, str]) -> Probed:
    vantage = vantage_of(value)
    if vantage.name not in regions:
        regions[vantage.name] = region_of(vantage, fleet)
    failure, phases = value.get("failure") or {}, value["phases"]
    seen = value.get("seen") if isinstance(value.get("seen"), dict) else {}
    words = f"{failure.get('phase', '')}: {failure.get('words', '')}" if failure else ""
    answered = seen is not None and value.get("seen") is not None
    return Probed(
        Timestamp(float(value["at"])), vantage.name, vantage.network, regions[vantage.name],
        str(value.get("target") or ""), str(value.get("address") or ""), str(value.get("kind") or ""),
        str(failure.get("kind") or ""), words,
        next((float(phases[name]) for name in _ROUND_TRIPS if name in phases), None) if answered else None,
        str(value.get("pop") or ""), value.get("local_port"),
        tuple(_hops(seen or {})), where,
    )  # fmt: skip


def _hops(seen: dict[str, Any]) -> Iterator[str]:
    for hop in seen.get("hops") or ():
        addresses = hop.get("addresses") or ()
        yield addresses[0] if addresses else "*"


def region_of(vantage: VantagePoint, fleet: Fleet | None) -> str:
    """Give the region of the PoP that is nearest on the ground; a country where places are not known."""
    if fleet is None or vantage.location is None:
        return vantage.country
    place = vantage.location
    return min(fleet.pops, key=lambda pop: great_circle_km(pop.location, place)).region


class _Matrix(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815  as the API writes it
    result: list[Any]


class _Answer(msgspec.Struct):
    data: _Data


def read_telemetry(metric: str, path: Path, into: Read) -> None:
    """Read a Prometheus's answer to a range query by `pop`. Raises `ParseError`, `WorldError`."""
    if metric not in METRICS:
        raise ParseError(f"{metric!r} is none of {', '.join(METRICS)}")
    try:
        answer = msgspec.json.decode(read_text(path), type=_Answer)
        series = msgspec.convert(answer.data.result, list[_Matrix])
    except msgspec.MsgspecError as error:
        raise ParseError(f"{path}: no answer of Prometheus to /api/v1/query_range: {error}") from error
    into.given.add(Source.TELEMETRY)
    for each in series:
        pop = each.metric.get("pop")
        if pop is None:
            raise ParseError(f"{path}: a series has no label 'pop': aggregate by (pop)")
        into.samples += [Sample(Timestamp(at), pop, metric, float(value)) for at, value in each.values]


def read_reports(paths: Sequence[Path], into: Read) -> None:
    """Read what `anycastle agent status -o json` printed, a file each. Raises `ParseError`, `WorldError`."""
    for path in paths:
        report = read_report(path)
        into.given.add(Source.REPORTS)
        into.reports.append(
            Report(
                report.pop,
                report.at,
                frozenset((str(route.prefix), route.upstream) for route in report.exported),
                frozenset(upstream for upstream, _ in report.established),
                report.problems,
                {name: each.stance.value for name, each in report.services.items()},
                path.name,
            )
        )
