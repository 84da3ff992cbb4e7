"""The watchdog's engine: announcements are leases, and a lease that nobody renews ends.

The agent renews with what it announces and, per service, what is to become of it. After `duration_s` without a word a
lease has lapsed: WITHDRAW ends it, HOLD ends it `hold_s` later, KEEP never does. An announcement that a service without
a lapsed lease makes as well stays. When the agent is heard again it is in charge again at once. An agent that stops in
good order leaves terms of another kind, which nobody renews (`AgentEngine.stop`).
"""

from dataclasses import dataclass

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.commands import LeaseTerm
from anycastle.model.announcement import NOTHING, Announcement, Announcements
from anycastle.model.prefix import Prefix
from anycastle.model.service import LeaseEnd


@dataclass(frozen=True, slots=True)
class Lapse:
    """A service whose announcements the watchdog ended, and how long the agent had been silent by then."""

    service: str
    silent_s: float


class LeaseKeeper:
    """Holds the terms, and says when and what to withdraw in the agent's place."""

    def __init__(self) -> None:
        self._terms: tuple[LeaseTerm, ...] = ()
        self._heard: Instant = FAR_FUTURE
        self._lapsed: frozenset[str] = frozenset()

    def renew(self, terms: tuple[LeaseTerm, ...], now: Instant) -> None:
        """Take new terms: the agent lives."""
        self._terms = terms
        self.alive(now)

    def alive(self, now: Instant) -> None:
        """Hear the agent; its terms stand as they were."""
        self._heard, self._lapsed = now, frozenset()

    @property
    def deadline(self) -> Instant:
        """The instant at which the next lease lapses; one of a service that announces nothing has nothing to end."""
        waiting = (term for term in self._terms if term.service not in self._lapsed and term.announcements)
        return min((self._end_of(term) for term in waiting), default=FAR_FUTURE)

    def wake(self, now: Instant) -> tuple[list[Lapse], Announcements]:
        """Give the leases that lapsed by `now`, and all that is to be announced after that."""
        fresh = [term for term in self._terms if term.service not in self._lapsed and self._end_of(term) <= now]
        self._lapsed |= {term.service for term in fresh}
        lapses = [Lapse(term.service, now - self._heard) for term in fresh if term.announcements]
        return lapses, self._standing()

    def remaining(self, table: Announcements) -> Announcements:
        """Give what is left of a router's table without the lapsed leases.

        A watchdog only takes away, and only what it was told of: what the agent withdrew since its last word does
        not come back, and what it announced since then stays.
        """
        standing = {_key(route) for route in self._standing()}
        lapsed = (term.announcements for term in self._terms if term.service in self._lapsed)
        ended = {_key(route) for route in NOTHING.union(*lapsed)} - standing
        return frozenset(route for route in table if _key(route) not in ended)

    def _standing(self) -> Announcements:
        terms = (term.announcements for term in self._terms if term.service not in self._lapsed)
        return NOTHING.union(*terms)

    def _end_of(self, term: LeaseTerm) -> Instant:
        lease = term.lease
        if lease.end is LeaseEnd.KEEP or self._heard == FAR_FUTURE:
            return FAR_FUTURE
        return after(self._heard, lease.duration_s + (lease.hold_s if lease.end is LeaseEnd.HOLD else 0.0))


def _key(route: Announcement) -> tuple[Prefix, str]:
    return route.prefix, route.upstream
