"""Wanted against exported: tell the router, read back what it really does, and tell it again until the two agree.

One `Apply` is out at a time. The first change goes at once; those that follow within `BATCH_S` go together. What the
router exports is read once an apply is not followed by another, and every `interval_s`. A read that was under way
when an apply began is void. For `SETTLE_S` after an apply a difference only means that the router is at work;
afterwards it is recorded and applied again. What the router was told is compared as well as what it exports: a router
that restarted empty is told again before its first session is up, and so before its End-of-RIB takes what is missing
from the neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.commands import Apply, Command, ReadExports, Record
from anycastle.model.announcement import NOTHING, Announcement, Announcements
from anycastle.model.event import AnnouncementsApplied, AnnouncementsConfirmed, AnnouncementsFound, RouterDiverged
from anycastle.model.prefix import Family

BATCH_S = 0.005
"""Changes that follow another within this span are applied together: one reconfiguration of the router."""

LULL_S = 0.01
"""How long after an apply the reading that confirms it, and what else is in no hurry, leave the way to others."""

SETTLE_S = 0.25
"""How long a router may take to export what it was told, before a difference counts."""

SETTLING_READ_S = 0.02
"""How soon to read again while the router settles."""

EVENT_ROUTES_MAX = 20
"""Routes named in one event; the rest are counted."""


@dataclass(frozen=True, slots=True)
class RouterView:
    """What a router says of itself at one moment."""

    exported: Announcements
    """What its neighbours were sent, over the sessions that are up."""
    configured: Announcements
    """What it was told, and will export once all sessions are up."""
    established: frozenset[tuple[str, Family]]
    """The upstreams and families whose sessions are up."""


class Reconciler:
    """Holds what is wanted, what the router was told and what it exports."""

    def __init__(self, now: Instant, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self.wanted: Announcements = NOTHING
        self.exports: Announcements = NOTHING
        self.problem: str | None = None
        """What stands between wanted and exported; None while nothing does."""
        self.confirmed = False
        """The exports equalled what is wanted when they were last read."""
        self._told: Announcements | None = None
        self._recorded: Announcements = NOTHING
        self._applying = False
        self._reading = False
        self._void = False
        self._apply_at = FAR_FUTURE
        self._last_apply = Instant(-FAR_FUTURE)
        self._read_at = now
        self._read_by = now
        """When to read at the latest, however many applies follow each other."""

    @property
    def settled(self) -> bool:
        """The router was told all that is wanted, and exports nothing else."""
        return self.obeyed and not self._reading and self.exports <= self.wanted

    @property
    def obeyed(self) -> bool:
        """The router took all that is wanted, and nothing more is on its way to it."""
        return not self._applying and self._apply_at == FAR_FUTURE and self.wanted == self._told

    @property
    def deadline(self) -> Instant:
        """The instant at which an apply or a reading is due."""
        apply_at = FAR_FUTURE if self._applying else self._apply_at
        read_at = FAR_FUTURE if self._applying or self._reading else self._read_at
        return min(apply_at, read_at)

    def found(self, view: RouterView) -> list[Command]:
        """Take the first reading for what the router was told: a restart with nothing changed then sends nothing."""
        self.exports = view.exported
        self._told = self._recorded = view.configured
        return [Record(AnnouncementsFound(_named_routes(view.configured)))]

    def changed(self, now: Instant) -> None:
        """Note that what is wanted is about to change: an apply is due, at once or with the rest of its batch."""
        self._apply_at = min(self._apply_at, max(now, after(self._last_apply, BATCH_S)))

    def apply_due(self, now: Instant) -> bool:
        """Tell whether an apply may go out now."""
        return not self._applying and now >= self._apply_at

    def apply(self, wanted: Announcements, now: Instant) -> list[Command]:
        """Give the apply of `wanted`, or nothing where the router was told the same."""
        self.wanted = wanted
        self._apply_at = FAR_FUTURE
        if wanted == self._told:
            return []
        self._told, self._applying, self._last_apply = wanted, True, now
        self._void, self.confirmed = self._reading, False
        if wanted == self._recorded:
            return [Apply(wanted)]  # the same again, because the router lost or refused it: no news
        before, self._recorded = self._recorded, wanted
        return [Apply(wanted), Record(_applied_event(before, wanted))]

    def applied(self, error: str | None, now: Instant) -> list[Command]:
        """Take the end of an apply; one that failed is due again."""
        self._applying = False
        if error is None:
            self._read_at = max(now, min(after(now, LULL_S), self._read_by))
            return []
        self._told = None
        self._apply_at = after(now, self._interval_s)
        return self._diverged(error, (), ())

    def successor(self, now: Instant) -> "Reconciler":
        """Give one that knows nothing; answers that are still to come were asked for too long ago to be believed."""
        fresh = Reconciler(now, self._interval_s)
        fresh._applying, fresh._reading, fresh._void = self._applying, self._reading, self._reading
        return fresh

    def read_now(self, now: Instant) -> list[Command]:
        """Give a reading at once, unless one is under way."""
        self._read_at = now
        return self.read_if_due(now)

    def read_if_due(self, now: Instant) -> list[Command]:
        """Give the next reading of the exports when its time has come."""
        if self._applying or self._reading or now < self._read_at:
            return []
        self._reading = True
        self._read_at = self._read_by = after(now, self._interval_s)
        return [ReadExports()]

    def takes_reading(self) -> bool:
        """Note that a reading came, and tell whether it says how things stand; one that does not is to be repeated."""
        void, self._reading, self._void = self._void, False, False
        return not void

    def exports_read(self, view: RouterView, now: Instant) -> list[Command]:
        """Take a reading, and hold it against what is wanted, in the exports where a session could carry it."""
        self.exports = exports = view.exported
        if self._applying or self.wanted != self._told:
            return []
        expected = {route for route in self.wanted if (route.upstream, route.prefix.family) in view.established}
        missing = expected - exports | _absent(self.wanted, view.configured)
        unexpected = exports - self.wanted | _absent(view.configured, self.wanted)
        if not missing and not unexpected:
            return self._agreed()
        if now < self._last_apply + SETTLE_S:
            self._read_at = after(now, SETTLING_READ_S)
            return []
        self._told, self.confirmed = None, False
        self._apply_at = max(now, after(self._last_apply, self._interval_s))
        return self._diverged("the router exports something else than is wanted", missing, unexpected)

    def exports_unreadable(self, why: str) -> list[Command]:
        """Take that the router did not answer: nothing is known, so nothing is concluded but that."""
        self._reading = self._void = False
        return self._diverged(why, (), ())

    def _agreed(self) -> list[Command]:
        news = not self.confirmed
        self.problem, self.confirmed = None, True
        return [Record(AnnouncementsConfirmed(len(self.exports)))] if news else []

    def _diverged(
        self, problem: str, missing: Iterable[Announcement], unexpected: Iterable[Announcement]
    ) -> list[Command]:
        self.confirmed = False
        if problem == self.problem:
            return []
        self.problem = problem
        return [Record(RouterDiverged(problem, _named_routes(missing), _named_routes(unexpected)))]


def _absent(routes: Announcements, among: Announcements) -> set[Announcement]:
    """Give the routes whose prefix and upstream are not among others; attributes are for the exports to show."""
    keys = {(route.prefix, route.upstream) for route in among}
    return {route for route in routes if (route.prefix, route.upstream) not in keys}


def _applied_event(before: Announcements, wanted: Announcements) -> AnnouncementsApplied:
    fresh, gone = wanted - before, before - wanted
    keys_fresh = {(route.prefix, route.upstream) for route in fresh}
    keys_gone = {(route.prefix, route.upstream) for route in gone}
    return AnnouncementsApplied(
        announced=_named_routes(route for route in fresh if (route.prefix, route.upstream) not in keys_gone),
        changed=_named_routes(route for route in fresh if (route.prefix, route.upstream) in keys_gone),
        withdrawn=_named_routes(route for route in gone if (route.prefix, route.upstream) not in keys_fresh),
    )


def _named_routes(routes: Iterable[Announcement]) -> tuple[str, ...]:
    names = sorted(f"{route.prefix} {route.upstream}" for route in routes)
    more = len(names) - EVENT_ROUTES_MAX
    return (*names[:EVENT_ROUTES_MAX], f"and {more} more") if more > 0 else tuple(names)
