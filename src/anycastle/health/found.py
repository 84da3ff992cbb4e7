"""What is found announced when the agent begins or takes another fleet, and the decisions that explain it."""

from anycastle.health.announcements import announcements_of
from anycastle.health.pop_services import PoPServices
from anycastle.health.reconcile import RouterView
from anycastle.health.service import ServiceState
from anycastle.health.stance import Decision
from anycastle.model.announcement import Announcements
from anycastle.model.permit import PermitState
from anycastle.model.stance import Stance

_FOUND_ANNOUNCED = Decision(Stance.ANNOUNCE, "found announced")


def take_at_boot(services: PoPServices, view: RouterView) -> None:
    """Take what the router is set to announce for what is announced, and nothing else.

    A session that is down hides it from the exports; to take it away needs a permit all the same.
    """
    announced = {route.prefix for route in view.configured | view.exported}
    for state in services.states:
        if announced.intersection(state.service.prefixes):
            state.decision = _explained(services, state, view.configured)
            state.found_steered = state.decision.stance is Stance.STEER
        elif state.permit.state is PermitState.HELD:
            # Not announced is not announced, by whatever cause: the permit for it is spoken for.
            state.permit = state.permit.used()


def _explained(services: PoPServices, state: ServiceState, configured: Announcements) -> Decision:
    """Give the decision that explains what the router is set to announce for a service."""
    routes = {route for route in configured if route.prefix in state.service.prefixes}
    usual, steered = (
        announcements_of(services.fleet, services.pop, [state.service], {state.service.name: stance}, frozenset())
        for stance in (Stance.ANNOUNCE, Stance.STEER)
    )
    return Decision(Stance.STEER, "found steered") if routes == steered != usual else _FOUND_ANNOUNCED


def take_at_reload(services: PoPServices, state: ServiceState, wanted: Announcements, *, new: bool) -> None:
    """Take a service for announced, after a reload, where one of its prefixes is.

    Else the reload itself would withdraw the prefix from the others that share it, without a permit.
    """
    announced = {route.prefix for route in wanted}.intersection(state.service.prefixes)
    if announced and (new or announced & services.any_prefixes):
        state.decision = _FOUND_ANNOUNCED
    elif new and state.permit.state is PermitState.HELD:
        state.permit = state.permit.used()  # it is not announced yet, as at the boot
