"""What of the agent's services is to be known after a restart."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from anycastle.base.ports import Now
from anycastle.health.permits import Permit
from anycastle.health.pop_services import PoPServices
from anycastle.health.service import ServiceState
from anycastle.health.state import AgentState
from anycastle.model.permit import PermitState

LEFT_MAX = 1000
"""Services that left this PoP and whose permits' epochs are remembered, the last ones."""


def permits_of_left(saved: AgentState, services: PoPServices) -> dict[str, Permit]:
    """Give the spent permits of services that left: their epochs count, since a controller goes on from them."""
    left = [
        (name, known.epoch) for name, known in saved.permits.items() if name not in services.by_name and known.epoch
    ]
    return {name: Permit(epoch=epoch) for name, epoch in left[-LEFT_MAX:]}


def snapshot(services: PoPServices, left: Mapping[str, Permit], leader_term: int, now: Now) -> AgentState:
    """Give the state as it is."""
    states = services.by_name
    penalties = {name: state.saved_penalty(now) for name, state in states.items() if state.flap.value}
    return AgentState(
        permits={**left, **{name: state.permit for name, state in states.items()}},
        drains={name: state.drain for name, state in states.items() if state.drain is not None},
        penalties={name: penalty for name, penalty in penalties.items() if penalty is not None},
        leader_term=leader_term,
    )


def with_uses_foreseen(state: AgentState, services: PoPServices, failing: Iterable[ServiceState]) -> AgentState:
    """Give the state with the permits used that withdrawing `failing` would use."""
    foreseen = {
        tied.service.name: tied.permit.used()
        for service in failing
        if services.would_use_permit(service)
        for tied in services.tied(service)
        if tied.permit.state is PermitState.HELD
    }
    return replace(state, permits={**state.permits, **foreseen}) if foreseen else state
