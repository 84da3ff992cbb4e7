"""The services of one PoP, by name, and which of them go down together.

Services may share a prefix. Where the fleet says that ANY of them withdraws it, the others go down with the one that
fails: then each of them must allow it.
"""

from collections.abc import Iterable, Sequence

from anycastle.base.errors import MisuseError
from anycastle.health.permits import Permit
from anycastle.health.quorum import Condition
from anycastle.health.service import ServiceState
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.permit import PermitState
from anycastle.model.pop import PoP
from anycastle.model.service import WhenAlone


class PoPServices:
    """What a fleet has a PoP serve. Made anew with each fleet."""

    def __init__(self, fleet: Fleet, pop: PoP, states: Iterable[ServiceState]) -> None:
        self.fleet = fleet
        self.pop = pop
        self.by_name = {state.service.name: state for state in states}
        rules = fleet.shared_prefixes
        self.any_prefixes = frozenset(prefix for prefix, rule in rules.items() if rule is SharedPrefix.ANY)
        """What any service that is down withdraws from all that share it."""

    @property
    def states(self) -> Iterable[ServiceState]:
        """All of them, in the fleet's order."""
        return self.by_name.values()

    def named(self, names: Sequence[str]) -> list[ServiceState]:
        """Give services by their names. Raises `MisuseError` for an unknown name or an empty list."""
        if not names:
            raise MisuseError("no service named; an empty list never means all")
        return [self.state_of(name) for name in names]

    def state_of(self, name: str) -> ServiceState:
        """Give a service by its name. Raises `MisuseError` for an unknown one."""
        if name not in self.by_name:
            known = ", ".join(self.by_name) or "none"
            raise MisuseError(f"{self.pop.name} serves no service {name!r}; it serves: {known}")
        return self.by_name[name]

    def tied(self, state: ServiceState) -> list[ServiceState]:
        """Give the services that go down with this one: itself, and those of a prefix that ANY of them withdraws."""
        tied = self.any_prefixes.intersection(state.service.prefixes) if self.any_prefixes else None
        if not tied:
            return [state]
        return [other for other in self.states if tied.intersection(other.service.prefixes)]

    def permit_for(self, state: ServiceState) -> Permit:
        """Give the service's permit, or the lack of one among those that would go down with it."""
        lacking = (other.permit for other in self.tied(state) if other.permit.state is PermitState.NONE)
        return next(lacking, state.permit)

    def when_alone(self, state: ServiceState) -> WhenAlone:
        """Give WITHDRAW only where each that would go down without a permit says so."""
        lacking = (other for other in self.tied(state) if other.permit.state is PermitState.NONE)
        allowed = all(other.service.when_alone is WhenAlone.WITHDRAW for other in lacking)
        return WhenAlone.WITHDRAW if allowed else WhenAlone.ANNOUNCE

    def would_use_permit(self, state: ServiceState) -> bool:
        """Tell whether withdrawing a service would put a permit to use."""
        return state.announced and any(other.permit.state is PermitState.HELD for other in self.tied(state))

    @property
    def any_pending(self) -> bool:
        """Whether the checks of some service have not decided yet."""
        return any(state.condition is Condition.PENDING for state in self.states)
