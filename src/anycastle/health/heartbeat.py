"""When the watchdog hears that the agent lives, and since when nobody told it.

Leases are renewed each `pace_s`, oftener where one is short. After a boot the agent waits until all checks have spoken
before it vouches for what is announced: one that dies before that, again and again, vouches for nothing.
"""

from collections.abc import Iterable

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.reconcile import LULL_S

HEARTBEATS_PER_LEASE = 4
"""Renewals that may be lost, or late, before the shortest lease lapses."""

SPEAKING_S = 4.0
"""How long after a boot the old leases run on, unless all checks have spoken before."""


class Heartbeat:
    """The time of the next renewal, of the last one, and from when on the agent vouches whatever checks say."""

    def __init__(self, now: Instant, pace_s: float) -> None:
        self.due = now
        self._pace_s = self._interval_s = pace_s
        self._shortest_lease_s = FAR_FUTURE
        self._renewed = now
        self._vouching_from = now

    def adopt(self, leases_s: Iterable[float]) -> None:
        """Take the durations of the leases that are renewed from now on."""
        self._shortest_lease_s = Instant(min(leases_s, default=FAR_FUTURE))
        self._interval_s = min(self._pace_s, self._shortest_lease_s / HEARTBEATS_PER_LEASE)

    def boot(self, now: Instant) -> None:
        """Begin: the next is due at once, and the old leases run on until the checks have spoken."""
        self._renewed = self.due = now
        self._vouching_from = after(now, min(SPEAKING_S, self._shortest_lease_s / 2))

    def follow_apply(self, now: Instant) -> None:
        """Have the watchdog hear soon what the router was told, and not before the router's next reading."""
        self.due = min(after(now, LULL_S), after(self._renewed, self._interval_s))

    def beat(self, now: Instant) -> None:
        """Note that one was due now: whether it vouches or not, the next is due an interval later."""
        self.due = after(now, self._interval_s)

    def renew(self, now: Instant) -> None:
        """Note that the leases are renewed; the agent has vouched for them."""
        self._renewed = self._vouching_from = now

    def waits_for_checks(self, now: Instant) -> bool:
        """Tell whether the agent does not vouch yet for what a service announces whose checks have not decided."""
        return now < self._vouching_from

    def lapsed(self, now: Instant) -> bool:
        """Tell whether leases were not renewed for so long that the watchdog may have ended one."""
        return now - self._renewed > self._shortest_lease_s
