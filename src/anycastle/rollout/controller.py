"""The controller's engine: orders of people, news of agents, readings and time in; commits and assignments out.

Theory of operation. What is kept is `Kept`; each input changes it, `Commit` carries the parts that changed together
with the events that say why, and only then comes what agents are told. A controller that starts again from what was
kept tells each agent anew what is desired of it: that changes nothing where the agent lives by it already. What is
known of agents is what they said in their present sessions, and no more.

Rollouts advance one by one, in the order of their numbers, until none moves. Time within a state is the monotonic
clock's, and starts again with the controller: a bake may last longer for it, and never shorter.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Now, after
from anycastle.model.event import ApprovalGiven, Body, GateJudged, RolloutChanged
from anycastle.model.permit import PermitReport
from anycastle.rollout import standing
from anycastle.rollout.commands import Assign, Command, Commit, Tell
from anycastle.rollout.composer import Composer
from anycastle.rollout.desired import NOTHING_DESIRED, Desired, Unit
from anycastle.rollout.gates import INDICATORS, GateVerdict, Judgement, Reading, judge, unknown_indicator
from anycastle.rollout.kept import Kept, changed
from anycastle.rollout.orders import (
    Abort,
    Adopt,
    Approve,
    BreakGlass,
    Freeze,
    Order,
    OrderAgents,
    Pause,
    Promote,
    Resume,
    StartRollout,
    Thaw,
)
from anycastle.rollout.permits import PermitLedger
from anycastle.rollout.rollout import STEP_BACK_S, Rollout, RolloutState, Seen, advance, go_on, roll_back

ASSIGN_AGAIN_S: Final = 30.0
"""How soon what an agent refused is sent to it again."""

UNITS_MAX: Final = 1_000_000
"""Units of one rollout: 1,000 PoPs with 50 services of twenty routes each."""

ROLLOUTS_KEPT: Final = 200
"""Rollouts that have ended and are still kept to be looked at; the log has them all."""


@dataclass(slots=True)
class _Agent:
    """What an agent said in its present session."""

    digest: str | None
    unsettled: str | None
    """Why its router does not announce what the agent wants; None when it does."""
    refused: tuple[str, str] | None = None
    """The digest of what it refused, and why."""
    unanswered: str | None = None
    """The digest of what it was assigned last; None once it has answered that."""


class ControllerEngine:
    """Decides for the whole fleet. Every input takes `now` and gives commands; `deadline` says when to call `wake`."""

    def __init__(
        self, kept: Kept, composer: Composer, now: Now, indicators: Collection[str] = INDICATORS.keys()
    ) -> None:
        """`indicators`: what gates can ask for."""
        self.kept = kept
        self._composer = composer
        self._indicators = indicators
        self._agents: dict[str, _Agent] = {}
        self._readings: dict[str, dict[str, Reading]] = {}
        self._entered: dict[int, Instant] = dict.fromkeys(kept.rollouts, now.monotonic)
        self._judged: dict[tuple[int, str], GateVerdict] = {}
        self._before: dict[int, Mapping[str, Mapping[str, float]]] = {}
        """Rollout -> indicator -> PoP -> what it was when the rollout began; a new controller does not know it."""
        self._assign_again_at: dict[str, Instant] = {}
        self._touched: dict[int, frozenset[str]] = {}
        self._events: list[Body] = []
        self._stored = kept
        self._wanted: dict[str, str | None] = {}
        """PoP -> digest of its assignment, as far as it was asked for."""
        self._moved: set[str] = set()
        """PoPs of which something else is desired than what was committed last."""
        self._deadline = now.monotonic
        self.ledger = PermitLedger(composer.in_force(kept.desired))

    @property
    def asked_for(self) -> frozenset[str]:
        """The indicators that gates of open rollouts ask for."""
        return frozenset(gate.indicator for rollout in self._open() for gate in rollout.policy.gates)

    @property
    def deadline(self) -> Instant:
        """The instant at which `wake` has something to do."""
        return min(self._deadline, self.ledger.deadline, *self._assign_again_at.values(), FAR_FUTURE)

    # -- people -----------------------------------------------------------------------------------------------------

    def order(self, order: Order, who: str, now: Now) -> tuple[int, list[Command]]:
        """Take an order; give the number of the rollout or order that it made, or 0. Raises `MisuseError`."""
        match order:
            case StartRollout():
                number = self._start(order, who, now)
            case OrderAgents():
                self._stands(standing.order_agents(self.kept, order, who, now.wall, self._composer))
                number = self.kept.number
            case _:
                self._manage(order, who, now)
                number = 0
        return number, self._decide(now)

    def _manage(self, order: Order, who: str, now: Now) -> None:
        match order:
            case Adopt():
                self._stands(standing.adopt(self.kept, order, who, self._composer))
                self._wanted.clear()
                self._moved.update(self._composer.pops(self.kept.desired))
            case Approve("break-glass"):
                self._stands(standing.approve_glass(self.kept, who, now.wall))
                self._begin_anew(now)
            case Approve(subject):
                self._approve(subject, who)
            case Pause(number):
                self._change(replace(self._running(number), paused_by=who), now, who, "paused")
            case Resume(number):
                self._resume(number, who, now)
            case Promote(number):
                self._promote(number, who, now)
            case Abort(number, reason):
                self._abort(number, reason, who, now)
            case Freeze():
                self._stands(standing.freeze(self.kept, order, who, now.wall))
            case Thaw():
                self._stands(standing.thaw(self.kept, order, who))
                self._begin_anew(now)
            case BreakGlass():
                self._stands(standing.ask_for_glass(self.kept, order, who, now.wall))

    def _stands(self, ordered: tuple[Kept, Body]) -> None:
        self.kept, event = ordered
        self._events.append(event)

    def _begin_anew(self, now: Now) -> None:
        """Count the time of each state from now: while nothing might happen, nothing was late."""
        self._entered = dict.fromkeys(self._entered, now.monotonic)

    def _start(self, order: StartRollout, who: str, now: Now) -> int:
        units = [unit for step in order.steps for unit in step]
        if not units:
            raise MisuseError("this plan changes nothing: there is nothing to roll out")
        if len(units) > UNITS_MAX:
            raise MisuseError(f"{len(units)} units in one rollout, and {UNITS_MAX} are the most")
        if len(units) > len(set(units)):
            raise MisuseError("a unit stands in more than one step")
        if self.kept.desired.revision == NOTHING_DESIRED:
            raise MisuseError("nothing is desired yet: adopt the revision that the agents live by")
        if not self._composer.knows(order.revision):
            raise MisuseError(f"revision {order.revision} is not known here: upload its folder first")
        strangers = {unit.pop for unit in units} - set(self._composer.pops(self._desired_with(units, order.revision)))
        if strangers:
            raise MisuseError(f"no PoP is named {', '.join(sorted(strangers))} in this revision or in what is desired")
        unknown = [unknown_indicator(gate, self._indicators) for gate in order.policy.gates]
        for problem in filter(None, unknown):
            raise MisuseError(problem)
        number = self.kept.number + 1
        before = {unit: self.kept.desired.of(unit) for unit in units}
        steps = tuple(frozenset(step) for step in order.steps if step)
        rollout = Rollout(
            number, order.revision, steps, before, order.prefixes, who, order.reason, order.policy, order.marks,
            since=now.wall,
        )  # fmt: skip
        self.kept = replace(self.kept, number=number)
        self._change(rollout, now, who, order.reason)
        return number

    def _desired_with(self, units: Iterable[Unit], revision: str) -> Desired:
        return self.kept.desired.with_units(units, revision)

    def _running(self, number: int) -> Rollout:
        rollout = self.kept.rollouts.get(number)
        if rollout is None:
            raise MisuseError(f"there is no rollout {number}")
        if rollout.ended:
            raise MisuseError(f"rollout {number} has ended: it is {rollout.state.value}")
        return rollout

    def _resume(self, number: int, who: str, now: Now) -> None:
        rollout = self._running(number)
        if rollout.paused_by is None:
            raise MisuseError(f"rollout {number} is not paused")
        self._change(replace(rollout, paused_by=None, since=now.wall), now, who, "resumed", anew=True)

    def _promote(self, number: int, who: str, now: Now) -> None:
        rollout = self._running(number)
        self._require_no_freeze(now)
        if rollout.state is not RolloutState.BAKING:
            raise MisuseError(f"rollout {number} is {rollout.state.value}: only a step that bakes can be promoted")
        if rollout.step < len(rollout.steps):
            below = self._below_floor(rollout)
            if below is not None:
                raise MisuseError(below)
        self._change(replace(go_on(rollout, now), paused_by=None), now, who, "promoted by hand")

    def _abort(self, number: int, reason: str, who: str, now: Now) -> None:
        rollout = replace(self._running(number), paused_by=None)
        if rollout.step > 0:
            self._require_no_freeze(now)
        if rollout.state is RolloutState.ROLLING_BACK:
            raise MisuseError(f"rollout {number} is rolling back already")
        self._change(roll_back(rollout, f"aborted by {who}: {reason}", now), now, who, reason)

    def _approve(self, subject: str, who: str) -> None:
        kind, _, text = subject.partition("/")
        if kind != "rollout" or not text.isdecimal():
            raise MisuseError(f"{subject!r} is nothing to approve; write rollout/NUMBER or break-glass")
        rollout = self._running(int(text))
        if not rollout.marks or rollout.approved_by is not None:
            raise MisuseError(f"rollout {rollout.number} waits for no approval")
        if who == rollout.who:
            raise MisuseError(f"{who} began rollout {rollout.number}: a second person must approve it")
        self._put(replace(rollout, approved_by=who))
        self._events.append(ApprovalGiven(subject, who, rollout.reason))

    def _require_no_freeze(self, now: Now) -> None:
        held = self._held(now)
        if held is not None:
            raise MisuseError(f"{held}: thaw first, or break the glass")

    # -- agents -----------------------------------------------------------------------------------------------------

    def agent_joined(
        self, pop: str, digest: str | None, unsettled: str | None, permits: Iterable[PermitReport], now: Now
    ) -> list[Command]:
        """Take the first words of a session: by which assignment the PoP lives, whether its router is as it wants."""
        self._agents[pop] = _Agent(digest, unsettled)
        self.ledger.joined(pop, permits, now.monotonic)
        return [*self._decide(now), *self._told_at_joining(pop)]

    def agent_changed(self, pop: str, digest: str | None, unsettled: str | None, now: Now) -> list[Command]:
        """Take that a PoP lives by an assignment, and how its router stands."""
        agent = self._agents.get(pop)
        if agent is None or (agent.digest, agent.unsettled) == (digest, unsettled):
            return []
        agent.digest, agent.unsettled = digest, unsettled
        if digest == self._digest(pop):
            self._forget_refusal(pop)
        return [*self._decide(now), *self._told_anew(pop)]

    def agent_took(self, pop: str, digest: str, now: Now) -> list[Command]:
        """Take that a PoP's agent lives by an assignment; what it says of its router comes with `agent_changed`."""
        agent = self._agents.get(pop)
        if agent is None or agent.unanswered != digest:
            return []
        agent.unanswered = None
        return self._decide(now)

    def agent_refused(self, pop: str, digest: str, why: str, now: Now) -> list[Command]:
        """Take that a PoP's agent refused an assignment."""
        agent = self._agents.get(pop)
        if agent is None:
            return []
        if agent.unanswered == digest:
            agent.unanswered = None
        if digest != self._digest(pop):
            return []
        agent.refused = digest, why
        self._assign_again_at[pop] = after(now.monotonic, ASSIGN_AGAIN_S)
        return self._decide(now)

    def permits_reported(self, pop: str, permits: Iterable[PermitReport], now: Now) -> None:
        """Take what a PoP says of its permits; the ledger deals at its deadline."""
        if pop in self._agents:
            self.ledger.reported(pop, permits, now.monotonic)

    def agent_answered(self, number: int, pop: str, error: str | None, now: Now) -> list[Command]:
        """Take the answer to a `Tell`."""
        answer = standing.answered(self.kept, number, pop, error)
        if answer is None:
            return []
        self._stands(answer)
        return self._decide(now)

    def agent_left(self, pop: str, now: Now) -> list[Command]:
        """Take that a PoP's session ended."""
        self._agents.pop(pop, None)
        self._assign_again_at.pop(pop, None)
        for readings in self._readings.values():
            readings.pop(pop, None)  # what it said before it went says nothing of it now
        self.ledger.left(pop, now.monotonic)
        return self._decide(now)

    # -- readings and time --------------------------------------------------------------------------------------------

    def readings(self, indicator: str, readings: Mapping[str, Reading], now: Now) -> list[Command]:
        """Take an indicator's newest readings, PoP by PoP."""
        self._readings.setdefault(indicator, {}).update(readings)
        return self._decide(now)

    def wake(self, now: Now) -> list[Command]:
        """Do what is due."""
        commands: list[Command] = [*self._decide(now)]
        for pop in [pop for pop, at in self._assign_again_at.items() if at <= now.monotonic]:
            del self._assign_again_at[pop]
            if self._refusal(pop) is not None:
                self._assign_again_at[pop] = after(now.monotonic, ASSIGN_AGAIN_S)
                commands.append(self._assign(pop))
        return [*commands, *self.ledger.wake(now.monotonic)]

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _decide(self, now: Now) -> list[Command]:
        """Let all rollouts advance until none moves, and give what follows from all that changed."""
        moved = True
        while moved:
            moved = any(self._advance(rollout, now) for rollout in self._open())
        self._deadline = min((self._next(rollout, now) for rollout in self._open()), default=FAR_FUTURE)
        return list(self._commands(now))

    def _open(self) -> list[Rollout]:
        return [self.kept.rollouts[number] for number in sorted(self.kept.rollouts) if self._is_open(number)]

    def _is_open(self, number: int) -> bool:
        return not self.kept.rollouts[number].ended

    def _advance(self, rollout: Rollout, now: Now) -> bool:
        """Let one rollout advance by a state; tell whether it did."""
        later, waits_for = advance(rollout, self._seen(rollout, now))
        self._wait(rollout.number, waits_for)
        if later is rollout:
            return False
        self._change(later, now, "", later.why)
        return True

    def _wait(self, number: int, waits_for: str) -> None:
        if self.kept.waits_for.get(number, "") != waits_for:
            others = {each: text for each, text in self.kept.waits_for.items() if each != number}
            self.kept = replace(self.kept, waits_for={**others, number: waits_for} if waits_for else others)

    def _seen(self, rollout: Rollout, now: Now) -> Seen:
        touched = self._touched_by(rollout)
        waiting = rollout.state is RolloutState.WAITING
        conflict = self._conflict(rollout) if waiting else None
        lacking = {pop: why for pop in touched if (why := self._lack(pop)) is not None}
        refused = {pop: why for pop in touched if (why := self._refusal(pop)) is not None}
        return Seen(
            now,
            self._entered[rollout.number],
            held=self._held(now),
            blocked=conflict or self._below_floor(rollout),
            stale=self._stale(rollout) if waiting and conflict is None else None,
            lacking=lacking,
            refused=refused,
            judgements=self._judgements(rollout, now),
        )

    def _touched_by(self, rollout: Rollout) -> frozenset[str]:
        if rollout.number not in self._touched:
            self._touched[rollout.number] = frozenset(unit.pop for unit in rollout.units)
        return self._touched[rollout.number]

    def _held(self, now: Now) -> str | None:
        frozen, glass = self.kept.frozen, self.kept.glass
        if frozen is None or (glass is not None and glass.broken(now.wall)):
            return None
        return f"frozen by {frozen.who}: {frozen.reason}"

    def _conflict(self, rollout: Rollout) -> str | None:
        for other in self._open():
            first = other.state is not RolloutState.WAITING or (other.number < rollout.number and not other.unapproved)
            if other.number != rollout.number and first and other.prefixes & rollout.prefixes:
                return f"rollout {other.number}, which changes the same prefixes"
        return None

    def _stale(self, rollout: Rollout) -> str | None:
        """Tell why what was planned is not what there is to do any more."""
        others = self._composer.differing(self.kept.desired, rollout.revision, rollout.prefixes) - rollout.units
        if others:
            some = ", ".join(sorted(map(str, others))[:3])
            return f"what is desired changed since the plan was made ({some}): plan again"
        return None

    def _below_floor(self, rollout: Rollout) -> str | None:
        if rollout.state not in (RolloutState.WAITING, RolloutState.BAKING) or rollout.step >= len(rollout.steps):
            return None
        units = rollout.steps[rollout.step]
        return self._composer.below_floor(units, self._desired_with(units, rollout.revision))

    def _lives_by_another(self, pop: str) -> bool:
        wanted = self._digest(pop)
        return wanted is not None and self._agents[pop].digest != wanted

    def _may_come_to_another(self, pop: str) -> bool:
        """Tell whether something else than what is desired now is on its way to a PoP."""
        wanted, unanswered = self._digest(pop), self._agents[pop].unanswered
        return wanted is not None and unanswered is not None and unanswered != wanted

    def _lack(self, pop: str) -> str | None:
        """Tell why a PoP is not where it is desired."""
        agent = self._agents.get(pop)
        if agent is None:
            return "no session with its agent"
        if self._lives_by_another(pop):
            return "its agent lives by another assignment still"
        if agent.unanswered is not None:
            return "its agent has not answered what it was assigned"  # by what it takes meanwhile, nobody knows
        return agent.unsettled

    def _told_at_joining(self, pop: str) -> list[Command]:
        assigned: list[Command] = [self._assign(pop)] if self._lives_by_another(pop) else []
        orders = (order for order in self.kept.orders.values() if order.pop == pop and order.answer is None)
        return [*assigned, *map(Tell, orders)]

    def _told_anew(self, pop: str) -> list[Command]:
        """Assign again where a PoP came to live by what is not desired any more.

        What it lived by before may be desired again since, and then nothing was sent that would follow.
        """
        return [self._assign(pop)] if self._lives_by_another(pop) and self._refusal(pop) is None else []

    def _assign(self, pop: str) -> Assign:
        """Assign what is desired, and know it by its digest as it is now: the same can be written in other octets."""
        self._wanted.pop(pop, None)
        self._agents[pop].unanswered = self._digest(pop)
        return Assign(pop)

    def _forget_refusal(self, pop: str) -> None:
        self._assign_again_at.pop(pop, None)
        if pop in self._agents:
            self._agents[pop].refused = None

    def _refusal(self, pop: str) -> str | None:
        agent = self._agents.get(pop)
        if agent is None or agent.refused is None or agent.refused[0] != self._digest(pop):
            return None
        return agent.refused[1]

    def _judgements(self, rollout: Rollout, now: Now) -> list[Judgement]:
        if rollout.state is not RolloutState.BAKING:
            return []
        if self.kept.glass is not None and self.kept.glass.broken(now.wall):
            return []
        pops = rollout.pops_until(rollout.step)
        made = [
            judge(gate, pops, self._compared(rollout, gate.indicator), rollout.since) for gate in rollout.policy.gates
        ]
        for judged in made:
            self._tell_judgement(rollout, judged)
        return made

    def _compared(self, rollout: Rollout, indicator: str) -> Mapping[str, Reading]:
        """Give an indicator's readings with what it was before the rollout, unless they say so themselves."""
        before = self._before.get(rollout.number, {}).get(indicator, {})
        newest = self._readings.get(indicator, {})
        return {
            pop: replace(each, before=before.get(pop)) if each.before is None else each for pop, each in newest.items()
        }

    def _remember_before(self, number: int) -> None:
        self._before[number] = {
            indicator: {pop: each.value for pop, each in readings.items()}
            for indicator, readings in self._readings.items()
        }

    def _tell_judgement(self, rollout: Rollout, judged: Judgement) -> None:
        """Put a gate's verdict into the log when it is another than before."""
        key = rollout.number, str(judged.gate)
        if self._judged.get(key) is not judged.verdict:
            self._judged[key] = judged.verdict
            self._events.append(
                GateJudged(rollout.number, rollout.step, str(judged.gate), judged.verdict.value, judged.evidence)
            )

    def _next(self, rollout: Rollout, now: Now) -> Instant:
        """Give when a rollout may move although nothing is heard."""
        since, policy = self._entered[rollout.number], rollout.policy
        match rollout.state:
            case RolloutState.APPLYING:
                due = [policy.patience_s]
            case RolloutState.BAKING:
                due = [policy.bake_s, policy.bake_s + policy.patience_s]
            case RolloutState.ROLLING_BACK:
                due = [STEP_BACK_S]
            case _:
                due = []
        glass = self.kept.glass
        ends = [after(now.monotonic, glass.until - now.wall)] if glass is not None and glass.broken(now.wall) else []
        later = [instant for each in due if (instant := after(since, each)) > now.monotonic]
        return min([*later, *ends], default=FAR_FUTURE)

    # -- what is kept, and what follows -----------------------------------------------------------------------------

    def _put(self, rollout: Rollout) -> None:
        self.kept = replace(self.kept, rollouts={**self.kept.rollouts, rollout.number: rollout})

    def _change(self, rollout: Rollout, now: Now, who: str, reason: str, *, anew: bool = False) -> None:
        """Take a rollout in another state: desire what it desires, and say so."""
        before = self.kept.rollouts.get(rollout.number)
        if before is None or anew or (before.state, before.step) != (rollout.state, rollout.step):
            self._entered[rollout.number] = now.monotonic
            self._judged = {key: said for key, said in self._judged.items() if key[0] != rollout.number}
        if before is not None and before.step == 0 < rollout.step:
            desired = self.kept.desired  # what it goes back to is what it found when it began, not when it was ordered
            rollout = replace(rollout, before={unit: desired.of(unit) for unit in rollout.units})
            self._remember_before(rollout.number)
        if before is not None and before.step != rollout.step:
            self._desire(before, rollout)
        self._put(rollout)
        self._events.append(
            RolloutChanged(
                rollout.number, rollout.state.value, rollout.step, len(rollout.steps), rollout.paused_by is not None,
                who or rollout.who, reason,
            )
        )  # fmt: skip
        if rollout.ended:
            self._wait(rollout.number, "")
            self._collapse()

    def _desire(self, before: Rollout, rollout: Rollout) -> None:
        """Desire the units of the steps that were entered or taken back."""
        moved: dict[str, list[Unit]] = {}
        for number in range(before.step, rollout.step):
            moved.setdefault(rollout.revision, []).extend(rollout.steps[number])
        for number in range(rollout.step, before.step):
            for unit in rollout.steps[number]:
                moved.setdefault(rollout.before[unit], []).append(unit)
        desired = self.kept.desired
        for revision, units in moved.items():
            desired = desired.with_units(units, revision)
            self._moved.update(unit.pop for unit in units)
        self.kept = replace(self.kept, desired=desired)
        for pop in self._moved:
            self._wanted.pop(pop, None)
            self._forget_refusal(pop)  # what it is told now is another thing, or is to be tried anew

    def _collapse(self) -> None:
        """Once nothing is under way: desire one revision, if that is the same; and forget the oldest that ended."""
        desired = self.kept.desired
        if not self._open() and desired.exceptions:
            same = (each for each in sorted(desired.revisions) if not self._composer.differing(desired, each))
            one = next(same, None)
            if one is not None:
                self.kept = replace(self.kept, desired=Desired(one))
        ended = [number for number, rollout in sorted(self.kept.rollouts.items()) if rollout.ended]
        for number in ended[:-ROLLOUTS_KEPT]:
            self.kept = replace(self.kept, rollouts={n: r for n, r in self.kept.rollouts.items() if n != number})
            self._entered.pop(number, None)
            self._touched.pop(number, None)
            self._before.pop(number, None)

    def _digest(self, pop: str) -> str | None:
        if pop not in self._wanted:
            self._wanted[pop] = self._composer.digest(pop, self.kept.desired)
        return self._wanted[pop]

    def _commands(self, now: Now) -> Iterator[Command]:
        """Give what is to be durable, and after it what agents are to be told for it."""
        stored, self._stored = self._stored, self.kept
        events, self._events = self._events, []
        parts = changed(stored, self.kept) if self.kept is not stored else {}
        if parts or events:
            yield Commit(parts, events)
        if self.kept.desired is not stored.desired:
            self.ledger.change_fleet(self._composer.in_force(self.kept.desired), now.monotonic)
        moved, self._moved = self._moved, set()
        for pop in sorted(moved & self._agents.keys()):
            if self._lives_by_another(pop) or self._may_come_to_another(pop):
                yield self._assign(pop)
        for number, order in self.kept.orders.items():
            if number not in stored.orders and order.pop in self._agents:
                yield Tell(order)
