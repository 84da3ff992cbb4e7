"""The PoP agent's engine: answers of checks, the router's exports and operators' wishes in; commands out.

Theory of operation.
- *Boot.* Nothing is decided before the router's exports were read once: what it exports now is what is announced,
  whatever was true when the agent stopped. An exported service goes on being announced until its checks say otherwise
  (fail static); one that is not exported waits until its checks pass.
- *Deciding.* Each input lets the services concerned reconsider. A new stance makes an apply due; what is wanted is
  worked out once for all the changes of a batch. A withdrawal uses a permit, and `Save` precedes `Apply`.
- *Foreseeing.* A disk takes as long to take a permit's use as a router to withdraw. So while a failure is being
  confirmed, the use that it may lead to is saved in advance, and the withdrawal waits for no disk. Should the failure
  be refuted, the next reading of the exports saves the permit unused; a crash before then errs on the safe side.
- *Doubting.* Services that fail within a second of each other may share what failed: a host, a disk, a switch. So the
  checks of all others are hastened: each is asked after half its wait, and at its slot all the same, so at most twice
  in an interval (`doubt`, `verdict`).
- *Reconciling.* See `reconcile`. A permit is free again when the router is seen to export the service.
- *Leases.* Soon after an apply, and each `heartbeat_s`, the watchdog hears what is announced and what to do should it
  hear no more. A service whose withdrawal no permit allows is never to be withdrawn by the watchdog either.
- *Frozen.* When no lease was renewed for as long as one lasts, the watchdog may have acted and every verdict is stale:
  the engine boots again, and what it asked before is void.
- *Leaving.* `on_exit` decides what is withdrawn. What is held is a lease all the same: nobody checks it any more, so
  the watchdog ends it `hold_s` later, unless the lease says keep or another agent takes over. A withdrawal that the
  router did not confirm in time is left to the watchdog, which goes on trying.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Now, Randomness, Timestamp, after
from anycastle.health import drain as draining
from anycastle.health.addresses import AddressKeeper
from anycastle.health.announcements import Announcer, announcements_of
from anycastle.health.commands import Command, Finish, LeaseTerm, Record, RenewLeases, Save, StartCheck
from anycastle.health.doubt import Doubt
from anycastle.health.permits import Permit, deal
from anycastle.health.quorum import Condition
from anycastle.health.reconcile import LULL_S, Reconciler, RouterView
from anycastle.health.service import ServiceState, carry_over, service_state
from anycastle.health.stance import Decision
from anycastle.health.state import AgentState
from anycastle.health.state_keeper import StateKeeper
from anycastle.health.verdict import CheckTracker, Verdict
from anycastle.model.announcement import Announcement, Announcements
from anycastle.model.check import CheckResult, Severity
from anycastle.model.event import (
    CheckChanged,
    DrainChanged,
    OperatorCommanded,
    PermitChanged,
    StanceChanged,
    WithdrawalRefused,
)
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.prefix import Prefix
from anycastle.model.service import Lease, LeaseEnd, Service, WhenAlone
from anycastle.model.stance import DrainStep, Stance


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the agent does what it does for ever."""

    reconcile_s: float = 1.0
    """Reading the router's exports, and trying again what it refused."""
    heartbeat_s: float = 1.0
    """Renewing the leases; more often where a lease is short."""


HEARTBEATS_PER_LEASE = 4
"""Renewals that may be lost, or late, before the shortest lease lapses."""

SPEAKING_S = 4.0
"""How long after a boot the old leases run on, unless all checks have spoken before."""

LEFT_MAX = 1000
"""Services that left this PoP and whose permits' epochs are remembered, the last ones."""

DRAIN_STEP_MAX_S = 86_400.0
"""The longest soak or wait of a drain: a day."""

CLOCK_STEP_S = 1.0
"""How far the wall clock may run apart from the monotonic one between two heartbeats before it has been set."""

WISH_S = 100.0
"""How long permits are wanted for an assignment that was refused for want of them: it comes again thrice meanwhile."""

EXIT_S = 5.0
"""How long a stopping agent waits for the router to confirm its withdrawals."""

_AT_ONCE = Lease(LeaseEnd.WITHDRAW, 0.0)


class AgentEngine:
    """Decides for one PoP. Every method takes `now` and gives commands; `deadline` says when to call `wake`."""

    def __init__(
        self, fleet: Fleet, pop: str, saved: AgentState, random: Randomness, now: Now, pace: Pace = Pace()
    ) -> None:
        self.fleet = fleet
        self.pop = fleet.pop(pop)
        self.booted = False
        self.alone = True
        """No controller is in reach."""
        self.services: dict[str, ServiceState] = {}
        self.router = Reconciler(now.monotonic, pace.reconcile_s)
        self._addresses = AddressKeeper()
        self._pace = pace
        self._random = random
        self._trackers: list[tuple[ServiceState, CheckTracker]] = []
        self._first_number = 0
        self._due: list[tuple[Instant, int]] = []
        self._doubt = Doubt(now.monotonic)
        self._disk = StateKeeper(saved)
        self._leader_term = saved.leader_term
        self._left: dict[str, Permit] = {}
        """Services that are not here any more: their permits are spent, and a controller goes on from their epochs."""
        self._terms: tuple[LeaseTerm, ...] | None = None
        self._heartbeat_at = now.monotonic
        self._reconsider_at: Instant = FAR_FUTURE
        self._renewed = now.monotonic
        self._leaving_until: Instant | None = None
        self._finished = False
        self._wall_ahead_s = now.wall - now.monotonic
        self._wished: frozenset[str] = frozenset()
        """Services that an assignment would end, had they their permits."""
        self._wished_until: Instant = FAR_FUTURE
        self._vouching_from = now.monotonic
        self._install(saved, now)

    # -- inputs ---------------------------------------------------------------------------------------------------

    def wake(self, now: Now) -> list[Command]:
        """Do what is due: questions, reconsiderations, an apply, a reading, a heartbeat."""
        instant = now.monotonic
        self._thaw(instant)
        commands: list[Command] = list(self._questions(instant))
        if instant >= self._heartbeat_at:
            self._look_at_clocks(now)
        if instant >= self._reconsider_at:
            commands += self._reconsider(self.services.values(), now)
        if instant >= self._wished_until:
            self._wish(())
        if instant >= self._disk.deadline:
            commands += self._save(now)
        commands += self._apply_if_due(now)
        commands += self.router.read_if_due(instant)
        if instant >= self._heartbeat_at:
            commands += [*self._renew_leases(instant), *(self._save(now) if self._disk.owes_penalties else ())]
        if instant >= self._addresses.deadline:
            commands += self._settle_addresses(instant)
        return commands + self._finish_if_left(instant)

    def check_finished(self, number: int, result: CheckResult, now: Now) -> list[Command]:
        """Take the answer to a `StartCheck`. One that was asked before a reload is void."""
        index = number - self._first_number
        if index < 0:
            return []
        self._thaw(now.monotonic)
        state, tracker = self._trackers[index]
        changed = tracker.answered(result, now.monotonic)
        heapq.heappush(self._due, (tracker.due, index))
        if not changed:
            if tracker.may_withdraw and self._would_use_permit(state):
                self._disk.foresee(now.monotonic)
            return []
        failed = tracker.verdict is Verdict.UNHEALTHY and tracker.check.severity is Severity.HARD
        if failed and self._doubt.failed(state.service.name, now.monotonic):
            self._hasten_others(now.monotonic)
        verdict = CheckChanged(state.service.name, tracker.check.name, tracker.verdict.value, tracker.evidence)
        return [Record(verdict), *self._reconsider((state,), now), *self._apply_if_due(now)]

    def exports_read(self, view: RouterView, now: Now) -> list[Command]:
        """Take the answer to a `ReadExports`."""
        instant = now.monotonic
        self._thaw(instant)
        if not self.router.takes_reading():
            return self.router.read_now(instant)
        commands: list[Command] = []
        if not self.booted:
            commands += self._boot(view, now)
        commands += self.router.exports_read(view, instant)
        commands += self._free_permits(now)
        commands += self._apply_if_due(now)
        return [*commands, *self._settle_addresses(instant), *self._finish_if_left(instant)]

    def exports_unreadable(self, why: str) -> list[Command]:
        """Take that the router did not answer."""
        return self.router.exports_unreadable(why)

    def applied(self, error: str | None, now: Now) -> list[Command]:
        """Take the end of an `Apply`, with what went wrong."""
        self._thaw(now.monotonic)
        commands = self.router.applied(error, now.monotonic)
        self._heartbeat_at = min(after(now.monotonic, LULL_S), after(self._renewed, self._heartbeat_s))
        return [*commands, *self._apply_if_due(now), *self.router.read_if_due(now.monotonic)]

    def controller_met(self, term: int, now: Now) -> tuple[bool, list[Command]]:
        """Take a controller's term; tell whether it may be spoken with. One that was superseded may not.

        From the first on it is controllers that deal permits, and no longer the fleet's files.
        """
        self._thaw(now.monotonic)
        if term < self._leader_term or not self.booted:
            return False, []
        self._leader_term, self.alone = term, False
        return True, [*self._save(now)]

    def controller_lost(self, now: Now) -> list[Command]:
        """Take that the session with the controller ended."""
        self._thaw(now.monotonic)
        self.alone = True
        return [*self._reconsider(self.services.values(), now), *self._apply_if_due(now)]

    @property
    def leader_term(self) -> int:
        """The highest term of a controller that was ever spoken with."""
        return self._leader_term

    def permit_reports(self) -> tuple[PermitReport, ...]:
        """Give what a controller must know to deal permits."""
        exported = {route.prefix for route in self.router.exports}
        refused = (state.service.prefixes for state in self.services.values() if state.decision.refused)
        waited_for = self._any_prefixes.intersection(chain.from_iterable(refused))
        return tuple(
            PermitReport(
                name,
                state.permit.state,
                state.permit.epoch,
                exported=exported.issuperset(state.service.prefixes),
                wanted=state.decision.refused
                or not waited_for.isdisjoint(state.service.prefixes)
                or name in self._wished,
            )
            for name, state in self.services.items()
        )

    def permit_granted(self, service: str, epoch: int, now: Now) -> list[Command]:
        """Take a permit from the controller."""
        self._thaw(now.monotonic)
        return self._change_permit(service, "granted", self._state(service).permit.granted(epoch), now)

    def permit_revoked(self, service: str, epoch: int, now: Now) -> list[Command]:
        """Take a controller's wish to have a permit back; the next report says whether it was given up.

        It is not while it is in use, nor while the watchdog may be using it: before the agent knows what the router
        announces, and before it vouches for that.
        """
        self._thaw(now.monotonic)
        state = self._state(service)
        permit = state.permit.revoked(epoch)
        if not self.booted or self._waits_to_vouch(now.monotonic):
            permit = state.permit.kept(epoch)
        if permit.state is not PermitState.NONE:
            return self._change_permit(service, "kept", permit, now)
        commands = self._change_permit(service, "revoked", permit, now)
        return [*commands, *self._renew_leases(now.monotonic)] if commands else []

    def drain(
        self,
        services: Sequence[str],
        owner: str,
        reason: str,
        now: Now,
        *,
        soak_s: float = 5.0,
        wait_s: float = 5.0,
        expires: Timestamp | None = None,
    ) -> list[Command]:
        """Begin to drain services. Raises `MisuseError` for an unknown name or an empty list, and changes nothing."""
        states = self._named(services)
        if expires is not None and expires <= now.wall:
            raise MisuseError("the drain's end has already passed")
        if not (0 <= soak_s <= DRAIN_STEP_MAX_S and 0 <= wait_s <= DRAIN_STEP_MAX_S):
            raise MisuseError(f"soak and wait are from 0 to {DRAIN_STEP_MAX_S:.0f} seconds")
        self._thaw(now.monotonic)
        for state in states:
            begun = draining.begin(owner, reason, now.wall, soak_s, wait_s, expires)
            standing = state.drain
            # Drained again: it goes on from where it stands; a drained service is not announced for it.
            state.drain = begun if standing is None else replace(begun, step=standing.step, since=standing.since)
        return self._commanded("drain", services, owner, reason, states, now)

    def undrain(self, services: Sequence[str], owner: str, reason: str, now: Now) -> list[Command]:
        """End the drains of services. Raises `MisuseError` as `drain` does."""
        states = self._named(services)
        idle = [state.service.name for state in states if state.drain is None]
        if idle:
            raise MisuseError(f"{', '.join(idle)} is not drained")
        self._thaw(now.monotonic)
        for state in states:
            state.end_drain(now.monotonic)
            self._ask_soon(state)
        return self._commanded("undrain", services, owner, reason, states, now)

    def require_takeable(self, fleet: Fleet, now: Now) -> None:
        """Raise `MisuseError` where a controller's fleet may not be taken now: `reload` would refuse it.

        Before the boot as well: what it would end is not known then. The permits that it lacks are wanted for a while,
        so that it finds them when it comes again: the way back of a rollout leads nowhere but through.
        """
        self._thaw(now.monotonic)
        if not self.booted:
            raise MisuseError(f"the agent of {self.pop.name} does not know yet what its router announces")
        self._wish(self._lacking_permits(fleet), after(now.monotonic, WISH_S))
        self._require_permits(fleet, "the assignment")

    def reload(self, fleet: Fleet, now: Now) -> list[Command]:
        """Take a changed fleet: services that stay keep their verdicts, permits, drains and penalties.

        Raises `MisuseError`, and changes nothing, where it would end an announcement that no permit allows to end.
        """
        self._thaw(now.monotonic)
        self._require_permits(fleet, "the files")
        self._wish(())
        saved, before = self._snapshot(now), self.services
        self.fleet, self.pop = fleet, fleet.pop(self.pop.name)
        self._install(saved, now)
        for name, state in self.services.items():
            if name in before:
                carry_over(before[name], state)
            if self.booted and not state.announced:
                self._find_announced(state, new=name not in before)
        if not self.booted:
            return []
        self.router.changed(now.monotonic)
        return [*self._reconsider(self.services.values(), now), *self._apply_if_due(now)]

    def stop(self, now: Now) -> list[Command]:
        """Leave in good order: withdraw what `on_exit` says, confirm it, then finish."""
        self._thaw(now.monotonic)
        if self._leaving_until is None:
            self._leaving_until = after(now.monotonic, EXIT_S)
        for state in self.services.values():
            state.leaving = state.leaves_on_exit
        commands = self._reconsider(self.services.values(), now)
        return [*commands, *self._apply_if_due(now), *self.router.read_now(now.monotonic)]

    @property
    def deadline(self) -> Instant:
        """The instant at which `wake` has something to do."""
        if self._finished:
            return FAR_FUTURE
        due = self._due[0][0] if self._due else FAR_FUTURE
        leaving = FAR_FUTURE if self._leaving_until is None else self._leaving_until
        if not self.booted:
            return min(due, self.router.deadline, leaving)
        deciding = min(
            self._reconsider_at, self._disk.deadline, self._heartbeat_at, self._addresses.deadline, self._wished_until
        )
        return min(due, self.router.deadline, deciding, leaving)

    # -- checks and boot ------------------------------------------------------------------------------------------

    def _install(self, saved: AgentState, now: Now) -> None:
        self._first_number += len(self._trackers)
        self.services = {
            service.name: service_state(service, self._permit_at_start(saved, service), saved, self._random, now)
            for service in self.fleet.services_at(self.pop.name)
        }
        left = [
            (name, known.epoch) for name, known in saved.permits.items() if name not in self.services and known.epoch
        ]
        self._left = {name: Permit(epoch=epoch) for name, epoch in left[-LEFT_MAX:]}
        self._announcer = Announcer(self.fleet, self.pop, [state.service for state in self.services.values()])
        rules = self.fleet.shared_prefixes
        self._any_prefixes = frozenset(prefix for prefix, rule in rules.items() if rule is SharedPrefix.ANY)
        self._trackers = [(state, tracker) for state in self.services.values() for tracker in state.trackers]
        self._due = [(tracker.due, index) for index, (_, tracker) in enumerate(self._trackers)]
        heapq.heapify(self._due)
        leases = (state.service.lease.duration_s for state in self.services.values())
        self._shortest_lease_s = min(leases, default=FAR_FUTURE)
        self._heartbeat_s = min(self._pace.heartbeat_s, self._shortest_lease_s / HEARTBEATS_PER_LEASE)
        self._terms = None

    def _questions(self, instant: Instant) -> Iterator[Command]:
        while self._due and self._due[0][0] <= instant:
            index = heapq.heappop(self._due)[1]
            tracker = self._trackers[index][1]
            if tracker.due <= instant:  # else it was asked already, on an earlier entry
                tracker.asked()
                yield StartCheck(self._first_number + index, tracker.check)

    def _hasten_others(self, instant: Instant) -> None:
        for index, (_, tracker) in enumerate(self._trackers):
            if tracker.hasten(instant):
                heapq.heappush(self._due, (tracker.due, index))

    def _ask_soon(self, state: ServiceState) -> None:
        """Note anew when a service's checks are due; entries that stand for older times are passed over."""
        for index, (owner, tracker) in enumerate(self._trackers):
            if owner is state and tracker.due != FAR_FUTURE:
                heapq.heappush(self._due, (tracker.due, index))

    def _permit_at_start(self, saved: AgentState, service: Service) -> Permit:
        """Give the saved permit if controllers deal them; else what the fleet files deal, used if it was used."""
        known = saved.permits.get(service.name, Permit())
        if not self._files_deal or known.state is PermitState.USED:
            return known
        return self._dealt(service)

    @property
    def _files_deal(self) -> bool:
        """Whether the files deal permits: no controller was ever met, and none is named that would deal them."""
        return self._leader_term == 0 and self.fleet.controller is None

    def _dealt(self, service: Service) -> Permit:
        return Permit(PermitState.HELD if self.pop.name in deal(self.fleet, service) else PermitState.NONE)

    def _boot(self, view: RouterView, now: Now) -> list[Command]:
        """Begin from what the router is set to announce: that is what is announced, and nothing else is.

        A session that is down hides it from the exports; to take it away needs a permit all the same.
        """
        self.booted = True
        self._renewed = self._heartbeat_at = now.monotonic
        self._vouching_from = after(now.monotonic, min(SPEAKING_S, self._shortest_lease_s / 2))
        found = self.router.found(view)
        exported = {route.prefix for route in view.configured | view.exported}
        for state in self.services.values():
            if exported.intersection(state.service.prefixes):
                state.decision = self._found(state, view.configured)
                state.found_steered = state.decision.stance is Stance.STEER
            elif state.permit.state is PermitState.HELD:
                # Not announced is not announced, by whatever cause: the permit for it is spoken for.
                state.permit = state.permit.used()
        self.router.changed(now.monotonic)
        return [*found, *self._settle_addresses(now.monotonic), *self._reconsider(self.services.values(), now)]

    def _found(self, state: ServiceState, configured: Announcements) -> Decision:
        """Give the decision that explains what the router is set to announce for a service."""
        routes = {route for route in configured if route.prefix in state.service.prefixes}
        usual, steered = (
            announcements_of(self.fleet, self.pop, [state.service], {state.service.name: stance}, frozenset())
            for stance in (Stance.ANNOUNCE, Stance.STEER)
        )
        if routes == steered != usual:
            return Decision(Stance.STEER, "found steered")
        return Decision(Stance.ANNOUNCE, "found announced")

    def _find_announced(self, state: ServiceState, *, new: bool) -> None:
        """Take a service for announced, after a reload, where one of its prefixes is.

        Else the reload itself would withdraw the prefix from the others that share it, without a permit.
        """
        announced = {route.prefix for route in self.router.wanted}.intersection(state.service.prefixes)
        if announced and (new or announced & self._any_prefixes):
            state.decision = Decision(Stance.ANNOUNCE, "found announced")
        elif new and state.permit.state is PermitState.HELD:
            state.permit = state.permit.used()  # it is not announced yet, as at the boot

    def _require_permits(self, fleet: Fleet, source: str) -> None:
        lacking = self._lacking_permits(fleet)
        if lacking:
            names = ", ".join(lacking)
            raise MisuseError(
                f"{source} would withdraw {names} from {self.pop.name}, and no permit allows it: drain it first"
            )

    def _lacking_permits(self, fleet: Fleet) -> list[str]:
        """Give the services that another fleet would end here, and that have no permit for it."""
        pop = fleet.pop(self.pop.name)
        services = fleet.services_at(pop.name)
        stances = {service.name: Stance.ANNOUNCE for service in services}
        possible = {route.prefix for route in announcements_of(fleet, pop, services, stances, frozenset())}
        ended = {route.prefix for route in self.router.wanted} - possible
        return [
            name
            for name, state in self.services.items()
            if state.announced and state.permit.state is PermitState.NONE and ended.intersection(state.service.promised)
        ]

    def _wish(self, services: Iterable[str], until: Instant = FAR_FUTURE) -> None:
        self._wished = frozenset(services)
        self._wished_until = until if self._wished else FAR_FUTURE

    def _thaw(self, instant: Instant) -> None:
        """Boot again where the leases were not renewed for so long that the watchdog may have ended them."""
        if self.booted and instant - self._renewed > self._shortest_lease_s:
            self._boot_again(instant)

    def _look_at_clocks(self, now: Now) -> None:
        """Decide anew where the wall clock was set: drains end by it, and how long that lasts was reckoned before."""
        ahead_s = now.wall - now.monotonic
        if abs(ahead_s - self._wall_ahead_s) > CLOCK_STEP_S:
            self._reconsider_at = min(self._reconsider_at, now.monotonic)
        self._wall_ahead_s = ahead_s

    def _boot_again(self, instant: Instant) -> None:
        self.booted = False
        self._reconsider_at = FAR_FUTURE
        for state in self.services.values():
            state.decision = Decision(Stance.WITHDRAW, "not yet known to serve")
        for index, (_, tracker) in enumerate(self._trackers):
            tracker.reset(instant)
            heapq.heappush(self._due, (tracker.due, index))
        self.router = self.router.successor(instant)

    # -- deciding -------------------------------------------------------------------------------------------------

    def _reconsider(self, states: Iterable[ServiceState], now: Now) -> list[Command]:
        """Let services decide again; a new stance makes an apply due."""
        if not self.booted:
            return []
        if now.monotonic >= self._reconsider_at:
            self._reconsider_at = FAR_FUTURE
            states = self.services.values()
        commands: list[Command] = []
        for state in states:
            step = state.drain_step
            decision = state.reconsider(now, self._permit_for(state), self._when_alone(state), alone=self.alone)
            self._reconsider_at = min(self._reconsider_at, state.next_change(now))
            if state.drain_step is not step:
                self._ask_soon(state)
                commands.append(Record(_drain_event(state)))
            if decision is not None:
                commands += self._decided(state, decision)
            if decision is not None or state.drain_step is not step:
                self.router.changed(now.monotonic)
        return commands

    def _decided(self, state: ServiceState, decision: Decision) -> Iterator[Command]:
        name = state.service.name
        yield Record(StanceChanged(name, decision.stance.value, decision.reason, state.evidence()))
        if decision.refused:
            yield Record(WithdrawalRefused(name, decision.reason))
        if decision.stance is not Stance.WITHDRAW:
            return
        for other in self._tied(state):
            if other.permit.state is PermitState.HELD:
                other.permit = other.permit.used()
                yield Record(PermitChanged(other.service.name, "used", other.permit.epoch))

    def _tied(self, state: ServiceState) -> list[ServiceState]:
        """Give the services that go down with this one: itself, and those of a prefix that ANY of them withdraws."""
        tied = self._any_prefixes.intersection(state.service.prefixes) if self._any_prefixes else None
        if not tied:
            return [state]
        return [
            other for other in self.services.values() if other is state or tied.intersection(other.service.prefixes)
        ]

    def _permit_for(self, state: ServiceState) -> Permit:
        """Give the service's permit, or the lack of one among those that would go down with it."""
        lacking = (other.permit for other in self._tied(state) if other.permit.state is PermitState.NONE)
        return next(lacking, state.permit)

    def _when_alone(self, state: ServiceState) -> WhenAlone:
        """Give WITHDRAW only where each that would go down without a permit says so."""
        lacking = (other for other in self._tied(state) if other.permit.state is PermitState.NONE)
        allowed = all(other.service.when_alone is WhenAlone.WITHDRAW for other in lacking)
        return WhenAlone.WITHDRAW if allowed else WhenAlone.ANNOUNCE

    def _apply_if_due(self, now: Now) -> list[Command]:
        """Work out what is wanted, save what it stands on, and give the apply."""
        if not self.booted or not self.router.apply_due(now.monotonic):
            return []
        stances = {name: state.decision.stance for name, state in self.services.items()}
        slow = frozenset(name for name, state in self.services.items() if state.starts_slowly(now.monotonic))
        wanted = self._announcer.wanted(stances, slow)
        self._terms = None
        addresses = self._settle_addresses(now.monotonic)
        return [
            *self._disk.save_what_is_acted_on(self._to_save(now)),
            *addresses,
            *self.router.apply(wanted, now.monotonic),
        ]

    def _free_permits(self, now: Now) -> list[Command]:
        """Give back the permits of services that the router is seen to export again."""
        exported = {route.prefix for route in self.router.exports}
        commands: list[Command] = []
        for name, state in self.services.items():
            if state.permit.state is not PermitState.USED or not exported.issuperset(state.service.prefixes):
                continue
            if all(other.announced for other in self._tied(state)):
                state.permit = self._dealt(state.service) if self._files_deal else state.permit.freed()
                commands.append(Record(PermitChanged(name, "freed", state.permit.epoch)))
        self._terms = None if commands else self._terms
        return [*commands, *self._disk.save_what_is_acted_on(self._to_save(now))]

    def _snapshot(self, now: Now) -> AgentState:
        penalties = {name: state.saved_penalty(now) for name, state in self.services.items() if state.flap.value}
        return AgentState(
            permits={**self._left, **{name: state.permit for name, state in self.services.items()}},
            drains={name: state.drain for name, state in self.services.items() if state.drain is not None},
            penalties={name: penalty for name, penalty in penalties.items() if penalty is not None},
            leader_term=self._leader_term,
        )

    def _save(self, now: Now) -> list[Save]:
        return self._disk.save(self._to_save(now))

    def _would_use_permit(self, state: ServiceState) -> bool:
        return self.booted and state.announced and any(o.permit.state is PermitState.HELD for o in self._tied(state))

    def _to_save(self, now: Now) -> AgentState:
        """Give the state for the disk: the permits that the failures being confirmed would use are used already."""
        state = self._snapshot(now)
        foreseen = {
            tied.service.name: tied.permit.used()
            for service, tracker in self._trackers
            if tracker.may_withdraw and self._would_use_permit(service)
            for tied in self._tied(service)
            if tied.permit.state is PermitState.HELD
        }
        return replace(state, permits={**state.permits, **foreseen}) if foreseen else state

    # -- addresses, leases, leaving -------------------------------------------------------------------------------

    def _settle_addresses(self, instant: Instant) -> list[Command]:
        if not self.booted:
            return []
        exported = {route.prefix for route in self.router.exports}
        needed = (
            address
            for state in self.services.values()
            if state.service.manage_addresses and not _gone(state, exported)
            for address in state.service.addresses
        )
        return list(self._addresses.settle(frozenset(needed), instant))

    def _renew_leases(self, instant: Instant) -> list[Command]:
        if not self.booted:
            return []
        self._heartbeat_at = after(instant, self._heartbeat_s)
        if self._waits_to_vouch(instant):
            return []  # an agent that dies before its checks have spoken, again and again, vouches for nothing
        self._renewed, self._vouching_from = instant, instant
        return [RenewLeases(self._current_terms())]

    def _waits_to_vouch(self, instant: Instant) -> bool:
        pending = (state.condition is Condition.PENDING for state in self.services.values())
        return instant < self._vouching_from and any(pending)

    def _current_terms(self) -> tuple[LeaseTerm, ...]:
        if self._terms is None:
            by_prefix: dict[Prefix, list[Announcement]] = {}
            for route in self.router.wanted:
                by_prefix.setdefault(route.prefix, []).append(route)
            self._terms = tuple(self._lease_term(state, by_prefix) for state in self.services.values())
        return self._terms

    def _lease_term(self, state: ServiceState, by_prefix: dict[Prefix, list[Announcement]]) -> LeaseTerm:
        lease = state.service.lease
        if self._permit_for(state).state is PermitState.NONE:
            lease = Lease(LeaseEnd.KEEP, lease.duration_s, lease.hold_s)
        # What a withdrawn service shares is announced for the others: it is theirs to end or to keep.
        prefixes = state.service.prefixes if state.announced else ()
        routes = frozenset(route for prefix in prefixes for route in by_prefix.get(prefix, ()))
        return LeaseTerm(state.service.name, lease, routes)

    def _last_terms(self) -> Iterator[LeaseTerm]:
        """Give what the watchdog is to end once the agent has left."""
        for term in self._current_terms():
            lease, prefixes = term.lease, self.services[term.service].service.prefixes
            unconfirmed = {route for route in self.router.exports - self.router.wanted if route.prefix in prefixes}
            if term.announcements:
                end = LeaseEnd.KEEP if lease.end is LeaseEnd.KEEP else LeaseEnd.HOLD
                yield LeaseTerm(term.service, Lease(end, lease.duration_s, lease.hold_s), term.announcements)
            elif unconfirmed:
                yield LeaseTerm(term.service, _AT_ONCE, frozenset(unconfirmed))

    def _finish_if_left(self, instant: Instant) -> list[Command]:
        if self._leaving_until is None or self._finished:
            return []
        if instant < self._leaving_until and not (self.router.settled and not self._addresses.lingering):
            return []
        self._finished = True
        return [
            Finish(
                "the agent was stopped",
                hold=not self.booted or bool(self.router.wanted),
                terms=tuple(self._last_terms()),
            )
        ]

    # -- operators and controller ---------------------------------------------------------------------------------

    def _state(self, service: str) -> ServiceState:
        if service not in self.services:
            known = ", ".join(self.services) or "none"
            raise MisuseError(f"{self.pop.name} serves no service {service!r}; it serves: {known}")
        return self.services[service]

    def _named(self, services: Sequence[str]) -> list[ServiceState]:
        if not services:
            raise MisuseError("no service named; an empty list never means all")
        return [self._state(name) for name in services]

    def _commanded(
        self, command: str, services: Sequence[str], owner: str, reason: str, states: list[ServiceState], now: Now
    ) -> list[Command]:
        event = OperatorCommanded(f"{command} {' '.join(services)}", owner, reason, granted=True)
        drains = [Record(_drain_event(state)) for state in states]
        commands = self._reconsider(states, now)
        if self.booted:
            self.router.changed(now.monotonic)
        return [Record(event), *drains, *self._save(now), *commands, *self._apply_if_due(now)]

    def _change_permit(self, service: str, change: str, permit: Permit, now: Now) -> list[Command]:
        state = self._state(service)
        if permit == state.permit:
            return []
        state.permit, self._terms = permit, None
        event = Record(PermitChanged(service, change, permit.epoch))
        # Another that waits for this permit, for a prefix that they share, decides with it.
        return [event, *self._save(now), *self._reconsider(self._tied(state), now), *self._apply_if_due(now)]


def _gone(state: ServiceState, exported: set[Prefix]) -> bool:
    """Tell whether a service left for good, and no export of it is to be seen."""
    left = not state.announced and (state.drain_step is DrainStep.STOPPED or state.leaving)
    return left and not exported.intersection(state.service.prefixes)


def _drain_event(state: ServiceState) -> DrainChanged:
    drain, step = state.drain, state.drain_step.value
    return DrainChanged(
        state.service.name, step, drain.owner if drain else "", drain.reason if drain else "the drain ended"
    )
