"""What the response engine is told, as a file: one JSON object a line, in the order of time.

`{"at": 0, "alert": "pop_down", "pop": "fra1", "urgency": "page", "summary": "..."}`, with `"firing": false` when it is
over; `{"at": 5, "begin": "drain", "id": "d1", "pop": "fra1", "summary": "..."}` and `{"at": 9, "end": "d1"}`;
`{"at": 7, "silence": "s1", "until": 3600, "pop": "fra1", "reason": "..."}`; `{"at": 8, "acknowledge": 1, "by": "ada"}`;
`{"at": 8, "note": 1, "by": "ada", "text": "..."}`; `{"at": 2, "fact": "bgp", "pop": "fra1", "text": "..."}`.
Times are seconds, or as RFC 3339 has them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from anycastle.base.errors import MisuseError, ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.catchments.text import read_text
from anycastle.model.fleet import Fleet
from anycastle.response.engine import ResponseEngine
from anycastle.response.notification import Notice
from anycastle.response.signal import Cause, CauseKind, Place, Signal, Silence, Subject, Topology, Urgency

ERRORS_SHOWN: Final = 20


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    at: float | str
    alert: str = ""
    begin: CauseKind | None = None
    end: str = ""
    silence: str = ""
    acknowledge: int = 0
    note: int = 0
    fact: str = ""
    id: str = ""
    service: str = ""
    prefix: str = ""
    pop: str = ""
    region: str = ""
    urgency: Urgency = Urgency.TICKET
    firing: bool = True
    summary: str = ""
    reason: str = ""
    until: float | str = 0.0
    lasts_s: float | None = None
    by: str = ""
    text: str = ""

    @property
    def subject(self) -> Subject:
        """Give what the line is about."""
        return Subject(self.service, self.prefix, self.pop, self.region)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the engine is told at a time."""

    at: Timestamp
    where: str
    do: Callable[[ResponseEngine], list[Notice] | None]


_VERBS: Final = ("alert", "begin", "end", "silence", "acknowledge", "note", "fact")
_LINE: Final = msgspec.json.Decoder(_Line)


def topology_of(fleet: Fleet) -> Topology:
    """Give where the fleet's PoPs belong."""
    return Topology(
        {
            pop.name: Place(
                pop.region,
                frozenset(service.name for service in fleet.services_at(pop.name)),
                frozenset(str(prefix) for service in fleet.services_at(pop.name) for prefix in service.prefixes),
            )
            for pop in fleet.pops
        }
    )


def read_steps(path: Path) -> list[Step]:
    """Read a file. Raises `ParseError` that tells all that is wrong, each as `FILE:LINE`."""
    steps: list[Step] = []
    errors: list[str] = []
    for number, text in enumerate(read_text(path).splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        where = f"{path}:{number}"
        try:
            step = _step(_LINE.decode(text), where)
            if steps and step.at < steps[-1].at:
                raise ParseError("the line is of a time before the line above")  # noqa: TRY301 - told with the others
            steps.append(step)
        except (msgspec.MsgspecError, ParseError) as error:
            errors.append(f"{where}: {error}")
    if not steps and not errors:
        errors.append(f"{path}: nothing stands here")
    if errors:
        raise ParseError("\n".join(errors[:ERRORS_SHOWN]))
    return steps


def _step(line: _Line, where: str) -> Step:
    said = [verb for verb in _VERBS if getattr(line, verb)]
    if len(said) != 1:
        raise ParseError(f"one of {', '.join(_VERBS)} is needed, not {' and '.join(said) or 'none'}")
    at = _time(line.at)
    return Step(at, where, _ACTS[said[0]](line, at))


def _time(value: float | str) -> Timestamp:
    if isinstance(value, float):
        return Timestamp(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ParseError(f"{value!r} is no time") from error
    if moment.tzinfo is None:
        raise ParseError(f"{value} has no zone; write {value}Z")
    return Timestamp(moment.timestamp())


def _alert(line: _Line, at: Timestamp) -> Callable[[ResponseEngine], Any]:
    summary = line.summary or " ".join(
        each for each in (line.alert, line.service, line.prefix, line.pop, line.region) if each
    )
    signal = Signal(line.alert, line.subject, line.urgency, line.firing, summary)
    return lambda engine: engine.take([signal], at)


def _begin(line: _Line, at: Timestamp) -> Callable[[ResponseEngine], Any]:
    assert line.begin is not None
    if not line.id:
        raise ParseError("a cause needs an id")
    cause = Cause(line.id, line.begin, line.subject, line.summary or f"{line.begin.value} {line.id}")
    lasts_s = float("inf") if line.lasts_s is None else line.lasts_s
    return lambda engine: engine.begin(cause, at, lasts_s)


def _silence(line: _Line, at: Timestamp) -> Callable[[ResponseEngine], Any]:
    silence = Silence(line.silence, at, _time(line.until), line.subject, line.reason)
    return lambda engine: engine.silence(silence, at)


_ACTS: Final[dict[str, Callable[[_Line, Timestamp], Callable[[ResponseEngine], Any]]]] = {
    "alert": _alert,
    "begin": _begin,
    "end": lambda line, at: lambda engine: engine.end(line.end, at),
    "silence": _silence,
    "acknowledge": lambda line, at: lambda engine: engine.acknowledge(line.acknowledge, line.by, at),
    "note": lambda line, at: lambda engine: engine.annotate(line.note, line.by, line.text, at),
    "fact": lambda line, at: lambda engine: engine.fact(at, line.fact, line.text, line.subject, at),
}


def play(engine: ResponseEngine, steps: list[Step], until: Timestamp) -> list[Notice]:
    """Tell the engine all steps, and let time pass between and after them. Raises `ParseError` for what cannot be."""
    notices: list[Notice] = []
    for step in steps:
        notices += _pass(engine, step.at)
        try:
            notices += step.do(engine) or []
        except MisuseError as error:
            raise ParseError(f"{step.where}: {error}") from error
    return notices + _pass(engine, until)


def _pass(engine: ResponseEngine, until: Timestamp) -> list[Notice]:
    notices: list[Notice] = []
    while engine.deadline() < until:
        notices += engine.tick(engine.deadline())
    return notices
