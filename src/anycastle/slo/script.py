"""A small language for objectives, series and the alerts that are to come of them. Parsed here, run by `script_run`.

```
objective reach          # what is promised; the keys follow, a line each
  target 99.9%
  window 30d             # or week, month, quarter
  by region
load 1m                  # cells of a minute; a line a series, values from the first cell on
  good{region="eu"} 1000x180
  bad{region="eu"}  0x60 20x30 0x90
at 65m                   # after the start; alerts are to be exactly these
  alert page 5m/1h global
  alert page 5m/1h eu
  burn 1h eu >= 14.4
  budget eu = 90% +- 10%
```

Values: `A` once, `AxN` N times, `A+BxN` and `A-BxN` N values that rise or fall by B, `_` and `_xN` nothing measured.
Whatever is wrong is told at once, with `FILE:LINE:COLUMN`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.model.objective import INDICATOR_NAMES, Objective, Planned, parse_share, parse_span, parse_window
from anycastle.slo.burn import GUIDE, RULES, Firing, Severity
from anycastle.slo.reading import GLOBAL

START: Final = Timestamp(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
"""When a script begins that says nothing: a Thursday, and the first of a month, a quarter and a year."""

VALUES_MAX: Final = 100_000
"""Cells of one series: two months of minutes."""

LINES_MAX: Final = 100_000

_NUMBER: Final = r"\d{1,12}(?:\.\d{1,9})?"
_VALUES: Final = re.compile(rf"(?:(_)|({_NUMBER})(?:([+-])({_NUMBER}))?)(?:x(\d{{1,7}}))?")
_SERIES: Final = re.compile(r'(good|bad)(?:\{(?:region="([A-Za-z0-9._-]{1,63})")?\})?')
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
RULE_NAMES: Final = (*(rule.name for rule in RULES), GUIDE, "no-data")


@dataclass(frozen=True, slots=True)
class Load:
    """Values of one series; None where nothing was measured."""

    objective: str
    cell_s: float
    good: bool
    region: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line below `at`."""

    kind: str
    """alert, no alerts, burn, budget, state."""
    where: str
    """FILE:LINE:COLUMN."""
    scope: str = GLOBAL
    severity: Severity = Severity.PAGE
    rule: str = ""
    comparison: str = "="
    value: float = 0.0
    within: float = 0.0
    firing: Firing = Firing.NO
    span_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What is expected at a time."""

    at_s: float
    """After the start."""
    objective: str
    where: str
    expectations: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A maintenance, or a change of our own (then `end_s` equals `start_s`)."""

    start_s: float
    end_s: float
    maintenance: bool
    region: str


@dataclass(slots=True)
class Script:
    """A whole script."""

    objectives: dict[str, Objective] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    start: Timestamp = START


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    column: int


class _Wrong(Exception):
    """A line that is wrong, at a column."""

    def __init__(self, column: int, words: str) -> None:
        super().__init__(words)
        self.column = column


def parse_script(text: str, name: str) -> Script:
    """Parse a script; `name` is its file's, for messages. Raises `ParseError` that tells all that is wrong."""
    parser = _Parser(name)
    for number, line in enumerate(text.splitlines()[: LINES_MAX + 1], 1):
        if number > LINES_MAX:
            raise ParseError(f"{name}:{number}:1: more than {LINES_MAX:,} lines")
        parser.line(number, line)
    parser.finish()
    return parser.script


class _Parser:
    """Line by line; the block that a line belongs to is the last head that stood at the margin."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.script = Script()
        self.errors: list[str] = []
        self.number = 0
        self._take: Callable[[list[_Word]], None] | None = None
        self._objective = ""
        self._cell_s = 60.0
        self._load_for: str = ""
        self._heads: dict[str, Callable[[list[_Word]], None]] = {
            "objective": self._head_objective,
            "start": self._head_start,
            "load": self._head_load,
            "at": self._head_at,
            "maintenance": self._head_maintenance,
            "change": self._head_change,
        }

    def line(self, number: int, line: str) -> None:
        self.number = number
        words = [_Word(found[0], found.start() + 1) for found in re.finditer(r"\S+", line.partition("#")[0])]
        if not words:
            return
        try:
            if line[0] not in " \t":
                self._head(words)
            else:
                (self._take or _astray)(words)
        except _Wrong as error:
            self._tell(error.column, str(error))

    def _head(self, words: list[_Word]) -> None:
        head = self._heads.get(words[0].text)
        self._take = None
        if head is None:
            raise _Wrong(1, f"no block is called {words[0].text!r}{_near(words[0].text, self._heads)}")
        head(words)

    def _tell(self, column: int, words: str, number: int | None = None) -> None:
        self.errors.append(f"{self.name}:{number or self.number}:{column}: {words}")

    def finish(self) -> None:
        """Raise what is wrong, all at once."""
        if not self.script.objectives:
            self._tell(1, "the script has no objective", 1)
        if not self.script.moments:
            self._tell(1, "the script expects nothing; write `at 1h` and what is to be then", max(1, self.number))
        if self.errors:
            raise ParseError("\n".join(self.errors[:50]))

    # objective

    def _head_objective(self, words: list[_Word]) -> None:
        name = _one(words, "a name of the objective")
        if not _NAME.fullmatch(name.text):
            raise _Wrong(name.column, f"{name.text!r} is no name")
        if name.text in self.script.objectives:
            raise _Wrong(name.column, f"there is an objective {name.text!r} already")
        self.script.objectives[name.text] = Objective(name.text, "service", "routing_success", 0.999)
        self._objective = name.text
        self._take = self._key

    def _key(self, words: list[_Word]) -> None:
        key, value = words[0], _one(words, "one value")
        objective = self.script.objectives[self._objective]
        try:
            self.script.objectives[self._objective] = _with(objective, key, value)
        except ParseError as error:
            raise _Wrong(value.column, str(error)) from error

    # start, load

    def _head_start(self, words: list[_Word]) -> None:
        word = _one(words, "a time")
        try:
            moment = datetime.fromisoformat(word.text)
        except ValueError as error:
            raise _Wrong(word.column, f"{word.text!r} is no time; write 2026-11-02T00:00:00Z") from error
        if moment.tzinfo is None:
            raise _Wrong(word.column, f"{word.text} has no zone; write {word.text}Z")
        self.script.start = Timestamp(moment.timestamp())

    def _head_load(self, words: list[_Word]) -> None:
        if not 2 <= len(words) <= 3:
            raise _Wrong(words[0].column, "load needs the length of a cell: load 1m")
        self._cell_s = _span(words[1])
        if self._cell_s <= 0:
            raise _Wrong(words[1].column, "a cell lasts longer than nothing")
        self._load_for = self._known(words[2] if len(words) == 3 else None, words[0])
        self._take = self._series

    def _series(self, words: list[_Word]) -> None:
        found = _SERIES.fullmatch(words[0].text)
        if not found:
            message = f'{words[0].text!r} is no series; write good, bad or good{{region="eu"}}'
            raise _Wrong(words[0].column, message)
        values: list[float | None] = []
        for word in words[1:]:
            values += _values(word)
            if len(values) > VALUES_MAX:
                raise _Wrong(word.column, f"more than {VALUES_MAX:,} values")
        if not values:
            raise _Wrong(words[0].column, "the series has no values")
        self.script.loads.append(
            Load(self._load_for, self._cell_s, found[1] == "good", found[2] or "", tuple(values))
        )  # fmt: skip

    def _known(self, word: _Word | None, head: _Word) -> str:
        """Give the objective that a word names; the only one where none is named."""
        known = self.script.objectives
        if word is None:
            if len(known) != 1:
                raise _Wrong(head.column, f"of which objective? There are {', '.join(known) or 'none yet'}")
            return next(iter(known))
        if word.text not in known:
            raise _Wrong(word.column, f"there is no objective {word.text!r}{_near(word.text, known)}")
        return word.text

    # maintenance, change

    def _head_maintenance(self, words: list[_Word]) -> None:
        if not 3 <= len(words) <= 4:
            raise _Wrong(words[0].column, "maintenance needs a start and an end: maintenance 10m 40m eu")
        start_s, end_s = _span(words[1]), _span(words[2])
        if end_s <= start_s:
            raise _Wrong(words[2].column, "the end is not after the start")
        self.script.spans.append(Span(start_s, end_s, True, words[3].text if len(words) == 4 else ""))

    def _head_change(self, words: list[_Word]) -> None:
        if not 2 <= len(words) <= 3:
            raise _Wrong(words[0].column, "change needs a time: change 60m eu")
        at_s = _span(words[1])
        self.script.spans.append(Span(at_s, at_s, False, words[2].text if len(words) == 3 else ""))

    # at

    def _head_at(self, words: list[_Word]) -> None:
        if not 2 <= len(words) <= 3:
            raise _Wrong(words[0].column, "at needs a time after the start: at 65m")
        objective = self._known(words[2] if len(words) == 3 else None, words[0])
        self.script.moments.append(Moment(_span(words[1]), objective, f"{self.name}:{self.number}"))
        self._take = self._expect

    def _expect(self, words: list[_Word]) -> None:
        where = f"{self.name}:{self.number}:{words[0].column}"
        texts = [word.text for word in words]
        if texts[0] == "no":
            if texts != ["no", "alerts"]:
                raise _Wrong(words[0].column, "write `no alerts`")
            expectation = Expectation("no alerts", where)
        elif texts[0] in _EXPECTATIONS:
            expectation = _EXPECTATIONS[texts[0]](words, where)
        else:
            near = _near(texts[0], (*_EXPECTATIONS, "no"))
            raise _Wrong(words[0].column, f"nothing is expected by {texts[0]!r}{near}")
        moment = self.script.moments[-1]
        self.script.moments[-1] = replace(moment, expectations=(*moment.expectations, expectation))


def _astray(words: list[_Word]) -> None:
    raise _Wrong(words[0].column, "this line belongs to no block; objective, load or at stand at the margin")


def _with(objective: Objective, key: _Word, value: _Word) -> Objective:
    """Give the objective with one key set. Raises `ParseError` for the value, `_Wrong` for the key."""
    match key.text:
        case "service":
            return replace(objective, service=value.text)
        case "indicator":
            if value.text not in INDICATOR_NAMES:
                raise ParseError(f"there is no indicator {value.text!r}{_near(value.text, INDICATOR_NAMES)}")
            return replace(objective, indicator=value.text)
        case "target":
            target = parse_share(value.text)
            if not 0 < target < 1:
                raise ParseError(f"a target lies between 0 and 100%, both excluded, not at {value.text}")
            return replace(objective, target=target)
        case "window":
            return replace(objective, window=parse_window(value.text))
        case "by":
            if value.text != "region":
                raise ParseError(f"`by region` is meant, not by {value.text}")
            return replace(objective, by_region=True)
        case "minimum":
            if not value.text.isascii() or not value.text.isdigit():
                raise ParseError(f"{value.text!r} is no number of events")
            return replace(objective, minimum_events=float(value.text))
        case "maintenance":
            known = {each.value: each for each in Planned}
            if value.text not in known:
                raise ParseError(f"maintenance is {' or '.join(known)}, not {value.text}")
            return replace(objective, maintenance=known[value.text])
        case "convergence":
            return replace(objective, convergence_s=parse_span(value.text))
    raise _Wrong(key.column, f"an objective has no key {key.text!r}{_near(key.text, _KEYS)}")


_KEYS: Final = ("service", "indicator", "target", "window", "by", "minimum", "maintenance", "convergence")


def _alert(words: list[_Word], where: str) -> Expectation:
    if not 3 <= len(words) <= 4:
        raise _Wrong(words[0].column, "write `alert page 5m/1h eu`")
    severities = {each.value: each for each in Severity}
    if words[1].text not in severities:
        raise _Wrong(words[1].column, f"an alert is page or ticket, not {words[1].text!r}")
    rule = _rule(words[2])
    return Expectation("alert", where, _scope(words[3:]), severities[words[1].text], rule)


def _state(words: list[_Word], where: str) -> Expectation:
    """Read `state 5m/1h eu too few`."""
    if len(words) < 3:
        raise _Wrong(words[0].column, "write `state 5m/1h eu too few`")
    rule = _rule(words[1])
    named = {each.value: each for each in Firing}
    for first in (2, 3):
        words_of_state = " ".join(word.text for word in words[first:])
        if words_of_state in named:
            scope = words[2].text if first == 3 else GLOBAL
            return Expectation("state", where, scope, rule=rule, firing=named[words_of_state])
    raise _Wrong(words[2].column, f"a rule's state is {', '.join(named)}")


def _burn(words: list[_Word], where: str) -> Expectation:
    """Read `burn 1h eu >= 14.4` or `burn 1h = 2 +- 0.1`."""
    if len(words) < 4:
        raise _Wrong(words[0].column, "write `burn 1h eu >= 14.4`")
    comparison, value, within, rest = _compared(words)
    return Expectation(
        "burn", where, _scope(rest[2:]), comparison=comparison, value=value, within=within, span_s=_span(words[1])
    )  # fmt: skip


def _budget(words: list[_Word], where: str) -> Expectation:
    """Read `budget eu = 90% +- 1%`."""
    if len(words) < 3:
        raise _Wrong(words[0].column, "write `budget eu = 90% +- 1%`")
    comparison, value, within, rest = _compared(words)
    return Expectation("budget", where, _scope(rest[1:]), comparison=comparison, value=value, within=within)


_EXPECTATIONS: Final = MappingProxyType({"alert": _alert, "burn": _burn, "budget": _budget, "state": _state})


def _compared(words: list[_Word]) -> tuple[str, float, float, list[_Word]]:
    """Give comparison, value, tolerance, and the words before."""
    at = next((number for number, word in enumerate(words) if word.text in ("=", ">=", "<=")), None)
    if at is None or at + 1 >= len(words):
        raise _Wrong(words[0].column, "a comparison is missing: =, >= or <= and a value")
    rest = words[at + 2 :]
    if rest and (rest[0].text != "+-" or len(rest) != 2):
        raise _Wrong(rest[0].column, "after the value only `+- TOLERANCE` may follow")
    try:
        value = parse_share(words[at + 1].text)
        within = parse_share(rest[1].text) if rest else 0.0
    except ParseError as error:
        raise _Wrong(words[at + 1].column, str(error)) from error
    return words[at].text, value, within, words[:at]


def _rule(word: _Word) -> str:
    if word.text not in RULE_NAMES:
        near = _near(word.text, RULE_NAMES)
        raise _Wrong(word.column, f"no rule is called {word.text!r}{near}; there are {', '.join(RULE_NAMES)}")
    return word.text


def _scope(words: list[_Word]) -> str:
    if len(words) > 1:
        raise _Wrong(words[1].column, "one region, or none for all, is meant")
    return words[0].text if words else GLOBAL


def _values(word: _Word) -> list[float | None]:
    found = _VALUES.fullmatch(word.text)
    if not found:
        raise _Wrong(word.column, f"{word.text!r} is no value; write 5, 5x60, 0+1x10, _ or _x10")
    nothing, first, sign, step, times = found.groups()
    number = int(times) if times else 1
    if number > VALUES_MAX:
        raise _Wrong(word.column, f"more than {VALUES_MAX:,} values")
    if nothing:
        return [None] * number
    slope = (float(step) if sign == "+" else -float(step)) if step else 0.0
    values: list[float | None] = [float(first) + slope * each for each in range(number)]
    if values and values[-1] is not None and values[-1] < 0:
        raise _Wrong(word.column, f"{word.text} falls below 0, and events are counted from 0 on")
    return values


def _one(words: list[_Word], what: str) -> _Word:
    if len(words) != 2:
        raise _Wrong(words[0].column, f"after {words[0].text!r} {what} is needed")
    return words[1]


def _span(word: _Word) -> float:
    try:
        return parse_span(word.text)
    except ParseError as error:
        raise _Wrong(word.column, str(error)) from error


def _near(word: str, known: object) -> str:
    near = get_close_matches(word, list(known), n=1)  # type: ignore[call-overload]
    return f"; did you mean {near[0]!r}?" if near else ""
