"""Gates: what must be true of each PoP of a step, and newly so, before a rollout goes on.

Theory of operation. A gate compares one indicator with a bound: `announced_share >= 100%`, or with what the indicator
was before the rollout: `sessions_up_share >= 1 x before`. It is asked of each PoP that the step touched, by a reading
that is newer than the step. One PoP that breaks it fails the gate, whatever is known of the others. Otherwise a PoP
without such a reading leaves it without data, and no data is not a pass: only all PoPs together can pass it.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from math import isfinite
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}
)

INDICATOR_PATTERN: Final = r"[a-z][a-z0-9_]{0,63}"
"""How an indicator may be called."""

_GATE: Final = re.compile(
    rf"\s*(?P<indicator>{INDICATOR_PATTERN})\s*(?P<comparison><=|>=|==|<|>)\s*(?P<number>\d+(?:\.\d+)?)"
    r"(?:(?P<percent>\s*%)|(?P<before>\s*x\s+before))?\s*",
    re.ASCII,
)

INDICATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "announced_share": "of the PoP's services that are not drained, the share that it announces",
        "healthy_checks_share": "of the PoP's checks, the share that passes",
        "sessions_up_share": "of the PoP's BGP sessions, the share that is established",
    }
)
"""What gates can ask for anywhere: what agents tell of their PoPs (`io.agent_sections`)."""

EXPRESSION_MAX: Final = 200
"""Characters of one gate: an indicator's name, a comparison and a number need a quarter of it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One comparison. `bound` is a plain number (99.9 % is 0.999), or a multiple of what was before."""

    indicator: str
    comparison: str
    """One of `<=`, `>=`, `<`, `>`, `==`."""
    bound: float
    of_before: bool = False

    def holds(self, value: float, before: float) -> bool:
        """Tell whether a value meets the bound."""
        return _COMPARISONS[self.comparison](value, self.bound * before if self.of_before else self.bound)

    def __str__(self) -> str:
        bound = f"{Decimal(repr(self.bound)):f}"
        return f"{self.indicator} {self.comparison} {bound}{' x before' if self.of_before else ''}"


def parse_gate(text: str) -> Gate:
    """Parse a gate, as `str` writes it or with a percentage. Raises `ParseError`."""
    found = _GATE.fullmatch(text) if len(text) <= EXPRESSION_MAX else None
    if found is None:
        shown = text if len(text) <= EXPRESSION_MAX else f"{text[:EXPRESSION_MAX]}…"
        raise ParseError(
            f"{shown!r} is no gate; write INDICATOR <=|>=|<|>|== NUMBER, then % or 'x before' where it is meant,"
            " such as 'announced_share >= 100%' or 'sessions_up_share >= 1 x before'"
        )
    number = Decimal(found["number"]) / (100 if found["percent"] else 1)  # a float would make 99.9 % of 0.99900…01
    return Gate(found["indicator"], found["comparison"], float(number), bool(found["before"]))


def unknown_indicator(gate: Gate, known: Collection[str] = INDICATORS.keys()) -> str | None:
    """Tell why nothing will ever be read for a gate; None where its indicator exists."""
    if gate.indicator in known:
        return None
    near = get_close_matches(gate.indicator, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no indicator {gate.indicator!r}{hint} (there are {', '.join(known)})"


def gate_to_ask(text: str, known: Collection[str] = INDICATORS.keys()) -> Gate:
    """Parse a gate of a new rollout: its indicator exists. Raises `ParseError`."""
    gate = parse_gate(text)
    problem = unknown_indicator(gate, known)
    if problem is not None:
        raise ParseError(problem)
    return gate


def gates_to_ask(texts: Iterable[str], known: Collection[str]) -> tuple[Gate, ...]:
    """Parse the gates of a new rollout. Raises `ParseError` with all that is wrong, a line each."""
    gates, wrong = [], []
    for text in texts:
        try:
            gates.append(gate_to_ask(text, known))
        except ParseError as error:
            wrong.append(str(error))
    if wrong:
        raise ParseError("\n".join(wrong))
    return tuple(gates)


@dataclass(frozen=True, slots=True)
class Reading:
    """An indicator's value at one PoP. One that is not finite, such as a rate of nothing, is no data."""

    value: float
    at: Timestamp
    """The end of the span that was measured."""
    before: float | None = None
    """The same before the rollout began; None where that is not known."""


class GateVerdict(Enum):
    """What a gate says of a step."""

    PASS = "pass"
    FAIL = "fail"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate says, and of which PoPs, each as a sentence: those that break it, or those without data."""

    gate: Gate
    verdict: GateVerdict
    evidence: tuple[str, ...] = ()


def judge(gate: Gate, pops: Collection[str], readings: Mapping[str, Reading], since: Timestamp) -> Judgement:
    """Ask a gate of the PoPs of a step, by readings (PoP -> newest) from after `since`. Of no PoP there is no data."""
    lacks = {pop: _lack(gate, readings.get(pop), since) for pop in sorted(pops)}
    known = {pop: readings[pop] for pop, lack in lacks.items() if lack is None}
    broken = [_broken(pop, gate, reading) for pop, reading in known.items() if not _holds(gate, reading)]
    if broken:
        return Judgement(gate, GateVerdict.FAIL, tuple(broken))
    if len(known) < len(lacks) or not lacks:
        told = tuple(f"{pop}: {lack}" for pop, lack in lacks.items() if lack is not None)
        return Judgement(gate, GateVerdict.NO_DATA, told or ("no PoP was asked",))
    return Judgement(gate, GateVerdict.PASS)


def _lack(gate: Gate, reading: Reading | None, since: Timestamp) -> str | None:
    """Give why a reading says nothing of the step; None where it does."""
    if reading is None:
        return f"no reading of {gate.indicator}"
    if reading.at <= since:
        return f"the last reading of {gate.indicator} is from before the step"
    if not isfinite(reading.value):
        return f"{gate.indicator} was measured on nothing"
    if gate.of_before and (reading.before is None or not isfinite(reading.before)):
        return f"what {gate.indicator} was before the rollout is not known"
    return None


def _holds(gate: Gate, reading: Reading) -> bool:
    return gate.holds(reading.value, reading.before or 0.0)


def _broken(pop: str, gate: Gate, reading: Reading) -> str:
    before = f", before {reading.before:g}" if gate.of_before else ""
    return f"{pop}: {gate.indicator} is {reading.value:g}{before}; wanted {gate}"
