"""Whether checks are right (M9): what an agent's checks said, beside what clients outside got of the same PoP.

Theory of operation. Time is cut into slots of a check's interval. A slot in which a probe outside was answered rightly
by the PoP is one in which the service served. What the check said then is looked up once both stories are told so far:
`SETTLE_S` after the slot. A slot in which the verdict changed counts for nothing: which came first is not known. What
nobody outside asked, or was answered by another PoP, has no truth, and is not counted.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import floor
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp

SETTLE_S: Final = 10.0
"""How much later than it happened a verdict or a result may be read."""

SLOTS_MAX: Final = 10_000
"""Slots of one PoP and service that wait."""

VERDICTS_MAX: Final = 1_000
"""Changes of one check that are remembered: hours of one that flaps every few seconds."""


@dataclass(frozen=True, slots=True)
class Served:
    """A PoP's service, and the probes' targets that show whether it serves."""

    pop: str
    service: str
    targets: frozenset[str]
    interval_s: float
    region: str = ""

    @property
    def key(self) -> str:
        """Name it."""
        return f"{self.pop} {self.service}"


class Slot(NamedTuple):
    """A slot in which the service served, and what a check said; None where it changed, or is not known."""

    served: Served
    check: str
    at: Timestamp
    said_up: bool | None


@dataclass(slots=True)
class Fidelity:
    """Puts verdicts and results together."""

    watched: tuple[Served, ...] = ()
    verdicts: dict[str, dict[str, list[tuple[float, bool]]]] = field(default_factory=dict)
    """PoP and service -> check -> (since when, up)."""
    waiting: dict[str, set[int]] = field(default_factory=dict)
    """PoP and service -> slots in which it served."""

    def said(self, pop: str, service: str, check: str, at: Timestamp, *, up: bool) -> None:
        """Note a verdict that changed."""
        changes = self.verdicts.setdefault(f"{pop} {service}", {}).setdefault(check, [])
        changes.append((at, up))
        del changes[:-VERDICTS_MAX]

    def answered(self, pop: str, target: str, at: Timestamp) -> None:
        """Note a probe that was answered rightly by a PoP."""
        for served in self.watched:
            if served.pop == pop and target in served.targets:
                slots = self.waiting.setdefault(served.key, set())
                if len(slots) < SLOTS_MAX:
                    slots.add(floor(at / served.interval_s))

    def settled(self, served: Served, now: Timestamp) -> Iterator[Slot]:
        """Give, once each, the slots of a PoP's service of which both stories are told."""
        waiting = self.waiting.get(served.key, set())
        ready = {slot for slot in waiting if (slot + 1) * served.interval_s < now - SETTLE_S}
        waiting -= ready
        for slot in sorted(ready):
            start = Timestamp(slot * served.interval_s)
            for check, changes in self.verdicts.get(served.key, {}).items():
                yield Slot(served, check, start, _said(changes, start, start + served.interval_s))


def _said(changes: list[tuple[float, bool]], start: float, end: float) -> bool | None:
    before = bisect_right(changes, (start, True))
    if before == 0 or bisect_right(changes, (end, True)) != before:
        return None
    return changes[before - 1][1]
