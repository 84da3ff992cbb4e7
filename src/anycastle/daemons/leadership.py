"""One controller's time as the leader: its engine, the sessions of agents, and what is made durable before it is told.

Everything that the engine decides goes through one worker, in the order in which it was decided: a commit is durable
before what follows from it is sent, and before whoever ordered it is answered. What agents are told is composed from
what is durable, never from what is still on its way there. When a commit fails, the leadership is over: what the engine
believes has gone beyond what is kept, and only a new start brings them together. So it is when the engine itself fails:
it may have changed half of what it meant to. What is asked of a leadership that is over fails at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol

from anycastle.base.errors import AnycastleError, MisuseError, WorldError
from anycastle.base.ports import FAR_FUTURE, Timestamp
from anycastle.io import assignment_json, controller_json
from anycastle.io.agent_sections import PoPBook, PoPState
from anycastle.io.clock import now
from anycastle.io.link.host import Elsewhere, Welcoming
from anycastle.io.store.port import NotLeading, Once, Repeated, Store
from anycastle.model.event import Event
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport
from anycastle.rollout.commands import Assign, Command, Commit, Tell
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired
from anycastle.rollout.fleet_composer import FleetComposer
from anycastle.rollout.gates import INDICATORS, Reading
from anycastle.rollout.kept import AgentOrder, Kept
from anycastle.rollout.orders import AgentOrderKind, Order, StartRollout
from anycastle.rollout.permits import Grant, Revoke
from anycastle.session.link_report import Sections, SectionsChanged
from anycastle.wire.link import message as said

BATCHES_MAX: Final = 10_000
"""Decisions that wait to be made durable; a database that is slower than that for long ends the leadership."""

READ_S: Final = 1.0
"""How often gates' indicators are read while a rollout is open."""

CONTROLLER: Final = "controller"
"""Whose events these are, where an agent's carry the name of its PoP."""


class Sessions(Protocol):
    """How agents are reached: what a `LinkListener` gives."""

    def assign(self, pop: str, digest: str, octets: bytes) -> bool:
        """Send an assignment; False where the PoP has no session."""
        ...

    def command(self, pop: str, command: said.Grant | said.Revoke) -> bool:
        """Send a grant or a revocation; False where the PoP has no session."""
        ...

    def order(self, pop: str, order: said.Order) -> None:
        """Send an order. Raises `MisuseError`."""
        ...


@dataclass(slots=True)
class AgentSeen:
    """What is known of a PoP's agent, for who looks."""

    connected: bool
    since: Timestamp
    version: str = ""
    assignment: str | None = None
    refused: str | None = None
    unsettled: str | None = None
    book: PoPBook | None = None
    """All that it said of itself in its session."""
    state: PoPState | None = None
    """What is made of it; None until it has said anything."""

    @property
    def told(self) -> object | None:
        """What stands for the report: another object after everything that the agent says."""
        return self.state if self.book is not None and self.connected else None

    def report(self) -> dict[str, Any] | None:
        """Give what it said last, as its own status says it; None where it has no session."""
        if self.book is None or self.state is None or not self.connected:
            return None
        return self.book.plain()


@dataclass(slots=True)
class _Batch:
    commands: list[Command]
    kept: Kept
    """What is durable once the batch is carried out."""
    once: Once | None = None
    done: "asyncio.Future[None] | None" = None

    def end(self, error: Exception | None = None) -> None:
        """Answer whoever waits for it, if anybody does."""
        if self.done is not None and not self.done.done():
            if error is None:
                self.done.set_result(None)
                return
            self.done.set_exception(error)
            self.done.exception()  # whoever ordered it may have gone, and nobody else is to be told


class Leadership:
    """Leads by one term, from what the store keeps, until `run` ends with an error."""

    def __init__(
        self,
        store: Store,
        term: int,
        kept: Kept,
        composer: FleetComposer,
        sessions: Sessions,
        indicators: Collection[str] = INDICATORS.keys(),
    ) -> None:
        self.term = term
        self.composer = composer
        self.engine = ControllerEngine(kept, composer, now(), indicators)
        self.durable = kept
        self.agents: dict[str, AgentSeen] = {}
        self._store = store
        self._sessions = sessions
        self._batches: deque[_Batch] = deque()
        """What waits to be carried out, and first what is being carried out."""
        self._given = asyncio.Event()
        self._asked: dict[str, tuple[Once, asyncio.Future[None]]] = {}
        """Key -> what an order with it is answered, and when it is durable: of all that wait, and the last before."""
        self._timer: asyncio.TimerHandle | None = None
        self.stirred = asyncio.Event()
        """Set whenever something was decided: an agent spoke, came or went."""
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def needed_revisions(self) -> frozenset[str]:
        """The revisions that anything rests on: what is durable, what is decided, and all on the way from one to other.

        An assignment is composed when its batch is carried out, of what is durable by then.
        """
        kept = {id(each): each for each in (self.durable, self.engine.kept, *(batch.kept for batch in self._batches))}
        return frozenset(chain.from_iterable(each.revisions for each in kept.values()))

    @property
    def desired(self) -> Desired:
        """What the engine desires now, though it may not be durable yet."""
        return self.engine.kept.desired

    @property
    def fleet(self) -> Fleet:
        """The fleet that is desired."""
        return self.composer.in_force(self.desired)

    @property
    def kept_now(self) -> Kept:
        """What the engine keeps, though it may not be durable yet."""
        return self.engine.kept

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Lead. Raises what ended it: `Superseded`, `WorldError`, or what was given to `end`."""
        worker = asyncio.create_task(self._work())
        try:
            self._decide(list)
            await asyncio.wait({worker, self._over}, return_when=asyncio.FIRST_COMPLETED)
            if worker.done():
                await worker
            await self._over
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            self.close()

    @property
    def over(self) -> bool:
        """Whether it has ended: nothing is taken any more."""
        return self._over.done()

    def end(self, why: Exception) -> None:
        """End it: the lock was lost, a higher term was shown, or something of ours failed."""
        if not self.over:
            self._over.set_exception(why)
            self._over.exception()  # `run` raises it, unless something else has ended it by then

    def close(self) -> None:
        """Take nothing more, and tell whoever waits that nothing became of what was ordered, as far as is known."""
        if self._timer is not None:
            self._timer.cancel()
        self._over.cancel()
        while self._batches:
            self._batches.popleft().end(NotLeading("the controller stopped leading before this was durable"))

    # -- people -------------------------------------------------------------------------------------------------------

    async def order(self, order: Order, who: str, once: Callable[[int], Once] | None = None) -> int:
        """Take an order; give its number once it is durable.

        Raises `MisuseError` for a refusal, `Repeated` for a key that an order came with before, and `NotLeading`.
        """
        if once is not None:
            await self._refuse_repeated(once(0).key)
        if self.over:
            raise NotLeading("this controller does not lead any more")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            if isinstance(order, StartRollout):
                self._read_before(order)
            number, commands = self.engine.order(order, who, now())
            self._give(commands, once(number) if once is not None else None, done)
        except MisuseError:
            raise  # a refusal, which changed nothing
        except Exception as error:
            self.end(error)
            raise NotLeading(f"the controller stops leading: {error}") from error
        await asyncio.shield(done)  # whoever asked may go: what was taken is carried out
        return number

    async def require_new(self, key: str) -> None:
        """Raise `Repeated` where an order came with this key before. Raises `NotLeading` and `WorldError`.

        Asked before anything is decided on: a commit that finds the key used would leave the engine ahead of the store.
        """
        await self._refuse_repeated(key)
        kept = await self._store.once(key, now().wall)
        if kept is not None:
            raise Repeated(kept)

    async def _refuse_repeated(self, key: str) -> None:
        if key in self._asked:
            once, done = self._asked[key]
            await asyncio.shield(done)
            raise Repeated(once)

    # -- agents: what a session tells ------------------------------------------------------------------------------

    def welcome(self, hello: said.Hello, events_acked: int) -> Welcoming | Elsewhere:
        """Say whether an agent is welcome. One that spoke with a higher term shows that we know less than we think."""
        if self.over:
            return Elsewhere("this controller does not lead any more", retry_s=1.0)
        if hello.term > self.term:
            self.end(MisuseError(f"{hello.pop} spoke with a controller of term {hello.term}, and ours is {self.term}"))
            return Elsewhere("another controller led after this one", retry_s=1.0)
        return Welcoming(self.term, events_acked)

    def joined(self, pop: str, hello: said.Hello, permits: Sequence[PermitReport]) -> None:
        """Take the first words of a session."""
        digest = hello.assignment or None
        unsettled = "its state is not told yet"
        seen = AgentSeen(True, now().wall, hello.agent_version, digest, unsettled=unsettled, book=PoPBook(pop))
        self.agents[pop] = seen
        self._decide(lambda: self.engine.agent_joined(pop, digest, unsettled, permits, now()))

    def permits(self, pop: str, reports: Sequence[PermitReport]) -> None:
        """Take permits that changed."""

        def take() -> list[Command]:
            self.engine.permits_reported(pop, reports, now())
            return []

        self._decide(take)

    def reported(self, pop: str, changes: SectionsChanged, sections: Sections) -> None:
        """Take what a PoP says of itself: by which assignment it lives, and whether its router is as it wants."""
        if self.over:
            return
        seen = self.agents[pop]
        assert seen.book is not None
        seen.state = state = seen.book.take(changes, sections)
        seen.assignment, seen.unsettled = state.assignment, _unsettled(state)
        self.composer.heard(state.report)
        self._decide(lambda: self.engine.agent_changed(pop, state.assignment, seen.unsettled, now()))

    def assignment_answered(self, pop: str, digest: str, refusal: str | None) -> None:
        """Take whether an agent lives by what it was assigned."""
        seen = self.agents.get(pop)
        if seen is not None:
            seen.refused = refusal
        if refusal is None:
            self._decide(lambda: self.engine.agent_took(pop, digest, now()))
        else:
            self._decide(lambda: self.engine.agent_refused(pop, digest, refusal, now()))

    def order_answered(self, pop: str, number: str, refusal: str | None) -> None:
        """Take what became of an order."""
        if number.isdecimal():
            self._decide(lambda: self.engine.agent_answered(int(number), pop, refusal, now()))

    def left(self, pop: str) -> None:
        """Take that a session is over."""
        self.composer.gone(pop)
        seen = self.agents.get(pop)
        if seen is not None:
            seen.connected, seen.since = False, now().wall
        self._decide(lambda: self.engine.agent_left(pop, now()))

    async def store_events(
        self, documents: Mapping[str, bytes | None], events: Sequence[Event], once: Once | None = None
    ) -> None:
        """Make agents' events durable, with how far their logs were read; or what the response knows."""
        await self._store.commit(self.term, documents, events, once)

    async def read_indicators(self) -> None:
        """Read what gates ask for, each second: what a PoP with a session said last is so now. Until cancelled."""
        while True:
            await asyncio.sleep(READ_S)
            for indicator in sorted(self.engine.asked_for):
                self._read(indicator)

    def _read_before(self, order: StartRollout) -> None:
        """Read what gates will compare with: what was before the rollout began."""
        for indicator in sorted({gate.indicator for gate in order.policy.gates if gate.of_before}):
            self._read(indicator)

    def take_readings(self, indicator: str, readings: Mapping[str, Reading]) -> None:
        """Take what was measured elsewhere."""
        if readings and not self.over:
            self._decide(lambda: self.engine.readings(indicator, readings, now()))

    def _read(self, indicator: str) -> None:
        wall = now().wall
        said = {pop: seen.state.indicators for pop, seen in self.agents.items() if seen.connected and seen.state}
        readings = {pop: Reading(each[indicator], wall) for pop, each in said.items() if indicator in each}
        self.take_readings(indicator, readings)

    # -- the worker -------------------------------------------------------------------------------------------------

    def _decide(self, decide: Callable[[], list[Command]]) -> None:
        """Have the engine decide, while this leads. Where it fails it may have done half of it: the leadership ends."""
        if self.over:
            return
        self.stirred.set()
        try:
            self._give(decide())
        except Exception as error:  # noqa: BLE001  `run` raises it
            self.end(error)

    def _give(
        self, commands: list[Command], once: Once | None = None, done: "asyncio.Future[None] | None" = None
    ) -> None:
        """Have decisions carried out. Raises `WorldError` where too many wait, and they are lost."""
        if commands or done is not None:
            if len(self._batches) >= BATCHES_MAX:
                raise WorldError(f"{BATCHES_MAX} decisions wait for the database")
            self._batches.append(_Batch(commands, self.engine.kept, once, done))
            self._given.set()
        if once is not None and done is not None:
            self._asked[once.key] = once, done
            if len(self._asked) > BATCHES_MAX:  # the oldest was carried out: no more than that can wait
                del self._asked[next(iter(self._asked))]
        self._set_timer()

    async def _work(self) -> None:
        while True:
            if not self._batches:
                self._given.clear()
                await self._given.wait()
            try:
                await self._carry_out(self._batches[0])
            except BaseException as error:
                told = error if isinstance(error, AnycastleError) else NotLeading(f"the controller failed: {error!r}")
                self._batches.popleft().end(told)
                raise
            self._batches.popleft().end()

    async def _carry_out(self, batch: _Batch) -> None:
        once = batch.once
        for command in batch.commands:
            match command:
                case Commit(documents, events):
                    wall = now().wall
                    octets = {
                        key: None if part is None else controller_json.encode(part) for key, part in documents.items()
                    }
                    rows = [Event(wall, CONTROLLER, body) for body in events]
                    await self._store.commit(self.term, octets, rows, once)
                    once, self.durable = None, batch.kept
                case Assign(pop):
                    self._assign(pop)
                case Tell(order):
                    self._tell(order)
                case Grant(pop, service, epoch):
                    self._sessions.command(pop, said.Grant(service, epoch))
                case Revoke(pop, service, epoch):
                    self._sessions.command(pop, said.Revoke(service, epoch))
        if once is not None:
            await self._store.commit(self.term, {}, [], once)

    def _assign(self, pop: str) -> None:
        fleet = self.composer.fleet(pop, self.durable.desired)
        if fleet is not None:
            octets = assignment_json.encode(fleet)
            self._sessions.assign(pop, assignment_json.digest(octets), octets)

    def _tell(self, order: AgentOrder) -> None:
        with suppress(MisuseError):  # without a session it is told again in the next one
            self._sessions.order(order.pop, order_message(order))

    # -- time ---------------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._timer = None
        self._decide(lambda: self.engine.wake(now()))

    def _set_timer(self) -> None:
        deadline = self.engine.deadline
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline != FAR_FUTURE and not self._over.done():
            self._timer = asyncio.get_running_loop().call_at(deadline, self._wake)


def _unsettled(state: PoPState) -> str | None:
    """Tell why a PoP's router does not announce what its agent wants."""
    report = state.report
    if not report.booted:
        return "its router was not read yet"
    if report.observe_only:
        return "its agent only observes"
    wanted = {route for route in report.wanted if (route.upstream, route.prefix.family) in report.established}
    missing = sorted(f"{route.upstream} {route.prefix}" for route in wanted if route not in report.exported)
    if missing:
        return f"not announced as wanted: {', '.join(missing[:3])}"
    return None if state.settled else "its router is being told"


def order_message(order: AgentOrder) -> said.Order:
    """Give an order as the link carries it."""
    parameters: dict[str, float] = {}
    if order.kind is AgentOrderKind.DRAIN:
        parameters = {"soak_s": order.soak_s, "wait_s": order.wait_s}
        if order.expires is not None:
            parameters["expires"] = order.expires
    return said.Order(str(order.number), order.kind.value, list(order.services), order.who, order.reason, parameters)
