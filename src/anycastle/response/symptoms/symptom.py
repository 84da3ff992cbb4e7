"""What a rule says of a case, and what is told of the symptom beside it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.response.evidence import Case, Source

EVIDENCE_MAX: Final = 8
"""Pieces of evidence that are shown of one symptom; the rest is a number."""


class State(Enum):
    """What a rule comes to."""

    LIKELY = "likely"
    """It is there, and what else would explain it was looked for and not found."""
    POSSIBLE = "possible"
    """It is there; something that would tell it from other causes is missing, or speaks against it."""
    NOT_SEEN = "not seen"
    """It was looked for with all that it takes, and is not there."""
    NOT_ENOUGH = "not enough evidence"
    """What it takes to tell was not given."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says."""

    state: State
    weight: float = 0.0
    """From 0 to 1, for the order: how much of what the cause predicts is seen. No probability."""
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What was not given and would tell more."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One of the twenty."""

    number: int
    name: str
    symptom: str
    cause: str
    fix: str
    confirm: str
    """What would show that the cause is right: a command, where there is one."""
    refute: str
    runbook: str
    """Name of a shipped one; empty where none fits."""
    rule: Callable[[Case], Judgement]


def lacking(case: Case, *sources: Source) -> tuple[str, ...]:
    """Give those of the sources that were not given, in words."""
    return tuple(source.value for source in sources if source not in case.given)


def not_enough(missing: Iterable[str]) -> Judgement:
    """Say that nothing can be said."""
    return Judgement(State.NOT_ENOUGH, missing=tuple(missing))


def seen(
    evidence: Iterable[object],
    *,
    predicted: Iterable[bool] = (),
    against: Iterable[object] = (),
    missing: Iterable[str] = (),
    scale: float = 1.0,
) -> Judgement:
    """Judge what a rule found. `predicted`: of further things that the cause would bring, whether each is there.

    Nothing found is *not seen*. What was found is *likely* where at least half of what was predicted is there (or
    nothing was), and nothing speaks against it; else *possible*. `scale` below 1: of what is no cause of tonight.
    """
    found, wrong, lacks = [str(each) for each in evidence], tuple(map(str, against)), tuple(missing)
    if not found:
        return Judgement(State.NOT_SEEN, missing=lacks, against=wrong)
    signs = list(predicted)
    share = sum(signs) / len(signs) if signs else 1.0
    weight = scale * (1.0 + 2.0 * share) / 3.0 / (1 + len(wrong))
    state = State.LIKELY if share >= 0.5 and not wrong else State.POSSIBLE
    more = len(found) - EVIDENCE_MAX
    shown = (*found[:EVIDENCE_MAX], *([f"and {more} more"] if more > 0 else []))
    return Judgement(state, round(weight, 3), shown, wrong, lacks)
