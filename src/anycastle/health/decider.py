"""What the PoP does about what it learnt: services reconsider, permits are put to use and freed, an apply goes out.

The inputs and their commands are `agent`'s. Here is what they have in common: whatever was learnt, the services
concerned decide again, and what follows goes out in one order: the state that must be durable, the addresses, then
the routes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anycastle.base.ports import FAR_FUTURE, Instant, Now, Randomness
from anycastle.health.addresses import AddressKeeper, needed_addresses
from anycastle.health.announcements import Announcer
from anycastle.health.check_schedule import CheckSchedule
from anycastle.health.commands import Command, LeaseTerm, Record, RenewLeases, Save
from anycastle.health.found import take_at_boot, take_at_reload
from anycastle.health.heartbeat import Heartbeat
from anycastle.health.lease_terms import lease_terms
from anycastle.health.other_fleet import WishedPermits
from anycastle.health.permits import Permit, dealt_permit, files_deal, permit_at_start
from anycastle.health.pop_services import PoPServices
from anycastle.health.reconcile import Reconciler, RouterView
from anycastle.health.service import NOT_YET_KNOWN, ServiceState, carry_over, service_state
from anycastle.health.snapshot import permits_of_left, snapshot, with_uses_foreseen
from anycastle.health.stance import Decision
from anycastle.health.state import AgentState
from anycastle.health.state_keeper import StateKeeper
from anycastle.model.event import OperatorCommanded, PermitChanged, StanceChanged, WithdrawalRefused
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.stance import Stance

CLOCK_STEP_S = 1.0
"""How far the wall clock may run apart from the monotonic one between two heartbeats before it has been set."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the agent does what it does for ever."""

    reconcile_s: float = 1.0
    """Reading the router's exports, and trying again what it refused."""
    heartbeat_s: float = 1.0
    """Renewing the leases; more often where a lease is short."""


class Decider:
    """All that the agent knows of its PoP, and what it does about it."""

    def __init__(self, fleet: Fleet, pop: str, saved: AgentState, random: Randomness, now: Now, pace: Pace) -> None:
        self.booted = False
        self.alone = True
        """No controller is in reach."""
        self.leader_term = saved.leader_term
        """The highest term of a controller that was ever spoken with."""
        self.router = Reconciler(now.monotonic, pace.reconcile_s)
        self.schedule = CheckSchedule(now.monotonic)
        self.heartbeat = Heartbeat(now.monotonic, pace.heartbeat_s)
        self.addresses = AddressKeeper()
        self.disk = StateKeeper(saved)
        self.wishes = WishedPermits()
        self.reconsider_at: Instant = FAR_FUTURE
        """When a decision may change although nothing was learnt."""
        self._random = random
        self._wall_ahead_s = now.wall - now.monotonic
        self._install(fleet, pop, saved, now)

    def _install(self, fleet: Fleet, pop: str, saved: AgentState, now: Now) -> None:
        """Begin with a fleet's services at this PoP, from what was saved of them."""
        states = [
            service_state(
                service,
                permit_at_start(saved.permits.get(service.name, Permit()), fleet, pop, service, self.leader_term),
                saved,
                self._random,
                now,
            )
            for service in fleet.services_at(pop)
        ]
        self.services = PoPServices(fleet, fleet.pop(pop), states)
        self._left = permits_of_left(saved, self.services)
        self._announcer = Announcer(fleet, self.services.pop, [state.service for state in states])
        self.schedule.adopt(states)
        self.heartbeat.adopt(state.service.lease.duration_s for state in states)
        self._terms: tuple[LeaseTerm, ...] | None = None

    # -- beginning ------------------------------------------------------------------------------------------------

    def boot(self, view: RouterView, now: Now) -> list[Command]:
        """Begin from what the router is set to announce: that is what is announced, and nothing else is."""
        self.booted = True
        self.heartbeat.boot(now.monotonic)
        found = self.router.found(view)
        take_at_boot(self.services, view)
        self.router.changed(now.monotonic)
        return [*found, *self.settle_addresses(now.monotonic), *self.reconsider(self.services.states, now)]

    def thaw(self, instant: Instant) -> None:
        """Boot again where the leases were not renewed for so long that the watchdog may have ended them."""
        if not self.frozen(instant):
            return
        self.booted = False
        self.reconsider_at = FAR_FUTURE
        for state in self.services.states:
            state.decision = NOT_YET_KNOWN
        self.schedule.forget_verdicts(instant)
        self.router = self.router.successor(instant)

    def frozen(self, instant: Instant) -> bool:
        """Tell whether the watchdog may have acted since the agent last did anything."""
        return self.booted and self.heartbeat.lapsed(instant)

    def take_fleet(self, fleet: Fleet, now: Now) -> None:
        """Take a changed fleet: services that stay keep their verdicts, permits, drains and penalties."""
        before = self.services
        self._install(fleet, before.pop.name, self._snapshot(now), now)
        for name, state in self.services.by_name.items():
            if name in before.by_name:
                carry_over(before.by_name[name], state)
            if self.booted and not state.announced:
                take_at_reload(self.services, state, self.router.wanted, new=name not in before.by_name)

    # -- deciding -------------------------------------------------------------------------------------------------

    def look_at_clocks(self, now: Now) -> None:
        """Decide anew where the wall clock was set: drains end by it, and how long that lasts was reckoned before."""
        ahead_s = now.wall - now.monotonic
        if abs(ahead_s - self._wall_ahead_s) > CLOCK_STEP_S:
            self.reconsider_at = min(self.reconsider_at, now.monotonic)
        self._wall_ahead_s = ahead_s

    def decide(self, states: Iterable[ServiceState], now: Now) -> list[Command]:
        """Let services decide again, and apply what is due of it."""
        return [*self.reconsider(states, now), *self.apply_if_due(now)]

    def reconsider(self, states: Iterable[ServiceState], now: Now) -> list[Command]:
        """Let services decide again; a new stance makes an apply due."""
        if not self.booted:
            return []
        if now.monotonic >= self.reconsider_at:
            self.reconsider_at = FAR_FUTURE
            states = self.services.states
        commands: list[Command] = []
        for state in states:
            step = state.drain_step
            permit, when_alone = self.services.permit_for(state), self.services.when_alone(state)
            decision = state.reconsider(now, permit, when_alone, alone=self.alone)
            self.reconsider_at = min(self.reconsider_at, state.next_change(now))
            if state.drain_step is not step:
                self.schedule.ask_soon(state)
                commands.append(Record(state.drain_event()))
            if decision is not None:
                commands += self._decided(state, decision)
            if decision is not None or state.drain_step is not step:
                self.router.changed(now.monotonic)
        return commands

    def _decided(self, state: ServiceState, decision: Decision) -> Iterator[Command]:
        """Record a decision; one to withdraw puts the permits to use of all that go down with it."""
        name = state.service.name
        yield Record(StanceChanged(name, decision.stance.value, decision.reason, state.evidence()))
        if decision.refused:
            yield Record(WithdrawalRefused(name, decision.reason))
        if decision.stance is not Stance.WITHDRAW:
            return
        for other in self.services.tied(state):
            if other.permit.state is PermitState.HELD:
                other.permit = other.permit.used()
                yield Record(PermitChanged(other.service.name, "used", other.permit.epoch))

    def apply_if_due(self, now: Now) -> list[Command]:
        """Work out what is wanted, save what it stands on, and give the apply."""
        if not self.booted or not self.router.apply_due(now.monotonic):
            return []
        states = self.services.by_name
        stances = {name: state.decision.stance for name, state in states.items()}
        slow = frozenset(name for name, state in states.items() if state.starts_slowly(now.monotonic))
        wanted = self._announcer.wanted(stances, slow)
        self._terms = None
        addresses = self.settle_addresses(now.monotonic)
        return [
            *self.disk.save_what_is_acted_on(self._to_save(now)),
            *addresses,
            *self.router.apply(wanted, now.monotonic),
        ]

    def follow_operator(
        self, command: str, states: Sequence[ServiceState], owner: str, reason: str, now: Now
    ) -> list[Command]:
        """Follow an operator's command, which the services concerned have taken."""
        names = " ".join(state.service.name for state in states)
        event = OperatorCommanded(f"{command} {names}", owner, reason, granted=True)
        drains = [Record(state.drain_event()) for state in states]
        commands = self.reconsider(states, now)
        if self.booted:
            self.router.changed(now.monotonic)
        return [Record(event), *drains, *self.save(now), *commands, *self.apply_if_due(now)]

    # -- permits --------------------------------------------------------------------------------------------------

    def change_permit(self, state: ServiceState, change: str, permit: Permit, now: Now) -> list[Command]:
        """Give a service another permit; the services that it concerns decide with it."""
        if permit == state.permit:
            return []
        state.permit, self._terms = permit, None
        event = Record(PermitChanged(state.service.name, change, permit.epoch))
        # Another that waits for this permit, for a prefix that they share, decides with it.
        return [event, *self.save(now), *self.decide(self.services.tied(state), now)]

    def free_permits(self, now: Now) -> list[Command]:
        """Give back the permits of services that the router is seen to export again."""
        fleet, pop = self.services.fleet, self.services.pop.name
        exported = {route.prefix for route in self.router.exports}
        commands: list[Command] = []
        for name, state in self.services.by_name.items():
            if state.permit.state is not PermitState.USED or not exported.issuperset(state.service.prefixes):
                continue
            if all(other.announced for other in self.services.tied(state)):
                by_files = files_deal(fleet, self.leader_term)
                state.permit = dealt_permit(fleet, pop, state.service) if by_files else state.permit.freed()
                commands.append(Record(PermitChanged(name, "freed", state.permit.epoch)))
        self._terms = None if commands else self._terms
        return [*commands, *self.disk.save_what_is_acted_on(self._to_save(now))]

    def foresee(self, state: ServiceState, now: Now) -> None:
        """Take that a failure is being confirmed which would withdraw a service."""
        if self.services.would_use_permit(state):
            self.disk.foresee(now.monotonic)

    # -- what follows a decision: the disk, the addresses, the leases ---------------------------------------------

    def save(self, now: Now) -> list[Save]:
        """Give the command that makes the disk right, if it is not."""
        return self.disk.save(self._to_save(now))

    def _snapshot(self, now: Now) -> AgentState:
        return snapshot(self.services, self._left, self.leader_term, now)

    def _to_save(self, now: Now) -> AgentState:
        """Give the state for the disk: the permits that the failures being confirmed would use are used already."""
        failing = [state for state, tracker in self.schedule.trackers if tracker.may_withdraw]
        return with_uses_foreseen(self._snapshot(now), self.services, failing)

    def settle_addresses(self, instant: Instant) -> list[Command]:
        """Give the command that makes the loopback right, if it is not."""
        if not self.booted:
            return []
        return list(self.addresses.settle(needed_addresses(self.services.states, self.router.exports), instant))

    def renew_leases(self, instant: Instant) -> list[Command]:
        """Tell the watchdog that the agent lives, unless it cannot vouch yet for what is announced."""
        if not self.booted:
            return []
        self.heartbeat.beat(instant)
        if self.waits_to_vouch(instant):
            return []  # an agent that dies before its checks have spoken, again and again, vouches for nothing
        self.heartbeat.renew(instant)
        return [RenewLeases(self.current_terms())]

    def waits_to_vouch(self, instant: Instant) -> bool:
        """Tell whether the leases of before the boot run on still."""
        return self.heartbeat.waits_for_checks(instant) and self.services.any_pending

    def current_terms(self) -> tuple[LeaseTerm, ...]:
        """Give what the watchdog is to hold; worked out once until a permit, or what is wanted, changes."""
        if self._terms is None:
            self._terms = lease_terms(self.services, self.router.wanted)
        return self._terms
