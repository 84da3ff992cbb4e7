"""A leadership over a real store, with sessions that only note what is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path

import pytest
from msgspec import Raw

from anycastle import __version__
from anycastle.base.errors import AnycastleError, MisuseError
from anycastle.daemons.agent_events import AgentEvents, LogPosition
from anycastle.daemons.controller import ControllerDaemon
from anycastle.io import assignment_json, controller_json
from anycastle.io.agent_sections import PoPBook, sections_of
from anycastle.io.clock import now
from anycastle.io.link.host import Elsewhere, Welcoming
from anycastle.io.store import SqlStore, open_store
from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.service import Floor, Policy
from anycastle.rollout.desired import Desired
from anycastle.rollout.gates import INDICATORS, gate_to_ask
from anycastle.rollout.orders import Adopt, AgentOrderKind, Freeze, OrderAgents, RollOut, RolloutPolicy
from anycastle.session.link_report import ReportBook, SectionsChanged
from anycastle.wire.link.message import EventRow, Grant, Hello, Order, Revoke
from tests.unit.health.world import STEERED, fleet, service

POPS = ("ams", "fra", "lon")


@dataclass
class Noted:
    """Sessions: what was sent through them."""

    assigned: dict[str, str] = field(default_factory=dict)
    permits: list[tuple[str, Grant | Revoke]] = field(default_factory=list)
    orders: list[tuple[str, Order]] = field(default_factory=list)
    dismissed: list[Elsewhere] = field(default_factory=list)

    def assign(self, pop: str, digest: str, octets: bytes) -> bool:
        assert assignment_json.digest(octets) == digest
        self.assigned[pop] = digest
        return True

    def command(self, pop: str, command: Grant | Revoke) -> bool:
        self.permits.append((pop, command))
        return True

    def order(self, pop: str, order: Order) -> None:
        self.orders.append((pop, order))

    def dismiss_all(self, elsewhere: Elsewhere) -> None:
        self.dismissed.append(elsewhere)


class Written:
    """Fleets by revision."""

    def __init__(self) -> None:
        one = fleet(service(floor=Floor(1)))
        only = one.services[0]
        longer = {(pop, "transit"): Policy(True, RouteAttributes(2), STEERED) for pop in POPS}
        self.fleets = {"r0": one, "r1": replace(one, services=(replace(only, policies=longer),))}

    async def fleet(self, revision: str) -> Fleet | None:
        return self.fleets.get(revision)


@dataclass
class World:
    store: SqlStore
    daemon: ControllerDaemon
    sent: Noted
    told: list[str]
    """What the controller said of itself."""

    def join(self, pop: str, digest: str = "", term: int = 0) -> None:
        hello = Hello([2], pop, __version__, now().wall, term, digest, "log")
        self.daemon.agent_joined(pop, hello, [PermitReport("dns", PermitState.NONE, 0, exported=True)])
        self.report(pop, digest)

    def report(self, pop: str, digest: str, prepend: int = 0) -> None:
        route = {"prefix": "192.0.2.0/24", "upstream": "transit", "prepend": prepend}
        status = {
            "services": [{"name": "dns", "stance": "announce", "permit": "none", "prefixes": ["192.0.2.0/24"]}],
            "wanted": [route], "exported": [route], "pop": pop, "ready": True, "booted": True, "settled": True,
            "sessions": [{"upstream": "transit", "neighbour": "n", "state": "established", "families": ["IPv4"]}],
            "assignment": {"digest": digest} if digest else None,
        }  # fmt: skip
        sections = sections_of(status)
        self.daemon.agent_report(pop, SectionsChanged(sections, {}), sections)

    def obey(self, pop: str, digest: str, prepend: int = 0) -> None:
        """Have a PoP live by what it was assigned, and say so."""
        self.daemon.agent_assignment(pop, digest, None)
        self.report(pop, digest, prepend)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)


def led(tmp_path: Path, body: Callable[[World], Awaitable[None]]) -> None:
    """Run a controller that leads, and a body beside it."""

    async def main() -> None:
        store = await open_store(f"sqlite:///{tmp_path}/controller.db")
        sent, told = Noted(), list[str]()
        daemon = ControllerDaemon(store, Written(), "ctl:9479", told.append)
        daemon.listener = sent
        task = asyncio.create_task(daemon.run())
        world = World(store, daemon, sent, told)
        try:
            await world.until(lambda: daemon.term() is not None)
            await body(world)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await store.close()

    asyncio.run(main())


async def kinds(store: SqlStore) -> list[str]:
    return [event.kind for event in await store.events()]


@pytest.mark.mission("C4")
def test_an_order_is_answered_once_it_is_durable_and_then_followed(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        for pop in POPS:
            w.join(pop)
        assert await w.daemon.order(Adopt("r0", "begin"), "ann") == 0
        await w.until(lambda: set(w.sent.assigned) == set(POPS))
        kept = controller_json.kept_of(await w.store.documents(), Desired(""))
        assert kept.desired == Desired("r0")
        for pop, digest in w.sent.assigned.items():
            w.obey(pop, digest)
        number = await w.daemon.order(RollOut("r1", "less load", RolloutPolicy(bake_s=0.0)), "ann")
        assert number == 1
        await _obey(w)
        kept = await w.daemon.kept()
        assert kept.rollouts[1].state.value == "finished"
        assert "rollout_changed" in await kinds(w.store)

    led(tmp_path, body)


@pytest.mark.mission("C4")
def test_a_gate_that_compares_knows_what_was_before_the_first_rollout(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        for pop in POPS:
            w.join(pop)
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        await w.until(lambda: set(w.sent.assigned) == set(POPS))
        for pop, digest in w.sent.assigned.items():
            w.obey(pop, digest)
        gates = (gate_to_ask("sessions_up_share >= 1 x before"),)
        await w.daemon.order(RollOut("r1", "less load", RolloutPolicy(bake_s=0.0, gates=gates)), "ann")
        await _obey(w)
        rollout = (await w.daemon.kept()).rollouts[1]
        assert (rollout.state.value, rollout.why) == ("finished", "")

    led(tmp_path, body)


async def _obey(w: World) -> None:
    """Have PoPs live by what they are told until the rollout has ended."""
    async with asyncio.timeout(10):
        while not (await w.daemon.kept()).rollouts[1].ended:
            for pop, digest in w.sent.assigned.items():
                w.obey(pop, digest, prepend=2)
            await asyncio.sleep(0.01)


def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        before = await w.store.documents()
        for order, said in (
            (RollOut("r1", "too early"), "adopt"),
            (Adopt("r9", "unknown"), "not known here"),
            (OrderAgents(AgentOrderKind.DRAIN, ["ams"], ["dns"], "line cards"), "no PoP ams"),
        ):
            with pytest.raises(MisuseError, match=said):
                await w.daemon.order(order, "ann")
        assert await w.store.documents() == before

    led(tmp_path, body)


def test_a_revision_that_says_otherwise_than_what_is_announced_is_not_adopted(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        w.join("ams")
        with pytest.raises(MisuseError, match="announced otherwise than revision r1 says: ~ ams transit"):
            await w.daemon.order(Adopt("r1", "begin"), "ann")

    led(tmp_path, body)


def test_an_agent_that_knows_a_higher_term_ends_the_leadership_and_the_next_is_above_it(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        term = w.daemon.term()
        assert term is not None
        hello = Hello([2], "ams", __version__, now().wall, term + 1000)
        answer = await w.daemon.agent_hello("ams", hello)
        assert isinstance(answer, Elsewhere)
        await w.until(lambda: w.daemon.term() is None)
        await w.until(lambda: w.daemon.term() is not None)
        assert (w.daemon.term() or 0) > term + 1000
        assert isinstance(await w.daemon.agent_hello("ams", hello), Welcoming)

    led(tmp_path, body)


def test_orders_reach_agents_and_their_answers_the_log(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        for pop in POPS:
            w.join(pop)
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        await w.daemon.order(OrderAgents(AgentOrderKind.DRAIN, ["ams"], ["dns"], "cards", lasts_s=60.0), "ann")
        await w.until(lambda: len(w.sent.orders) == 1)
        pop, order = w.sent.orders[0]
        assert (pop, order.order, order.services, order.owner) == ("ams", "drain", ["dns"], "ann")
        assert order.parameters["expires"] == pytest.approx(now().wall + 60.0, abs=5.0)
        w.daemon.agent_answer("ams", order.id, None)
        await w.until(lambda: w.daemon.leadership.durable.orders[int(order.id)].answer == "")

    led(tmp_path, body)


def test_the_state_is_found_again_by_the_next_leadership(tmp_path: Path) -> None:
    async def first(w: World) -> None:
        await w.daemon.order(Adopt("r0", "begin"), "ann")
        await w.daemon.order(Freeze("storm"), "bob")

    async def second(w: World) -> None:
        kept = await w.daemon.kept()
        assert kept.desired == Desired("r0")
        assert kept.frozen is not None
        assert kept.frozen.who == "bob"
        w.join("ams")
        await w.until(lambda: "ams" in w.sent.assigned)

    led(tmp_path, first)
    led(tmp_path, second)


def row(text: str, kind: str = "agent_stopped") -> EventRow:
    return EventRow(now().wall, kind, Raw(b'{"reason": "%s"}' % text.encode()))


def test_agents_events_are_stored_once_each(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        assert await w.daemon.agent_events("ams", "log", 1, [row("a"), row("b")]) == 2
        assert await w.daemon.agent_events("ams", "log", 2, [row("b"), row("c")]) == 3
        assert await w.daemon.agent_events("ams", "log", 1, [row("a")]) == 3
        assert await w.daemon.agent_events("ams", "log", 4, [row("x", kind="of_a_later_release")]) == 4
        assert await w.daemon.agent_events("ams", "another", 1, [row("d")]) == 1
        stored = [event.fields["reason"] for event in await w.store.events(pop="ams")]
        assert stored == ["a", "b", "c", "d"]
        hello = Hello([2], "ams", __version__, now().wall, log="another")
        answer = await w.daemon.agent_hello("ams", hello)
        assert isinstance(answer, Welcoming)
        assert answer.events_acked == 1

    led(tmp_path, body)


def test_events_of_many_agents_become_few_transactions() -> None:
    async def main() -> None:
        commits: list[int] = []

        async def commit(documents: object, events: list[object]) -> None:
            commits.append(len(events))

        events = AgentEvents(commit, {"ams": LogPosition("log", 7)})  # type: ignore[arg-type]
        task = asyncio.create_task(events.run())
        told = [events.store(f"pop{n}", "log", 1, [row("a"), row("b")]) for n in range(100)]
        assert await asyncio.gather(*told) == [2] * 100
        assert await events.store("ams", "log", 5, [row("old")]) == 7
        assert (sum(commits), len(commits)) == (200, 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_events_that_cannot_be_stored_are_not_acknowledged() -> None:
    async def main() -> None:
        async def commit(_documents: object, _events: object) -> None:
            raise AnycastleError("the disk is full")

        events = AgentEvents(commit, {})  # type: ignore[arg-type]
        task = asyncio.create_task(events.run())
        with pytest.raises(asyncio.CancelledError):
            await events.store("ams", "log", 1, [row("a")])
        with pytest.raises(AnycastleError, match="disk is full"):
            await task
        assert events.stored_upto("ams", "log") == 0

    asyncio.run(main())


def test_sections_say_what_the_status_says() -> None:
    status = {
        "pop": "ams", "ready": True, "booted": True, "settled": True, "assignment": {"digest": "d"}, "wanted": [],
        "exported": [], "sessions": [], "at": 1.0, "controller": {"connected": True},
        "services": [
            {"name": "dns", "stance": "announce", "permit": "held", "checks": [{"verdict": "healthy"}]},
            {"name": "web", "stance": "steer", "permit": "none", "checks": [{"verdict": "unhealthy"}]},
        ],
    }  # fmt: skip
    sections = sections_of(status)
    assert "at" not in sections["agent"]
    state = PoPBook("ams").take(SectionsChanged(sections, {}), sections)
    assert (state.assignment, state.settled, set(state.report.services)) == ("d", True, {"dns", "web"})
    assert state.indicators == {"announced_share": 0.5, "healthy_checks_share": 0.5}


def test_what_changes_of_a_state_is_what_is_read_again() -> None:
    def status(*names: str, stance: str = "announce") -> dict[str, object]:
        services = [{"name": name, "stance": stance, "permit": "held"} for name in names]
        routes = [{"prefix": f"10.0.{place}.0/24", "upstream": "a"} for place in range(len(names))]
        rest: dict[str, object] = {"ready": True, "booted": True, "settled": True, "assignment": None, "sessions": []}
        return {**rest, "services": services, "wanted": routes, "exported": routes}

    book, known = PoPBook("ams"), ReportBook()
    for told in (status("dns", "web"), status("dns", "web", stance="steer"), status("web"), status("web", "ntp")):
        sections = sections_of(told)
        changes = known.differences(sections)
        known.apply(known.revision + 1, changes)
        state = book.take(changes, known.sections)
        afresh = PoPBook("ams").take(SectionsChanged(sections, {}), sections)
        assert state == afresh
    assert set(state.report.services) == {"web", "ntp"}
    assert len(state.report.exported) == 2


class Drained:
    """A PoP's book, told how its services stand."""

    def __init__(self) -> None:
        self.book, self.known = PoPBook("ams"), ReportBook()

    def share(self, **stands: str) -> float | None:
        """Give the announced share: `serving`, `sick`, or a drain's step."""
        services = [
            {
                "name": name, "permit": "held", "stance": "announce" if how == "serving" else "withdraw",
                "drain": {"step": "normal" if how in ("serving", "sick") else how},
            }
            for name, how in stands.items()
        ]  # fmt: skip
        sections = sections_of({"pop": "ams", "services": services, "wanted": [], "exported": [], "sessions": []})
        changes = self.known.differences(sections)
        self.known.apply(self.known.revision + 1, changes)
        return self.book.take(changes, self.known.sections).indicators.get("announced_share")


@pytest.mark.mission("C4")
def test_what_is_drained_on_purpose_is_not_missed_and_what_fails_is() -> None:
    assert Drained().share(dns="serving", web="stopped") == 1.0
    assert Drained().share(dns="serving", web="sick") == 0.5
    assert Drained().share(dns="sick", web="stopped") == 0.0
    nothing = Drained().share(dns="stopped")
    assert nothing is not None
    assert isnan(nothing), "it says nothing of the PoP, and no data is not a pass"


@pytest.mark.mission("C4")
def test_one_whose_drain_has_ended_is_missed_once_it_was_back() -> None:
    pop = Drained()
    assert pop.share(dns="serving", web="stopped") == 1.0
    assert pop.share(dns="serving", web="sick") == 1.0, "its checks have not passed yet"
    assert pop.share(dns="serving", web="serving") == 1.0
    assert pop.share(dns="serving", web="sick") == 0.5
    assert pop.share(dns="serving") == 1.0


def test_what_agents_tell_is_what_gates_can_ask_for() -> None:
    status = {
        "pop": "ams", "wanted": [], "exported": [],
        "services": [{"name": "dns", "stance": "announce", "permit": "held", "checks": [{"verdict": "healthy"}]}],
        "sessions": [{"upstream": "t", "neighbour": "192.0.2.1", "state": "established"}],
    }  # fmt: skip
    sections = sections_of(status)
    assert PoPBook("ams").take(SectionsChanged(sections, {}), sections).indicators.keys() == INDICATORS.keys()
