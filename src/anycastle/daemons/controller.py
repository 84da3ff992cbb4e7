"""`anycastle controller run`: leads where it holds the lock, and serves reads where another does.

Whoever holds the lock of the store takes a new term and leads by it (`leadership`) until the lock is lost, a higher
term is shown, or the store refuses a commit. Then all sessions end, and it begins again as one that waits. Agents that
dial in while it waits are sent to who leads.
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from anycastle.base.errors import AnycastleError, MisuseError, ParseError, WorldError
from anycastle.base.ports import after
from anycastle.daemons.agent_events import AgentEvents, LogPosition, position_key
from anycastle.daemons.leadership import AgentSeen, Leadership, Sessions
from anycastle.daemons.planning import adoption_problem, mitigation_to_start, order_to_start
from anycastle.io import assignment_json, controller_json
from anycastle.io.clock import now
from anycastle.io.link.host import Elsewhere, Welcoming
from anycastle.io.store.port import NotLeading, Once, Store
from anycastle.model.event import Alarm
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport
from anycastle.model.rpki import ValidityOf, unknown_validity
from anycastle.response.faults import Faults
from anycastle.rollout.desired import NOTHING_DESIRED, Desired
from anycastle.rollout.fleet_composer import FleetComposer
from anycastle.rollout.gates import INDICATORS
from anycastle.rollout.kept import Kept
from anycastle.rollout.mitigation import active, base_of, target, with_active
from anycastle.rollout.orders import Adopt, Mitigate, Order, RollOut, StartRollout, Wish
from anycastle.session.link_report import Sections, SectionsChanged
from anycastle.wire.link.message import EventRow, Hello

if TYPE_CHECKING:
    from anycastle.daemons.measured import MeasuredIndicators
    from anycastle.daemons.notifying import Notifying
    from anycastle.daemons.responding import Responding
    from anycastle.daemons.signal_source import SignalSource
    from anycastle.response.orders import ResponseOrder

AGAIN_S: Final = 1.0
"""How long to wait, after a leadership ended, before the lock is tried for again."""

PAUSE_LAST_S: Final = 30.0
"""And at most, where it ends by a fault of ours again and again: another controller may fare better."""

STEADY_S: Final = 60.0
"""A leadership that held this long was a good one: the next pause is short again."""

_DOCUMENTS: Final = ("rollout/", "order/", "desired", "freeze", "break-glass", "number")
"""What the keys of the engine's documents begin with."""


class Folders(Protocol):
    """Where the fleets of revisions come from."""

    async def fleet(self, revision: str) -> Fleet | None:
        """Give the fleet of a revision; None where it is not stored, or cannot be read any more."""
        ...


class Listening(Sessions, Protocol):
    """The listener that agents dial."""

    def dismiss_all(self, elsewhere: Elsewhere) -> None:
        """End all sessions."""
        ...


class ControllerDaemon:
    """One controller: the host of agents' sessions, and what the API asks."""

    def __init__(
        self,
        store: Store,
        folders: Folders,
        address: str,
        tell: Callable[[str], None],
        validity: ValidityOf = unknown_validity,
        measured: "MeasuredIndicators | None" = None,
        notifying: "Notifying | None" = None,
        sources: "Sequence[SignalSource]" = (),
    ) -> None:
        self.address = address
        """Where agents and people find this controller."""
        self.listener: Listening | None = None
        """Given before `run`; it needs this host first."""
        self._store = store
        self._folders = folders
        self._tell = tell
        self._validity = validity
        self._measured = measured
        self._notifying = notifying
        self._sources = sources
        self._responding: Responding | None = None
        self._faults = Faults()
        self._leads: Leadership | None = None
        self._events: AgentEvents | None = None
        self._leader = ""
        self._look_again_at = now().monotonic
        self._shown = 0
        """The highest term that an agent showed."""

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Wait for the lead, lead, and begin again; until cancelled. No failure of ours ends it: agents come back."""
        pause_s = AGAIN_S
        while True:
            began = now().monotonic
            try:
                term = await self._store.lead(self.address)
                began = now().monotonic
                await self._lead(term)
            except (AnycastleError, OSError) as error:
                self._tell(f"does not lead: {error}")
                pause_s = AGAIN_S
            except Exception as error:  # noqa: BLE001  told with its place; a controller that is gone mends nothing
                pause_s = AGAIN_S if now().monotonic - began > STEADY_S else min(PAUSE_LAST_S, 2 * pause_s)
                self._tell(f"failed, and leads anew in {pause_s:g} s: {error!r} at {_place(error)}")
            finally:
                await self._step_down()
            await asyncio.sleep(pause_s)

    async def _step_down(self) -> None:
        """Send all agents away, and let go of the lock: another may lead meanwhile."""
        self._leads = self._events = self._responding = None
        try:
            await self._send_away()
        except Exception as error:  # noqa: BLE001  as above
            self._tell(f"agents were not sent away: {error!r} at {_place(error)}")
        finally:
            await self._store.resign()

    async def _lead(self, term: int) -> None:
        if term <= self._shown:
            term = await self._store.raise_term(self.address, self._shown)
        assert self.listener is not None
        kept = controller_json.kept_of(await self._documents(), Desired(NOTHING_DESIRED))
        composer = await self._composer(kept)
        leads = Leadership(self._store, term, kept, composer, self.listener, self.indicators)
        events = AgentEvents(leads.store_events, _positions(await self._store.documents(position_key(""))))
        self._leads, self._events = leads, events
        self._tell(f"leads by term {term}")
        lasting = [leads.run(), events.run(), leads.read_indicators(), self._watch_lock(leads)]
        if self._measured is not None:
            lasting.append(self._measured.run(lambda: leads.engine.asked_for, leads.take_readings))
        if self._notifying is not None:
            lasting.append(self._respond(leads, self._notifying))
        parts = [asyncio.create_task(part) for part in lasting]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                if part.done():
                    await part
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            leads.close()  # also where they were cancelled before they began
            events.close()

    async def _respond(self, leads: Leadership, notifying: "Notifying") -> None:
        """Open incidents and tell people of them; until cancelled, or the store refuses.

        A failure of ours in it is told, and it begins again (`response.faults`): it takes no permit from any PoP.
        """
        from anycastle.daemons.responding import Responding, stored_response
        from anycastle.daemons.response_faults import FaultsSource, tell_past

        faults = self._faults
        while True:
            stored = await stored_response(self._store, self._tell, faults.words if faults.stuck else "")
            self._responding = responding = Responding(leads, leads.store_events, stored, notifying, self._tell)
            if faults.row:
                responding.note(Alarm("response_failed", "controller", faults.words))
            sources = (*self._sources, FaultsSource(faults))
            parts = [
                asyncio.create_task(part) for part in (responding.run(), *(s.run(responding.take) for s in sources))
            ]
            began = now().monotonic
            try:
                await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in parts:
                    if part.done():
                        await part
            except Exception as error:
                if error is responding.failed:  # the store refused
                    raise
                # What an error says may hold what is nobody's business outside: people are told its kind and place.
                faults.add(f"{type(error).__name__} at {_place(error)}", now().monotonic - began, now().wall)
                self._tell(f"{faults.words}: {error}; it begins anew in {faults.pause_s:g} s")
            finally:
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
            if faults.tell_past(now().wall):
                for problem in await tell_past(notifying, faults, leads.fleet.name):
                    self._tell(f"nobody was told of it past the response: {problem}")
            await asyncio.sleep(faults.pause_s)

    async def _watch_lock(self, leads: Leadership) -> None:
        leads.end(WorldError(f"the lock was lost: {await self._store.lost()}"))
        await asyncio.Event().wait()

    async def _composer(self, kept: Kept) -> FleetComposer:
        """Give a composer that knows all revisions that count. Raises `WorldError` where one cannot be read."""
        composer = FleetComposer(lambda fleet: assignment_json.digest(assignment_json.encode(fleet)))
        for revision in sorted(kept.revisions - {NOTHING_DESIRED}):
            fleet = await self._folders.fleet(revision)
            if fleet is None:
                raise WorldError(f"revision {revision} of the fleet folder is desired and cannot be read")
            composer.add(revision, fleet)
        return composer

    async def _send_away(self) -> None:
        if self.listener is not None:
            self.listener.dismiss_all(await self._elsewhere("this controller does not lead any more"))

    async def _elsewhere(self, reason: str) -> Elsewhere:
        instant = now().monotonic
        if instant >= self._look_again_at:  # a thousand agents may ask at once
            self._look_again_at, self._leader = after(instant, AGAIN_S), ""
            with suppress(WorldError):
                known = await self._store.leadership()
                self._leader = known.who if known is not None and known.who != self.address else ""
        return Elsewhere(reason, self._leader, retry_s=AGAIN_S)

    # -- the API ------------------------------------------------------------------------------------------------------

    def term(self) -> int | None:
        """Give the term by which this controller leads; None where it does not."""
        return self._leads.term if self._leads is not None else None

    @property
    def indicators(self) -> tuple[str, ...]:
        """Give what gates can ask for."""
        return (*INDICATORS, *(() if self._measured is None else self._measured.names))

    @property
    def responding(self) -> "Responding":
        """Give the present leadership's part that responds. Raises `NotLeading`, `MisuseError` where there is none."""
        if self._responding is not None:
            return self._responding
        raise (
            NotLeading("this controller does not lead")
            if self._leads is None
            else MisuseError("this controller opens no incidents: it was started without --fleet")
        )

    @property
    def agents(self) -> Mapping[str, AgentSeen] | None:
        """Give what is known of the PoPs' agents; None where another leads."""
        return self._leads.agents if self._leads is not None else None

    @property
    def leadership(self) -> Leadership:
        """Give the present leadership. Raises `NotLeading` without one. At any `await` another may follow it."""
        if self._leads is None:
            raise NotLeading("this controller does not lead")
        return self._leads

    async def kept(self) -> Kept:
        """Give what is durable: of this leadership, or of another as the store has it."""
        if self._leads is not None:
            return replace(self._leads.durable, waits_for=self._leads.engine.kept.waits_for)
        return controller_json.kept_of(await self._documents(), Desired(NOTHING_DESIRED))

    async def _documents(self) -> dict[str, bytes]:
        """Give what the engine keeps; what others keep in the store is larger by far."""
        return await self._store.documents(*_DOCUMENTS)

    async def needed_folders(self) -> frozenset[str]:
        """Give the revisions of the fleet folder that may not be forgotten."""
        leads = self._leads
        return (await self.kept()).folders if leads is None else frozenset(map(base_of, leads.needed_revisions))

    async def order(
        self,
        order: Order | Wish,
        who: str,
        *,
        check: Callable[[Kept], None] | None = None,
        once: Callable[[int], Once] | None = None,
    ) -> int:
        """Take an order; give its number once it is durable.

        Raises `MisuseError`, of which `NotLeading` is one, `Repeated`, `Superseded`, `WorldError`.
        `check` sees what the engine keeps, with no other order between it and this one; what it raises ends the order.
        """
        if once is not None:
            await self.leadership.require_new(once(0).key)
        match order:
            case RollOut():
                order = await self._with_mitigations(order)
            case Adopt(revision):
                await self._learn(revision)
            case Mitigate():
                order = await self._mitigation(order)
        if isinstance(order, RollOut | StartRollout) and self._measured is not None:
            compared = {gate.indicator for gate in order.policy.gates if gate.of_before}
            await self._measured.ask(compared, self.leadership.take_readings)
        leads = self.leadership
        if check is not None:
            check(leads.engine.kept)
        if isinstance(order, RollOut):
            order = order_to_start(leads.composer, leads.desired, order, now().wall, self._validity)
        if isinstance(order, Adopt):
            problem = adoption_problem(leads.composer, order.revision, now().wall)
            if problem is not None:
                raise MisuseError(problem)
        return await leads.order(order, who, once)

    async def respond(
        self, order: "ResponseOrder", who: str, once: Callable[[tuple[str, ...]], Once] | None = None
    ) -> tuple[str, ...]:
        """Do what somebody wants with incidents and dead letters; give the keys of those that are sent again.

        Durable when it returns. Raises `MisuseError`, of which `NotLeading` is one, `Repeated`, `Superseded`,
        `WorldError`.
        """
        if once is not None:
            await self.leadership.require_new(once(()).key)
        return await self.responding.order(order, who, once)

    async def _with_mitigations(self, wish: RollOut) -> RollOut:
        """Give a wish with the mitigations that are active; these may change while a folder is read."""
        revision = ""
        while revision != (wanted := with_active(wish.revision, active(self.leadership.desired))):
            await self._learn(revision := wanted)
        return replace(wish, revision=revision)

    async def _mitigation(self, wish: Mitigate) -> StartRollout:
        """Give the order that begins or ends a mitigation. Raises `MisuseError` where it cannot be."""
        revision = ""
        while revision != (wanted := self._target(wish)):
            await self._learn(revision := wanted)
        leads = self.leadership
        return mitigation_to_start(leads.composer, leads.desired, wish, revision)

    def _target(self, wish: Mitigate) -> str:
        leads = self.leadership
        fleet = leads.composer.in_force(leads.desired)
        return target(fleet, leads.desired, wish, lambda prefix: self._validity(prefix, fleet.asn))

    async def _learn(self, revision: str) -> None:
        """Have the composer know a revision that is stored."""
        if not self.leadership.composer.knows(revision):
            fleet = await self._folders.fleet(revision)
            if fleet is None:
                raise MisuseError(f"revision {revision} is not known here: upload its folder first")
            leads = self.leadership
            leads.composer.keep(leads.needed_revisions)
            leads.composer.add(revision, fleet)

    # -- agents: the link's host ------------------------------------------------------------------------------------

    async def agent_hello(self, pop: str, hello: Hello) -> Welcoming | Elsewhere:
        """Welcome an agent while this controller leads."""
        self._shown = max(self._shown, hello.term)
        if self._leads is None or self._events is None:
            return await self._elsewhere("this controller does not lead")
        return self._leads.welcome(hello, self._events.stored_upto(pop, hello.log))

    def agent_joined(self, pop: str, hello: Hello, reports: Sequence[PermitReport]) -> None:
        """Take an agent's first words on its permits."""
        self.leadership.joined(pop, hello, reports)

    def agent_permits(self, pop: str, reports: Sequence[PermitReport]) -> None:
        """Take permits that changed."""
        self.leadership.permits(pop, reports)

    def agent_report(self, pop: str, changes: SectionsChanged, sections: Sections) -> None:
        """Take what changed of the PoP's state."""
        self.leadership.reported(pop, changes, sections)

    async def agent_events(self, pop: str, log: str, first: int, events: Sequence[EventRow]) -> int:
        """Store events durably, each once."""
        if self._events is None:
            raise NotLeading("this controller does not lead")
        return await self._events.store(pop, log, first, events)

    def agent_answer(self, pop: str, order_id: str, refusal: str | None) -> None:
        """Take what became of an order."""
        self.leadership.order_answered(pop, order_id, refusal)

    def agent_assignment(self, pop: str, digest: str, refusal: str | None) -> None:
        """Take whether the agent lives by an assignment."""
        self.leadership.assignment_answered(pop, digest, refusal)

    def agent_left(self, pop: str, why: str) -> None:  # noqa: ARG002
        """Take that a session is over."""
        if self._leads is not None:
            self._leads.left(pop)


def _place(error: Exception) -> str:
    """Give where an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _positions(documents: Mapping[str, bytes]) -> dict[str, LogPosition]:
    beginning = position_key("")
    found = {}
    for key, octets in documents.items():
        if key.startswith(beginning):
            try:
                found[key.removeprefix(beginning)] = msgspec.json.decode(octets, type=LogPosition)
            except msgspec.DecodeError as error:
                raise ParseError(f"{key}: {error}") from error
    return found
