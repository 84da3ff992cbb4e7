"""A fleet with controllers, on a virtual clock, under seeded faults.

To the faults of `fleet` come those of control: sessions break, and either side hears of it late; messages are lost,
doubled, overtaken; controllers crash, start from an old backup, or go on leading after another has taken the lead;
floors are raised and lowered. The engines are the real ones on both sides: `health.agent` and `rollout.permits`.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.commands import Command
from anycastle.health.permits import deal
from anycastle.health.state import AgentState
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.service import Floor, Service
from anycastle.rollout.permits import Grant, PermitCommand, PermitLedger
from tests.simulation.fleet import FleetSimulation, InvariantBroken, SimulatedPoP

HEARTBEAT_S = 10.0
"""How often an agent reports although nothing changed; less often where all is coarse."""

RECONNECT_S = 3.0
"""How soon an agent without a session tries again, on average."""


@dataclass
class SimulatedController:
    """One controller's process: what it knows is gone when it crashes."""

    term: int
    ledger: PermitLedger
    sessions: dict[str, int] = field(default_factory=dict)
    """PoP -> its session."""
    leads: bool = True
    """It holds the lock; one that goes on without it does not know."""
    alive: bool = True
    armed: float = FAR_FUTURE


@dataclass
class Link:
    """An agent's side of its session."""

    session: int = 0
    """The session that it speaks in, or is opening; 0 for none. What comes in another is void."""
    welcome: bool = False
    controller: SimulatedController | None = None
    sent: dict[str, PermitReport] = field(default_factory=dict)


class ControlledFleet(FleetSimulation):
    """Runs one seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.links = {name: Link() for name in self.pops}
        self.cut_off: set[str] = set()
        self.stored_term = 0
        """What the controllers' database says of the last term; an old backup says less."""
        self.controllers: list[SimulatedController] = []
        self.enforced = {service.name: service.floor for service in self.fleet.services}
        """The floor that permits are known to respect; one that was raised counts from when it was reached."""
        self._sessions = itertools.count(1)
        self.at(self.random.uniform(0, 20), self._start_controller)
        for name in self.pops:
            self.at(self.random.uniform(0, 5), lambda name=name: self._look_after(name))

    def _draw_service(self, number: int, names: tuple[str, ...]) -> Service:
        made = super()._draw_service(number, names)
        return replace(made, floor=self._draw_floor(len(names)))

    def _draw_floor(self, pops: int) -> Floor:
        return Floor(self.random.randint(1, pops), self.random.choice((0.0, self.random.uniform(0, pops))))

    # -- controllers ----------------------------------------------------------------------------------------------

    def _start_controller(self) -> None:
        """Take the lead, with a term of its own; whoever had it may be late to notice."""
        for other in self.controllers:
            other.leads = False
            self.at(self.random.uniform(1, 300), lambda other=other: self._stop_controller(other))
        self.stored_term += 1
        self.controllers = [other for other in self.controllers if other.alive]
        self.controllers.append(SimulatedController(self.stored_term, PermitLedger(self.fleet)))
        self._arm_controller(self.controllers[-1])

    def _stop_controller(self, controller: SimulatedController) -> None:
        controller.alive = controller.leads = False

    def _arm_controller(self, controller: SimulatedController) -> None:
        due = max(self.clock, controller.ledger.deadline)
        if due < controller.armed:
            controller.armed = due
            self.at(due - self.clock, lambda: self._wake_controller(controller, due))

    def _wake_controller(self, controller: SimulatedController, due: float) -> None:
        if controller.armed != due:
            return
        controller.armed = FAR_FUTURE
        if controller.alive:
            for command in controller.ledger.wake(Instant(self.clock)):
                self._command(controller, command)
            self._arm_controller(controller)

    def _command(self, controller: SimulatedController, command: PermitCommand) -> None:
        session = controller.sessions[command.pop]
        self._carry(command.pop, lambda: self._commanded(session, command))

    # -- the network between ----------------------------------------------------------------------------------------

    def _carry(self, pop: str, deliver: Callable[[], None]) -> None:
        """Bring a message over: late, sometimes twice, sometimes not at all."""
        if pop in self.cut_off or self.random.random() < 0.02:
            return
        slow = self.random.random() < 0.1
        self.at(self.random.uniform(0.001, 20.0 if slow else 0.2), deliver)
        if self.random.random() < 0.1:
            self.at(self.random.uniform(0.001, 60.0), deliver)

    def _end_session(self, pop: SimulatedPoP) -> None:
        """End the agent's side; the controller hears of it when its own timer runs out."""
        link = self.links[pop.name]
        controller, session = link.controller, link.session
        self.links[pop.name] = Link()
        if controller is not None:
            self.at(self.random.uniform(0.01, 60), lambda: self._session_ended(controller, pop.name, session))

    def _session_ended(self, controller: SimulatedController, pop: str, session: int) -> None:
        if controller.alive and controller.sessions.get(pop) == session:
            del controller.sessions[pop]
            controller.ledger.left(pop, Instant(self.clock))
            self._arm_controller(controller)

    # -- the agents' side -----------------------------------------------------------------------------------------

    def _look_after(self, name: str) -> None:
        """Open a session where there is none; say all again from time to time."""
        pop, link = self.pops[name], self.links[name]
        if pop.agent is not None and pop.agent.booted and not pop.frozen and not pop.stopping:
            if link.controller is not None and not link.controller.alive:
                self._end_session(pop)
            elif link.session == 0 or not link.welcome:
                self._open_session(pop)
            else:
                link.sent.clear()
                self._report(pop)
        heartbeat_s = 10 * HEARTBEAT_S if self.coarse else HEARTBEAT_S
        mean_s = heartbeat_s if self.links[name].welcome else RECONNECT_S
        self.at(self.random.uniform(0.5, 1.5) * mean_s, lambda: self._look_after(name))

    def _open_session(self, pop: SimulatedPoP) -> None:
        alive = [controller for controller in self.controllers if controller.alive]
        if not alive or pop.agent is None:
            return
        controller, session = self.random.choice(alive), next(self._sessions)
        self.links[pop.name] = Link(session, controller=controller)
        term = pop.agent.leader_term
        self._carry(pop.name, lambda: self._greeted(controller, pop, session, term))

    def _greeted(self, controller: SimulatedController, pop: SimulatedPoP, session: int, term: int) -> None:
        """A controller that hears of a higher term than its own was superseded, or knows less than it did."""
        if not controller.alive:
            return
        if term > controller.term and not controller.leads and self.random.random() < 0.5:
            self._stop_controller(controller)  # else it goes on, and the agent refuses it
            return
        if term > controller.term and controller.leads:
            self.counts["term raised"] += 1
            self._stop_controller(controller)
            self.stored_term = max(self.stored_term, term)
            self._start_controller()
            return
        self._carry(pop.name, lambda: self._welcomed(pop, session, controller.term))

    def _welcomed(self, pop: SimulatedPoP, session: int, term: int) -> None:
        link = self.links[pop.name]
        if pop.agent is None or pop.frozen or link.session != session or link.welcome:
            return
        met, commands = pop.agent.controller_met(term, self.now)
        if not met:
            self.counts["older controller refused"] += 1
            self._end_session(pop)
            return
        link.welcome = True
        self.perform(pop, commands)

    def _commanded(self, session: int, command: PermitCommand) -> None:
        pop = self.pops[command.pop]
        if pop.agent is None or self.links[pop.name].session != session:
            return
        if pop.frozen:
            self.at(1.0, lambda: self._commanded(session, command))
            return
        do = pop.agent.permit_granted if isinstance(command, Grant) else pop.agent.permit_revoked
        self.counts[type(command).__name__.lower()] += 1
        if pop.agent.services[command.service].permit.state is PermitState.NONE:
            pop.blameless_since.pop(command.service, None)  # until now it waited for others
        self.perform(pop, do(command.service, command.epoch, self.now))
        self._blame(pop)

    def perform(self, pop: SimulatedPoP, commands: list[Command]) -> None:
        super().perform(pop, commands)
        self._check_permits()
        self._report(pop)

    def _report(self, pop: SimulatedPoP) -> None:
        """Tell what has changed since it was told last."""
        link = self.links[pop.name]
        if pop.agent is None or not pop.agent.booted or not link.welcome:
            return
        news = [report for report in pop.agent.permit_reports() if link.sent.get(report.service) != report]
        if news:
            link.sent |= {report.service: report for report in news}
            controller, session = link.controller, link.session
            assert controller is not None
            self._carry(pop.name, lambda: self._reported(controller, pop.name, session, news))

    def _reported(self, controller: SimulatedController, pop: str, session: int, news: list[PermitReport]) -> None:
        known = controller.sessions.get(pop, 0)
        if not controller.alive or session < known:
            return
        hear = controller.ledger.joined if session > known else controller.ledger.reported
        controller.sessions[pop] = session
        hear(pop, news, Instant(self.clock))
        self._arm_controller(controller)

    def crash_agent(self, pop: SimulatedPoP) -> None:
        super().crash_agent(pop)
        self._end_session(pop)

    # -- faults ---------------------------------------------------------------------------------------------------

    def _schedule_faults(self) -> None:
        super()._schedule_faults()
        faults = (
            self._session_breaks, self._session_breaks, self._pop_cut_off, self._controller_crashes,
            self._controller_crashes, self._another_leads, self._backup_restored, self._floor_changes,
        )  # fmt: skip
        for _ in range(self.random.randint(3, 25)):
            fault = self.random.choice(faults)
            self.at(self.random.uniform(10, self.duration_s * 0.95), lambda fault=fault: self._inject(fault))

    def _session_breaks(self, pop: SimulatedPoP, _name: str) -> None:
        self._end_session(pop)

    def _pop_cut_off(self, pop: SimulatedPoP, _name: str) -> None:
        self.cut_off.add(pop.name)
        self._end_session(pop)
        self._lasting(1, 900, lambda: self.cut_off.discard(pop.name))

    def _controller_crashes(self, _pop: SimulatedPoP, _name: str) -> None:
        for controller in self.controllers:
            self._stop_controller(controller)
        self.at(self.random.choice((0.1, 5.0, 300.0)), self._start_controller)

    def _another_leads(self, _pop: SimulatedPoP, _name: str) -> None:
        """The lock is lost without the leader's knowledge: two act for a while, and agents go to and fro."""
        self._start_controller()
        for _ in range(self.random.randint(0, 6 * len(self.pops))):
            pop = self.random.choice(list(self.pops.values()))
            self.at(self.random.uniform(0, 200), lambda pop=pop: self._end_session(pop))

    def _backup_restored(self, pop: SimulatedPoP, name: str) -> None:
        self.stored_term = self.random.randint(0, self.stored_term)
        self._controller_crashes(pop, name)

    def _floor_changes(self, _pop: SimulatedPoP, name: str) -> None:
        if not all(self._saved(pop).leader_term for pop in self.pops.values()):
            return  # while files deal permits, floors may not change: agents read them at different moments
        floor = self._draw_floor(len(self.pops))
        services = tuple(replace(each, floor=floor) if each.name == name else each for each in self.fleet.services)
        self.fleet = replace(self.fleet, services=services)
        before = self.enforced[name]
        self.enforced[name] = Floor(min(before.pops, floor.pops), min(before.capacity, floor.capacity))
        for controller in self.controllers:
            if controller.alive:
                controller.ledger.change_fleet(self.fleet, Instant(self.clock))
                self._arm_controller(controller)

    def _heal(self) -> None:
        self.cut_off.clear()
        if not any(controller.leads and controller.alive for controller in self.controllers):
            self._start_controller()
        super()._heal()

    # -- invariants -----------------------------------------------------------------------------------------------

    def _saved(self, pop: SimulatedPoP) -> AgentState:
        return pop.disk.state or AgentState()

    def _stays(self, pop: SimulatedPoP, service: Service) -> bool:
        """Tell whether nothing was withdrawn, and neither the agent nor what it would find after a crash allows it."""
        if service.name in pop.withdrew:
            return False
        saved = self._saved(pop)
        known = saved.permits.get(service.name)
        if saved.leader_term == 0 and pop.name in deal(self.fleet, service):
            return False
        agent = pop.agent
        held = agent is not None and agent.services[service.name].permit.state is not PermitState.NONE
        return not held and (known is None or known.state is PermitState.NONE)

    def _capacities(self, names: list[str]) -> list[float]:
        return [self.fleet.pop(name).capacity for name in names]

    def _check_permits(self) -> None:
        """Whatever happens next, the PoPs that can not withdraw meet the floor."""
        for service in self.fleet.services:
            left = [pop.name for pop in self.pops.values() if self._stays(pop, service)]
            floor = self.enforced[service.name]
            if not floor.met_by(self._capacities(left)):
                raise InvariantBroken(f"only {left} are sure to keep {service.name}; its floor is {floor}")
            if service.floor.met_by(self._capacities(left)) and self._known_to_stand(service):
                self.enforced[service.name] = service.floor

    def _known_to_stand(self, service: Service) -> bool:
        """Tell whether a raised floor counts: once the leader relies on enough. A grant of before may be on its way."""
        alive = [controller for controller in self.controllers if controller.alive]
        leader = max(alive, key=lambda controller: controller.term, default=None)
        relied = leader.ledger.relied_on(service) if leader is not None else []
        return service.floor.met_by(self._capacities(relied))

    def _check_floor(self) -> None:
        for service in self.fleet.services:
            left = [pop.name for pop in self.pops.values() if service.name not in pop.withdrew]
            floor = self.enforced[service.name]
            if not floor.met_by(self._capacities(left)):
                raise InvariantBroken(f"{service.name} was left at {left} alone; its floor is {floor}")

    def _check_intent(self) -> None:
        """In peace there is one leader, it knows all permits, and has dealt all that the floor allows."""
        super()._check_intent()
        leader = next(each for each in self.controllers if each.leads and each.alive)
        for service in self.fleet.services:
            for pop in self.pops.values():
                known = leader.ledger.holding(service.name, pop.name)
                assert pop.agent is not None
                permit = pop.agent.services[service.name].permit
                if known is None or (known.reported.state, known.epoch) != (permit.state, permit.epoch):
                    raise InvariantBroken(f"{pop.name} has {permit} of {service.name}; the leader knows {known}")
            relied = leader.ledger.relied_on(service)
            for name in relied:
                rest = [other for other in relied if other != name]
                if service.floor.met_by(self._capacities(rest)):
                    raise InvariantBroken(f"{name} could have a permit of {service.name}; relied on are {relied}")


def simulate(seed: int) -> ControlledFleet:
    """Run one seed, and give the finished simulation. Raises `InvariantBroken`."""
    finished = ControlledFleet(seed)
    finished.run()
    return finished
