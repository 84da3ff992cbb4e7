"""What a row of a checklist is asked with, and what it says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.base.ports import Timestamp
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import Validity
from anycastle.rollout.finding import bounded
from anycastle.rollout.live import Live


class RowState(Enum):
    """What a row comes to. What is not known is not met."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, answered."""

    code: str
    title: str
    state: RowState
    wrong: tuple[str, ...]
    """What of that which was looked at is not as it should be, or what lacks."""
    good: tuple[str, ...] = ()
    advice: str = ""
    """What to do next; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All that rows look at. What is None was not given, and nothing is assumed of it."""

    fleet: Fleet
    now: Timestamp
    live: Live | None = None
    """What agents say."""
    validity: Mapping[Prefix, Validity] | None = None
    """Of all that the fleet announces, or may against a hijack."""
    heard_from: Mapping[str, frozenset[int]] | None = None
    """PoP -> the networks whose vantage points it answers."""
    rehearsed: Mapping[str, Timestamp] | None = None
    """Service -> when it was last drained from a PoP and came back, by the log."""
    runbooks: Mapping[str, Timestamp] | None = field(default=None)
    """Runbook -> when its file was last changed."""


def answered(code: str, title: str, good: Iterable[str], wrong: Iterable[str], advice: str) -> Row:
    """Give a row that is met where nothing is wrong."""
    bad = bounded(list(wrong))
    state = RowState.NOT_MET if bad else RowState.MET
    return Row(code, title, state, bad, bounded(list(good)), advice if bad else "")


def unknown(code: str, title: str, lacks: str, advice: str) -> Row:
    """Give a row of which nothing is known."""
    return Row(code, title, RowState.UNKNOWN, (lacks,), advice=advice)
