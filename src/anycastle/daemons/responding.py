"""Incidents live: what agents say becomes signals, these incidents and notices, and notices reach who is to be told.

Theory of operation. It is a part of a leadership, so that one controller tells people and no other. In each turn it
looks at what agents say now, has the response engine decide, makes all of it durable in one commit (the engine, the
incidents, the events, and each message for each notifier), and only then sends. What a notifier took is forgotten in a
later commit: a controller that dies between the two has its successor send it again, under the same key.

Which PoPs are missed is decided by `response.hearing`; here facts are carried to it.

Time for the engines goes on from where it was kept, by the monotonic clock: a wall clock that jumps holds up no page.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Protocol

from anycastle.base.errors import MisuseError, ParseError
from anycastle.base.ports import Timestamp
from anycastle.daemons.leadership import CONTROLLER, AgentSeen
from anycastle.daemons.notifying import Notifying
from anycastle.io import response_json
from anycastle.io.agent_sections import PoPState
from anycastle.io.clock import now
from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.response_log import topology_of
from anycastle.io.store.port import NotLeading, Once, Store
from anycastle.model.event import Body, Event, IncidentChanged, NoticeDead, NoticeSent
from anycastle.model.fleet import Fleet
from anycastle.response.conditions import (
    Levels,
    PoPSeen,
    RolloutSeen,
    ServiceSeen,
    maintenance_of,
    rollouts_of,
    with_urgency,
)
from anycastle.response.delivery import Delivery, DeliveryEngine
from anycastle.response.engine import ResponseEngine
from anycastle.response.hearing import GRACE_S, AgentNow, Hearing
from anycastle.response.incident import Incident, Status
from anycastle.response.message import message_of
from anycastle.response.notification import Notice
from anycastle.response.orders import Acknowledge, Annotate, ResponseOrder, SendAgain
from anycastle.response.policy import Policy, policy_of
from anycastle.response.recorded import NOTED
from anycastle.response.signal import Cause, Signal, Topology, Urgency
from anycastle.rollout.kept import Kept
from anycastle.rollout.rollout import RolloutState

LOOK_S: Final = 1.0
"""How often it is looked even where nothing was told: windows open and close by themselves."""

PAUSE_S: Final = 0.1
"""Between two looks: a thousand agents that speak at once are looked at together."""

LIVE: Final = Policy(page_after_s=4.0)
"""An agent that fell silent is missed after 9 s at most (three heartbeats): with this, a page leaves within 15 s."""

_MOVES: Final = frozenset({RolloutState.APPLYING, RolloutState.BAKING, RolloutState.ROLLING_BACK})


class Commit(Protocol):
    """Makes documents, events and an answer durable together."""

    def __call__(
        self, documents: Mapping[str, bytes | None], events: Sequence[Event], once: Once | None = None
    ) -> Awaitable[None]:
        """Write it all or nothing."""
        ...


Answer = Callable[[tuple[str, ...]], Once]
"""The keys of letters that are sent again -> what is kept of the answer."""


class Leading(Protocol):
    """What of a leadership is looked at."""

    agents: dict[str, AgentSeen]
    stirred: asyncio.Event
    """Set whenever an agent was heard, or left."""

    @property
    def fleet(self) -> Fleet:
        """The fleet that is desired."""
        ...

    @property
    def kept_now(self) -> Kept:
        """What the engine keeps."""
        ...


@dataclass(frozen=True, slots=True)
class _Agent:
    """What was made of an agent's state; made anew when the state is another."""

    state: PoPState | None
    now: AgentNow


class Responding:
    """One leadership's part in it."""

    def __init__(
        self,
        leads: Leading,
        commit: Commit,
        stored: response_json.Stored,
        notifying: Notifying,
        tell: Callable[[str], None],
        policy: Policy = LIVE,
        grace_s: float = GRACE_S,
    ) -> None:
        self.engine = ResponseEngine(Topology(), policy)
        self._policy = policy
        if stored.engine is not None:
            self.engine.restore(stored.engine, stored.incidents)
        self.deliveries = DeliveryEngine(Random(), waiting=stored.waiting, dead=stored.dead)
        self._counts = stored.counts
        self._leads = leads
        self._commit = commit
        self._notifying = notifying
        self._tell = tell
        self._levels = Levels(self.engine.firing, self.engine.causes)
        self._agents: dict[str, _Agent] = {}
        self._fleet: Fleet | None = None
        begun = now()
        self._ahead_s = max(begun.wall, self.engine.now) - begun.monotonic
        self._hearing = Hearing(stored.counts.heard, self.now(), grace_s)
        self._others: dict[str, list[Signal]] = {}
        self._shown = {number: _look(each) for number, each in self.engine.incidents.items()}
        self._unsaved: set[int] = set(stored.closed)
        self._events: list[Body] = [_closed(self.engine.incidents[number]) for number in stored.closed]
        self._dirty = bool(stored.closed)
        self._keeping = asyncio.Lock()
        self.failed: BaseException | None = None
        """Why a commit failed: what is believed here has gone beyond what is kept, and only a new start mends that."""
        self._over = False
        self._sending: set[asyncio.Task[Any]] = set()
        """What is under way: messages, and what people ordered."""

    def note(self, body: Body) -> None:
        """Have an event go into the log with the next commit."""
        self._events.append(body)
        self._leads.stirred.set()

    def now(self) -> Timestamp:
        """Give the engines' time."""
        return Timestamp(now().monotonic + self._ahead_s)

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look, decide, keep, send; until cancelled. Raises what the store raises: the leadership is over then."""
        try:
            while True:
                self._leads.stirred.clear()
                self._decide()
                await self._keep()
                self._send()
                await self._wait()
                if self.failed is not None:
                    raise self.failed
        finally:
            self._over = True
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _wait(self) -> None:
        await asyncio.sleep(PAUSE_S)
        soon = min(self.engine.deadline(), self.deliveries.deadline()) - self.now()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(LOOK_S, soon))):
                await self._leads.stirred.wait()

    # -- deciding -----------------------------------------------------------------------------------------------------

    def take(self, source: str, signals: Iterable[Signal]) -> None:
        """Take all that fires as another source sees it, in place of what it said before."""
        self._others[source] = list(signals)
        self._leads.stirred.set()

    def _decide(self) -> None:
        instant = self.now()
        self.engine.policy = policy_of(self._notifying.plan, self._policy)
        signals, causes = self._look()
        begun, ended = self._levels.causes_now(causes)
        urgency = {kind: Urgency(word) for kind, word in self._notifying.plan.urgency.items()}
        edges = self._levels.signals_now(with_urgency(signals, urgency))
        if not (begun or ended or edges) and self.engine.deadline() > instant:
            return
        notices: list[Notice] = []
        for cause in begun:  # before what they explain
            with suppress(MisuseError):  # more causes than are kept
                notices += self.engine.begin(cause, instant)
        for cause in ended:
            with suppress(MisuseError):
                notices += self.engine.end(cause.id, instant)
        notices += self.engine.take(edges, instant)
        self._after(notices, instant)

    def _after(self, notices: Sequence[Notice], instant: Timestamp) -> None:
        """Note what changed, and who is to be told."""
        self._dirty = True
        for number, incident in self.engine.incidents.items():
            looks = _look(incident)
            before = self._shown.get(number)
            if incident.status is not Status.CLEARED or looks != before:
                self._unsaved.add(number)
            if looks != before:
                self._shown[number] = looks
                self._events.append(_changed(incident, before))
        for notice in notices:
            self._address(notice, instant)

    def _address(self, notice: Notice, instant: Timestamp) -> None:
        number = self._counts.notices + 1
        self._counts = replace(self._counts, notices=number)
        incident = self.engine.incidents.get(notice.incident)
        fleet = self._fleet.name if self._fleet is not None else ""
        message = message_of(notice, number, incident, fleet, self.engine.topology)
        plan = self._notifying.plan
        about = (frozenset(message.services), frozenset(message.regions), frozenset(message.pops))
        names = plan.told(message.urgency.value, *about)
        if message.was_ticket and message.over:  # those who have the ticket are told too
            names = tuple(dict.fromkeys([*names, *plan.told(Urgency.TICKET.value, *about)]))
        self._tell(f"{notice.kind.value}: {message.headline}; told: {', '.join(names) or 'nobody'}")
        self.deliveries.put(names, message, instant)

    def _look(self) -> tuple[list[Signal], list[Cause]]:
        """Give what fires and what is known now."""
        fleet = self._leads.fleet
        if fleet is not self._fleet:
            self._fleet, self.engine.topology = fleet, topology_of(fleet)
        agents = {pop.name: now for pop in fleet.pops if (now := self._agent(pop.name)) is not None}
        found = self._hearing.look((pop.name for pop in fleet.pops), agents, self._levels, self.now())
        if self._hearing.heard != frozenset(self._counts.heard):
            self._counts = replace(self._counts, heard=tuple(sorted(self._hearing.heard)))
            self._dirty = True
        signals, causes = list(found.signals), list(found.drains)
        causes += maintenance_of(fleet, self.now())
        moving = [each for each in self._leads.kept_now.rollouts.values() if each.state in _MOVES]
        causes += rollouts_of(
            RolloutSeen(each.number, frozenset(map(str, each.prefixes)), each.who, each.reason) for each in moving
        )
        return signals + [signal for others in self._others.values() for signal in others], causes

    def _agent(self, pop: str) -> AgentNow | None:
        """Give what is known of a PoP's agent; None of one that has not dialled in since this leadership began."""
        agent = self._leads.agents.get(pop)
        if agent is None:
            return None
        known = self._agents.get(pop)
        if known is None or known.state is not agent.state or known.now.connected is not agent.connected:
            known = self._agents[pop] = _Agent(agent.state, AgentNow(agent.connected, _seen(pop, agent.state)))
        return known.now

    # -- keeping ------------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Make durable what changed."""
        async with self._keeping:
            await self._write()

    async def _write(self, once: Once | None = None) -> None:
        """Commit what changed, with the answer to who ordered it; by whoever holds `_keeping`.

        Where that fails, `run` ends with the same error: what was not written is in no memory but this one.
        """
        if self.failed is not None:
            raise self.failed
        changed = frozenset(self.deliveries.changed)
        if not (self._dirty or changed or self._events or once):
            return
        documents: dict[str, bytes | None] = response_json.delivery_documents(
            changed, self.deliveries.waiting, self.deliveries.dead
        )
        if self._dirty:
            self._counts = replace(self._counts, dead_beyond=self.deliveries.dead_beyond)
            documents[response_json.COUNTS] = response_json.encode(self._counts)
            documents[response_json.ENGINE] = response_json.encode(self.engine.kept())
            documents |= self._incidents()
        wall = now().wall
        events = [Event(wall, CONTROLLER, body) for body in self._events]
        self._dirty, self._events = False, []
        self._unsaved.clear()
        self.deliveries.changed.clear()
        try:
            await self._commit(documents, events, once)
        except BaseException as error:
            self.failed = error
            self._leads.stirred.set()
            raise

    def _incidents(self) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for number in self._unsaved:
            incident = self.engine.incidents.get(number)
            if incident is not None:
                found[f"{response_json.INCIDENT}{number}"] = response_json.encode(incident)
        for number in self._shown.keys() - self.engine.incidents.keys():  # of so many, the oldest are forgotten
            del self._shown[number]
            found[f"{response_json.INCIDENT}{number}"] = None
        return found

    # -- sending ------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        """Begin to send what is due. What is buried by that is told in the next turn's commit."""
        before = set(self.deliveries.dead)
        for delivery in self.deliveries.begin(self.now(), self._notifying.names):
            task = asyncio.create_task(self._send_one(delivery))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        for key in self.deliveries.dead.keys() - before:
            self._bury(self.deliveries.dead[key])

    async def _send_one(self, delivery: Delivery) -> None:
        try:
            await self._notifying.send(delivery.notifier, delivery.message)
        except DeliveryError as error:
            told = str(error)
            if told != delivery.why:
                self._tell(f"{delivery.notifier} was not told of notice {delivery.message.key}: {told}")
            refused = not error.retryable
            dead = self.deliveries.failed(delivery.key, told, self.now(), refused=refused, again_s=error.again_s)
            if dead is not None:
                self._bury(dead)
        else:
            done = self.deliveries.took(delivery.key)
            if done is not None:
                message, delay_s = done.message, max(0.0, self.now() - done.message.at)
                self._events.append(
                    NoticeSent(message.key, message.incident, message.kind.value, done.notifier, done.attempts,
                               round(delay_s, 3))
                )  # fmt: skip
        self._leads.stirred.set()

    def _bury(self, dead: Delivery) -> None:
        message = dead.message
        self._tell(f"dead letter {dead.key}: {dead.why}; see: anycastle notify dead")
        self._events.append(
            NoticeDead(message.key, message.incident, message.kind.value, dead.notifier, dead.attempts, dead.why)
        )
        self._dirty = True

    # -- people -------------------------------------------------------------------------------------------------------

    async def order(self, order: ResponseOrder, who: str, once: Answer | None = None) -> tuple[str, ...]:
        """Do what somebody wants; durable when it returns, in one commit with the answer that `once` makes of it.

        Gives the keys of the letters that wait to be sent again. Raises `MisuseError` for a refusal, `NotLeading`
        where this response is over, and what the store raises.
        """
        task = asyncio.create_task(self._ordered(order, who, once))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        try:
            return await asyncio.shield(task)  # whoever asked may go: what was taken is carried out
        except asyncio.CancelledError:
            if task.cancelled():
                raise NotLeading("the response of this controller ended meanwhile") from None
            raise

    async def _ordered(self, order: ResponseOrder, who: str, once: Answer | None) -> tuple[str, ...]:
        async with self._keeping:
            if self._over or self.failed is not None:
                raise NotLeading("the response of this controller is over, and begins anew")
            keys = self._do(order, who)
            await self._write(None if once is None else once(keys))
        self._leads.stirred.set()
        return keys

    def _do(self, order: ResponseOrder, who: str) -> tuple[str, ...]:
        instant = self.now()
        match order:
            case Acknowledge(number):
                self.engine.acknowledge(number, who, instant)
                self._after([], instant)
            case Annotate(number, text):
                self.engine.annotate(number, who, text, instant)
                self._unsaved.add(number)
                self._events.append(_as_event(self.engine.incidents[number], NOTED, who, f"{who}: {text}"))
                self._dirty = True
            case SendAgain(keys):
                unknown = [key for key in keys or () if key not in self.deliveries.dead]
                if unknown:
                    raise MisuseError(f"there is no dead letter {', '.join(unknown)}")
                wanted = list(self.deliveries.dead if keys is None else keys)
                return tuple(key for key in wanted if self.deliveries.again(key, instant))
        return ()


async def stored_response(store: Store, tell: Callable[[str], None], aside: str = "") -> response_json.Stored:
    """Give what was kept; what alerts and incidents it had is set aside where `aside` says why.

    What cannot be read is told and set aside too: who is told must not hold up who leads.
    """
    documents = await store.documents(*response_json.BEGINNINGS)
    if not aside:
        try:
            return response_json.decode_all(documents)
        except ParseError as error:
            aside = f"what was kept cannot be read: {error}"
    tell(f"incidents begin anew: {aside}")
    return response_json.set_aside(documents, now().wall, why=aside)


def _seen(pop: str, state: PoPState | None) -> PoPSeen | None:
    if state is None:
        return None
    report = state.report
    services = [ServiceSeen(each.name, each.stance, each.drain, each.reason) for each in report.services.values()]
    return PoPSeen(
        pop, connected=True, services=services, wanted=report.wanted, exported=report.exported,
        established=report.established, booted=report.booted and not report.observe_only,
    )  # fmt: skip


_Look = tuple[Status, Urgency, int, str]


def _look(incident: Incident) -> _Look:
    alerts = len(incident.alerts) + incident.alerts_beyond
    return incident.status, incident.urgency, alerts, incident.acknowledged_by


def _changed(incident: Incident, before: _Look | None) -> IncidentChanged:
    if before is None:
        change = "opened"
    elif incident.status is not before[0]:
        change = "came back" if before[0] is Status.CLEARED else incident.status.value
    else:
        change = "widened"
    last = incident.timeline[-1].text if incident.timeline else ""
    return _as_event(incident, change, incident.acknowledged_by, last)


def _closed(incident: Incident) -> IncidentChanged:
    """Give that an incident was closed without being over."""
    return _as_event(incident, Status.CLEARED.value, "", incident.timeline[-1].text if incident.timeline else "")


def _as_event(incident: Incident, change: str, who: str, text: str) -> IncidentChanged:
    return IncidentChanged(
        incident.id, change, incident.status.value, incident.urgency.value, incident.title, incident.kind,
        tuple(sorted(incident.pops)), tuple(sorted(incident.services)), tuple(sorted(incident.prefixes)), who, text,
    )  # fmt: skip
