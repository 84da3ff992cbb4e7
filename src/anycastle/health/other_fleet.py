"""What another fleet would end at this PoP, and the permits that are wanted for it.

A controller's fleet that lacks permits is refused, and comes again. Meanwhile the permits are reported as wanted, so
that it finds them: the way back of a rollout leads nowhere but through.
"""

from collections.abc import Iterable

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.announcements import announcements_of
from anycastle.health.pop_services import PoPServices
from anycastle.model.announcement import Announcements
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.stance import Stance

WISH_S = 100.0
"""How long permits are wanted for an assignment that was refused for want of them: it comes again thrice meanwhile."""


def lacking_permits(services: PoPServices, wanted: Announcements, other: Fleet) -> list[str]:
    """Give the services that another fleet would end here, and that have no permit for it."""
    pop = other.pop(services.pop.name)
    serving = other.services_at(pop.name)
    stances = {service.name: Stance.ANNOUNCE for service in serving}
    possible = {route.prefix for route in announcements_of(other, pop, serving, stances, frozenset())}
    ended = {route.prefix for route in wanted} - possible
    return [
        name
        for name, state in services.by_name.items()
        if state.announced and state.permit.state is PermitState.NONE and ended.intersection(state.service.promised)
    ]


def require_permits(services: PoPServices, wanted: Announcements, other: Fleet, source: str) -> None:
    """Raise `MisuseError` where another fleet, which comes from `source`, would end what no permit allows to end."""
    lacking = lacking_permits(services, wanted, other)
    if lacking:
        names = ", ".join(lacking)
        raise MisuseError(
            f"{source} would withdraw {names} from {services.pop.name}, and no permit allows it: drain it first"
        )


class WishedPermits:
    """The services that an assignment would end, had they their permits; forgotten `WISH_S` later."""

    def __init__(self) -> None:
        self.services: frozenset[str] = frozenset()
        self.deadline: Instant = FAR_FUTURE

    def wish(self, services: Iterable[str], now: Instant) -> None:
        """Want these, and no others."""
        self.services = frozenset(services)
        self.deadline = after(now, WISH_S) if self.services else FAR_FUTURE

    def end(self) -> None:
        """Want none."""
        self.services, self.deadline = frozenset(), FAR_FUTURE
