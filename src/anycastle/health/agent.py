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

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Now, Randomness, Timestamp, after
from anycastle.health import drain as draining
from anycastle.health.commands import Command, Finish, Record
from anycastle.health.decider import Decider, Pace
from anycastle.health.lease_terms import last_terms
from anycastle.health.other_fleet import lacking_permits, require_permits
from anycastle.health.reconcile import Reconciler, RouterView
from anycastle.health.service import ServiceState
from anycastle.health.state import AgentState
from anycastle.model.check import CheckResult
from anycastle.model.event import CheckChanged
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.pop import PoP

DRAIN_STEP_MAX_S = 86_400.0
"""The longest soak or wait of a drain: a day."""

EXIT_S = 5.0
"""How long a stopping agent waits for the router to confirm its withdrawals."""


class AgentEngine:
    """Decides for one PoP. Every method takes `now` and gives commands; `deadline` says when to call `wake`."""

    def __init__(
        self, fleet: Fleet, pop: str, saved: AgentState, random: Randomness, now: Now, pace: Pace = Pace()
    ) -> None:
        self._decider = Decider(fleet, pop, saved, random, now, pace)
        self._leaving_until: Instant | None = None
        self._finished = False

    # -- what is known ----------------------------------------------------------------------------------------------

    @property
    def fleet(self) -> Fleet:
        """The fleet that the agent lives by."""
        return self._decider.services.fleet

    @property
    def pop(self) -> PoP:
        """The agent's PoP."""
        return self._decider.services.pop

    @property
    def services(self) -> dict[str, ServiceState]:
        """What is known of each service here, by its name."""
        return self._decider.services.by_name

    @property
    def router(self) -> Reconciler:
        """What is wanted of the router, what it was told, and what it exports."""
        return self._decider.router

    @property
    def booted(self) -> bool:
        """Whether it is known what the router announces; nothing is decided before."""
        return self._decider.booted

    @property
    def alone(self) -> bool:
        """Whether no controller is in reach."""
        return self._decider.alone

    @property
    def leader_term(self) -> int:
        """The highest term of a controller that was ever spoken with."""
        return self._decider.leader_term

    @property
    def deadline(self) -> Instant:
        """The instant at which `wake` has something to do."""
        if self._finished:
            return FAR_FUTURE
        decider = self._decider
        leaving = FAR_FUTURE if self._leaving_until is None else self._leaving_until
        due = min(decider.schedule.deadline, decider.router.deadline, leaving)
        if not decider.booted:
            return due
        return min(
            due,
            decider.reconsider_at,
            decider.disk.deadline,
            decider.heartbeat.due,
            decider.addresses.deadline,
            decider.wishes.deadline,
        )

    # -- time, checks, the router -----------------------------------------------------------------------------------

    def wake(self, now: Now) -> list[Command]:
        """Do what is due: questions, reconsiderations, an apply, a reading, a heartbeat."""
        decider, instant = self._decider, now.monotonic
        decider.thaw(instant)
        commands: list[Command] = list(decider.schedule.questions(instant))
        if instant >= decider.heartbeat.due:
            decider.look_at_clocks(now)
        if instant >= decider.reconsider_at:
            commands += decider.reconsider(decider.services.states, now)
        if instant >= decider.wishes.deadline:
            decider.wishes.end()
        if instant >= decider.disk.deadline:
            commands += decider.save(now)
        commands += decider.apply_if_due(now)
        commands += decider.router.read_if_due(instant)
        if instant >= decider.heartbeat.due:
            commands += decider.renew_leases(instant)
            commands += decider.save(now) if decider.disk.owes_penalties else ()
        if instant >= decider.addresses.deadline:
            commands += decider.settle_addresses(instant)
        return commands + self._finish_if_left(instant)

    def check_finished(self, number: int, result: CheckResult, now: Now) -> list[Command]:
        """Take the answer to a `StartCheck`. One that was asked before a reload is void."""
        decider = self._decider
        if not decider.schedule.known(number):
            return []
        decider.thaw(now.monotonic)
        state, tracker, changed = decider.schedule.answered(number, result, now.monotonic)
        if not changed:
            if tracker.may_withdraw:
                decider.foresee(state, now)
            return []
        decider.schedule.doubt_others(state, tracker, now.monotonic)
        verdict = CheckChanged(state.service.name, tracker.check.name, tracker.verdict.value, tracker.evidence)
        return [Record(verdict), *decider.decide((state,), now)]

    def exports_read(self, view: RouterView, now: Now) -> list[Command]:
        """Take the answer to a `ReadExports`."""
        decider, instant = self._decider, now.monotonic
        decider.thaw(instant)
        if not decider.router.takes_reading():
            return decider.router.read_now(instant)
        commands: list[Command] = []
        if not decider.booted:
            commands += decider.boot(view, now)
        commands += decider.router.exports_read(view, instant)
        commands += decider.free_permits(now)
        commands += decider.apply_if_due(now)
        return [*commands, *decider.settle_addresses(instant), *self._finish_if_left(instant)]

    def exports_unreadable(self, why: str) -> list[Command]:
        """Take that the router did not answer."""
        return self._decider.router.exports_unreadable(why)

    def applied(self, error: str | None, now: Now) -> list[Command]:
        """Take the end of an `Apply`, with what went wrong."""
        decider = self._decider
        decider.thaw(now.monotonic)
        commands = decider.router.applied(error, now.monotonic)
        decider.heartbeat.follow_apply(now.monotonic)
        return [*commands, *decider.apply_if_due(now), *decider.router.read_if_due(now.monotonic)]

    # -- a controller -----------------------------------------------------------------------------------------------

    def controller_met(self, term: int, now: Now) -> tuple[bool, list[Command]]:
        """Take a controller's term; tell whether it may be spoken with. One that was superseded may not.

        From the first on it is controllers that deal permits, and no longer the fleet's files.
        """
        decider = self._decider
        decider.thaw(now.monotonic)
        if term < decider.leader_term or not decider.booted:
            return False, []
        decider.leader_term, decider.alone = term, False
        return True, [*decider.save(now)]

    def controller_lost(self, now: Now) -> list[Command]:
        """Take that the session with the controller ended."""
        decider = self._decider
        decider.thaw(now.monotonic)
        decider.alone = True
        return decider.decide(decider.services.states, now)

    def permit_reports(self) -> tuple[PermitReport, ...]:
        """Give what a controller must know to deal permits."""
        services, wished = self._decider.services, self._decider.wishes.services
        exported = {route.prefix for route in self.router.exports}
        refused = (state.service.prefixes for state in services.states if state.decision.refused)
        waited_for = services.any_prefixes.intersection(chain.from_iterable(refused))
        return tuple(
            PermitReport(
                name,
                state.permit.state,
                state.permit.epoch,
                exported=exported.issuperset(state.service.prefixes),
                wanted=state.decision.refused or not waited_for.isdisjoint(state.service.prefixes) or name in wished,
            )
            for name, state in services.by_name.items()
        )

    def permit_granted(self, service: str, epoch: int, now: Now) -> list[Command]:
        """Take a permit from the controller."""
        decider = self._decider
        decider.thaw(now.monotonic)
        state = decider.services.state_of(service)
        return decider.change_permit(state, "granted", state.permit.granted(epoch), now)

    def permit_revoked(self, service: str, epoch: int, now: Now) -> list[Command]:
        """Take a controller's wish to have a permit back; the next report says whether it was given up.

        It is not while it is in use, nor while the watchdog may be using it: before the agent knows what the router
        announces, and before it vouches for that.
        """
        decider = self._decider
        decider.thaw(now.monotonic)
        state = decider.services.state_of(service)
        permit = state.permit.revoked(epoch)
        if not decider.booted or decider.waits_to_vouch(now.monotonic):
            permit = state.permit.kept(epoch)
        if permit.state is not PermitState.NONE:
            return decider.change_permit(state, "kept", permit, now)
        commands = decider.change_permit(state, "revoked", permit, now)
        return [*commands, *decider.renew_leases(now.monotonic)] if commands else []

    def want_permits(self, fleet: Fleet, now: Now) -> None:
        """Want the permits that a controller's fleet lacks, for a while: those that it lacks, and no others.

        To be called when such a fleet comes, before `require_takeable`: one that is refused comes again. Before the
        boot nothing is announced that it could end, and nothing is wanted.
        """
        decider = self._decider
        decider.thaw(now.monotonic)
        decider.wishes.wish(lacking_permits(decider.services, decider.router.wanted, fleet), now.monotonic)

    def require_takeable(self, fleet: Fleet, now: Now) -> None:
        """Raise `MisuseError` where a controller's fleet may not be taken now: `reload` would refuse it.

        Before the boot as well: what it would end is not known then.
        """
        decider = self._decider
        if not decider.booted or decider.frozen(now.monotonic):
            raise MisuseError(f"the agent of {self.pop.name} does not know yet what its router announces")
        require_permits(decider.services, decider.router.wanted, fleet, "the assignment")

    # -- operators --------------------------------------------------------------------------------------------------

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
        states = self._decider.services.named(services)
        if expires is not None and expires <= now.wall:
            raise MisuseError("the drain's end has already passed")
        if not (0 <= soak_s <= DRAIN_STEP_MAX_S and 0 <= wait_s <= DRAIN_STEP_MAX_S):
            raise MisuseError(f"soak and wait are from 0 to {DRAIN_STEP_MAX_S:.0f} seconds")
        self._decider.thaw(now.monotonic)
        for state in states:
            begun = draining.begin(owner, reason, now.wall, soak_s, wait_s, expires)
            standing = state.drain
            # Drained again: it goes on from where it stands; a drained service is not announced for it.
            state.drain = begun if standing is None else replace(begun, step=standing.step, since=standing.since)
        return self._decider.follow_operator("drain", states, owner, reason, now)

    def undrain(self, services: Sequence[str], owner: str, reason: str, now: Now) -> list[Command]:
        """End the drains of services. Raises `MisuseError` as `drain` does."""
        states = self._decider.services.named(services)
        idle = [state.service.name for state in states if state.drain is None]
        if idle:
            raise MisuseError(f"{', '.join(idle)} is not drained")
        self._decider.thaw(now.monotonic)
        for state in states:
            state.end_drain(now.monotonic)
            self._decider.schedule.ask_soon(state)
        return self._decider.follow_operator("undrain", states, owner, reason, now)

    def reload(self, fleet: Fleet, now: Now) -> list[Command]:
        """Take a changed fleet: services that stay keep their verdicts, permits, drains and penalties.

        Raises `MisuseError`, and changes nothing, where it would end an announcement that no permit allows to end.
        """
        decider = self._decider
        decider.thaw(now.monotonic)
        require_permits(decider.services, decider.router.wanted, fleet, "the files")
        decider.wishes.end()
        decider.take_fleet(fleet, now)
        if not decider.booted:
            return []
        decider.router.changed(now.monotonic)
        return decider.decide(decider.services.states, now)

    def stop(self, now: Now) -> list[Command]:
        """Leave in good order: withdraw what `on_exit` says, confirm it, then finish."""
        decider = self._decider
        decider.thaw(now.monotonic)
        if self._leaving_until is None:
            self._leaving_until = after(now.monotonic, EXIT_S)
        for state in decider.services.states:
            state.leaving = state.leaves_on_exit
        return [*decider.decide(decider.services.states, now), *decider.router.read_now(now.monotonic)]

    def _finish_if_left(self, instant: Instant) -> list[Command]:
        """Finish once what was to be withdrawn is withdrawn, or the time for it is over."""
        decider = self._decider
        if self._leaving_until is None or self._finished:
            return []
        if instant < self._leaving_until and not (decider.router.settled and not decider.addresses.lingering):
            return []
        self._finished = True
        terms = tuple(last_terms(decider.current_terms(), decider.services, decider.router))
        hold = not decider.booted or bool(decider.router.wanted)
        return [Finish("the agent was stopped", hold=hold, terms=terms)]
