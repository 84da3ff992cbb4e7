"""What must be true once the faults have ended: the state is the intent, or something says why it is not."""

from typing import TYPE_CHECKING

from anycastle.health.quorum import Condition
from anycastle.model.permit import PermitState
from anycastle.model.stance import Stance
from anycastle.rollout.rollout import RolloutState
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole.control import Leader
from tests.simulation.whole.drawing import WRONG
from tests.simulation.whole.place import Place

if TYPE_CHECKING:
    from tests.simulation.whole.simulation import WholeSimulation


def check_intent(simulation: "WholeSimulation") -> None:
    leader = simulation.newest_leader()
    if leader is None:
        raise InvariantBroken("nobody leads in peace")
    _check_rollouts(leader, simulation)
    for place in simulation.places.values():
        _check_place(place, leader, simulation)
    _check_permits(leader, simulation)
    simulation.guard.check_acknowledged(simulation.database.log)
    if leader.engine.kept.documents() != simulation.database.documents:
        raise InvariantBroken("what the controller goes by is not what is on disk")


def _check_rollouts(leader: Leader, simulation: "WholeSimulation") -> None:
    kept = leader.engine.kept
    for number, rollout in kept.rollouts.items():
        if rollout.ended:
            continue
        if rollout.state is RolloutState.ROLLING_BACK and _only_floors_hold(leader, simulation):
            simulation.counts["rollbacks that a floor holds in peace, with the reason"] += 1
            continue
        waits_for = kept.waits_for.get(number, "nothing that it says")
        raise InvariantBroken(f"rollout {number} is {rollout.state.value} for ever, and waits for {waits_for}")


def _only_floors_hold(leader: Leader, simulation: "WholeSimulation") -> bool:
    """Tell whether each PoP that is not where it is desired refuses that, for services whose floors spare no PoP."""
    desired, capacity = leader.engine.kept.desired, {pop.name: pop.capacity for pop in simulation.fleet.pops}
    floors = {each.name: each for each in leader.composer.in_force(desired).services}
    for place in simulation.places.values():
        wanted = leader.composer.digest(place.name, desired)
        if wanted is None or place.assignment == wanted:
            continue
        assert place.agent is not None
        held = [name for name in place.agent.services if f"{name} " in place.refusal or f"{name}," in place.refusal]
        for name in held:
            relied = leader.engine.ledger.relied_on(floors[name]) if name in floors else []
            rest = [capacity[other] for other in relied if other != place.name]
            if name not in floors or floors[name].floor.met_by(rest):
                return False
        if not held:
            return False
    return True


def _check_place(place: Place, leader: Leader, simulation: "WholeSimulation") -> None:
    agent, where = place.agent, place.name
    if agent is None or not agent.booted:
        raise InvariantBroken(f"{where}: no agent in peace")
    wanted = leader.composer.digest(where, leader.engine.kept.desired)
    if wanted is not None and place.assignment != wanted:
        if place.refusal:
            simulation.counts["assignments that agents refuse in peace, with the reason"] += 1
        else:
            raise InvariantBroken(f"{where} lives by {place.assignment}, desired is {wanted}, and nothing says why")
    if place.table != agent.router.wanted:
        raise InvariantBroken(f"{where}: told and wanted differ in peace")
    for name, state in agent.services.items():
        decision, permit = state.decision, state.permit.state
        wrong = any(tracker.check.name.startswith(WRONG) for tracker in state.trackers)
        if wrong and state.condition is Condition.DOWN:
            expected = Stance.STEER if permit is PermitState.NONE else Stance.WITHDRAW
            simulation.counts["services that a wrong check keeps down in peace"] += 1
            if decision.stance is Stance.WITHDRAW or (decision.stance is expected and decision.refused):
                continue
        if state.drain is not None and (state.drain.expires or 0.0) > place.now().wall:
            simulation.counts["drains in peace, by a controller's clock that was wrong"] += 1
            continue
        if decision.stance is not Stance.ANNOUNCE:
            raise InvariantBroken(f"{where} does not announce {name} as usual in peace: {decision}")
        routes = {route.prefix for route in agent.router.wanted}
        if permit is PermitState.USED and routes.issuperset(state.service.prefixes):
            raise InvariantBroken(f"{where} holds a used permit of {name} in peace")


def _check_permits(leader: Leader, simulation: "WholeSimulation") -> None:
    """One leader knows every permit, and has dealt all that the floor allows to those that want one."""
    ledger = leader.engine.ledger
    for place in simulation.places.values():
        assert place.agent is not None
        for report in place.permit_reports():
            if report.service not in place.agent.services:
                continue
            known = ledger.holding(report.service, place.name)
            # A command for a service that had left is answered by its epoch, and the service goes on from its own.
            if known is None or known.reported.state is not report.state or known.epoch < report.epoch:
                raise InvariantBroken(f"{place.name} has {report}; the leader knows {known}")
            if known.reported.exported != report.exported:
                raise InvariantBroken(f"{place.name} exports {report.service}: {report.exported}; the leader: {known}")
    capacity = {pop.name: pop.capacity for pop in simulation.fleet.pops}
    for service in leader.composer.in_force(leader.engine.kept.desired).services:
        relied = ledger.relied_on(service)
        for name in relied:
            holding = ledger.holding(service.name, name)
            rest = [capacity[other] for other in relied if other != name]
            if holding is not None and holding.reported.wanted and service.floor.met_by(rest):
                raise InvariantBroken(f"{name} wants a permit of {service.name} and could have it")
