"""Which PoPs are missed: what is so of each, from what its agent says, or said before somebody else began to lead.

Theory of operation. A leadership begins without having heard anybody. A PoP that was not heard yet is not gone: its
agent may be on its way. For `GRACE_S` what was known of it stands; then it is missed. One that no leadership ever heard
is not missed at all: it is being built. One that has joined and said nothing yet is waited for, as long as it stays.

Where all PoPs are gone that were heard, it is the controller that is alone, which is one signal, until somebody speaks.
Then the others have the same grace to come back: they were never away, and would be a storm of pages. One that comes
back and leaves again is missed at once.

So a takeover changes nothing by itself: a property test has controllers follow each other while agents come back in any
order, and nothing begins or ends that did not before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.response.conditions import Levels, PoPSeen, alone, drain_prefix, drains_of, signals_of
from anycastle.response.openings import CONTROLLER_ALONE
from anycastle.response.signal import Cause, Signal

GRACE_S: Final = 15.0
"""How long agents may take to find a controller that begins to lead: they dial again within some seconds."""

_ALONE: Final = (CONTROLLER_ALONE, "", "", "")
"""The key of the signal that no PoP is heard."""


@dataclass(frozen=True, slots=True)
class AgentNow:
    """What this leadership knows of a PoP's agent."""

    connected: bool
    seen: PoPSeen | None
    """What it says; None where it has said nothing yet. The same object as long as it says the same."""


class Found(NamedTuple):
    """What is so at all PoPs."""

    signals: list[Signal]
    drains: list[Cause]


@dataclass(frozen=True, slots=True)
class _PoP:
    """What is so at one. `seen` is None where it is what was known before."""

    agent: AgentNow | None
    seen: PoPSeen | None
    signals: list[Signal]
    drains: list[Cause]


class Hearing:
    """One leadership's, from its begin on. `heard`: PoPs that any leadership heard."""

    def __init__(self, heard: Iterable[str], now: Timestamp, grace_s: float = GRACE_S) -> None:
        self.heard = frozenset(heard)
        """Grows with each PoP that is heard for the first time; whoever keeps it writes it down."""
        self._grace_s = grace_s
        self._grace_until = now + grace_s
        self._back_until = 0.0
        self._awaited: frozenset[str] = frozenset()
        """PoPs that were gone when the controller was alone no more, and may come back until then."""
        self._known: dict[str, _PoP] = {}

    def look(self, pops: Iterable[str], agents: Mapping[str, AgentNow], levels: Levels, now: Timestamp) -> Found:
        """Give what fires at the PoPs of a fleet. `levels`: what fired and was known until now."""
        found = {pop: each for pop in pops if (each := self._of(pop, agents.get(pop), levels, now)) is not None}
        said = {pop: each.seen for pop, each in found.items() if each.seen is not None}
        was_alone = _ALONE in levels.signals
        if not any(seen.connected for seen in said.values()):
            if was_alone or (len(said) > 1 and len(said) == len(found)):
                return Found([alone(found)], _drains(found))
        elif was_alone:
            self._awaited = frozenset(pop for pop, seen in said.items() if not seen.connected)
            self._back_until = now + self._grace_s
        self._awaited = frozenset(pop for pop in self._awaited if now < self._back_until and _is_gone(found.get(pop)))
        here = [each for pop, each in found.items() if pop not in self._awaited]
        return Found([signal for each in here for signal in each.signals], _drains(found))

    def _of(self, pop: str, agent: AgentNow | None, levels: Levels, now: Timestamp) -> _PoP | None:
        """Give what is so of a PoP; None of one that no leadership ever heard."""
        known = self._known.get(pop)
        if agent is None:
            return self._unheard(pop, levels, now)
        if known is not None and known.agent is not None and _same(known.agent, agent):
            return known
        if agent.connected and agent.seen is None:
            return known or _before(pop, levels)
        seen = agent.seen if agent.connected and agent.seen is not None else PoPSeen(pop, connected=False)
        self.heard |= {pop}
        self._known[pop] = made = _PoP(agent, seen, signals_of(seen), drains_of(seen))
        return made

    def _unheard(self, pop: str, levels: Levels, now: Timestamp) -> _PoP | None:
        if pop not in self.heard:
            return None
        if now < self._grace_until:
            return _before(pop, levels)
        seen = PoPSeen(pop, connected=False)
        return _PoP(None, seen, signals_of(seen), [])


def _before(pop: str, levels: Levels) -> _PoP:
    """Give what was so of a PoP before it said anything."""
    signals = [each for each in levels.signals.values() if each.subject.pop == pop]
    drains = [each for name, each in levels.causes.items() if name.startswith(drain_prefix(pop))]
    return _PoP(None, None, signals, drains)


def _same(one: AgentNow, other: AgentNow) -> bool:
    return one.connected is other.connected and one.seen is other.seen


def _is_gone(pop: _PoP | None) -> bool:
    return pop is not None and pop.seen is not None and not pop.seen.connected


def _drains(found: Mapping[str, _PoP]) -> list[Cause]:
    return [cause for each in found.values() for cause in each.drains]
