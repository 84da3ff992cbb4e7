"""A fleet under a controller: real agents with embedded speakers, real TLS on loopback, and the ledger of permits.

The controller is as small as can be: its ledger deals permits over the sessions that agents have with it. It is killed,
agents are killed, certificates are revoked; the floor stands all the while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.ports import FAR_FUTURE
from anycastle.daemons.agent_link import AgentLink, LinkSettings
from anycastle.io.clock import now
from anycastle.io.event_writer import EventWriter
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.host import Elsewhere, Welcoming
from anycastle.io.link.listener import LinkListener
from anycastle.io.pki.authority import create
from anycastle.lab.embedded import EmbeddedLab
from anycastle.lab.fleet import fleet_of
from anycastle.lab.topology_file import find_topology
from anycastle.model.event import ControllerLost, ControllerMet, Event, PermitChanged
from anycastle.model.fleet import Fleet
from anycastle.model.identity import Role
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.service import Floor
from anycastle.rollout.permits import Grant as LedgerGrant
from anycastle.rollout.permits import PermitLedger
from anycastle.session.link_controller import Terms
from anycastle.session.link_report import Sections, SectionsChanged
from anycastle.wire.link.message import EventRow, Grant, Hello, Order, Revoke

HOST = "127.0.0.1"
POPS = ("pop1", "pop2", "pop3")


async def until(condition: Callable[[], object], what: str = "") -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.01)


class Controller:
    """Joins the ledger to sessions. `stored` and `term` are its database."""

    def __init__(self, fleet: Fleet, files: CredentialFiles) -> None:
        self.fleet = fleet
        self.files = files
        self.term = 0
        self.port = 0
        self.stored: dict[tuple[str, str], list[EventRow]] = {}
        self.answers: list[tuple[str, str, str | None]] = []
        self.complaints: list[str] = []
        self.ledger = PermitLedger(fleet)
        self.sections: dict[str, Sections] = {}
        self.listener: LinkListener
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self.term += 1
        self.ledger = PermitLedger(self.fleet)
        self.sections = {}
        credentials = read_credentials(self.files, Role.CONTROLLER)
        self.listener = LinkListener(self, credentials, terms=Terms(heartbeat_s=0.5), complain=self.complaints.append)
        self.port = await self.listener.start(HOST, self.port)

    def kill(self) -> None:
        """Die as a process does: connections are reset, nothing is said."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for connection in tuple(self.listener._connections):
            connection.session = None
            connection.channel.stream.abort()
        assert self.listener._server is not None
        self.listener._server.close()

    @property
    def joined(self) -> set[str]:
        return {session.pop for session in self.listener.sessions if session.joined}

    def _deal(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for command in self.ledger.wake(now().monotonic):
            kind = Grant if isinstance(command, LedgerGrant) else Revoke
            self.listener.command(command.pop, kind(command.service, command.epoch))
        if self.ledger.deadline != FAR_FUTURE:
            self._timer = asyncio.get_running_loop().call_at(self.ledger.deadline, self._deal)

    async def agent_hello(self, pop: str, hello: Hello) -> Welcoming | Elsewhere:
        return Welcoming(self.term, len(self.stored.setdefault((pop, hello.log), [])))

    def agent_joined(self, pop: str, hello: Hello, reports: Sequence[PermitReport]) -> None:
        self.ledger.joined(pop, reports, now().monotonic)
        self._deal()

    def agent_permits(self, pop: str, reports: Sequence[PermitReport]) -> None:
        self.ledger.reported(pop, reports, now().monotonic)
        self._deal()

    def agent_report(self, pop: str, changes: SectionsChanged, sections: Sections) -> None:
        self.sections[pop] = {name: dict(entries) for name, entries in sections.items()}

    async def agent_events(self, pop: str, log: str, first: int, events: Sequence[EventRow]) -> int:
        stored = self.stored.setdefault((pop, log), [])
        stored += events[len(stored) + 1 - first :]
        return len(stored)

    def agent_answer(self, pop: str, order_id: str, refusal: str | None) -> None:
        self.answers.append((pop, order_id, refusal))

    def agent_assignment(self, pop: str, digest: str, refusal: str | None) -> None:
        self.answers.append((pop, digest, refusal))

    def agent_left(self, pop: str, why: str) -> None:
        self.ledger.left(pop, now().monotonic)
        self._deal()


class FleetLab:
    """Three PoPs that announce, each with its link."""

    def __init__(self, folder: Path, floor: int) -> None:
        topology = find_topology("three-pops")
        services = tuple(replace(service, floor=Floor(floor)) for service in topology.services)
        quick = replace(topology.timers, check_interval_s=0.2, check_timeout_s=0.15, fall=2)
        self.topology = replace(topology, services=services, timers=quick)
        self.folder = folder
        self.events: list[Event] = []
        self.writers = {pop: EventWriter(folder / f"{pop}.db") for pop in POPS}
        self.lab = EmbeddedLab(self.topology, self._record, state_dir=folder)
        self.links: dict[str, AgentLink] = {}
        self.authority = create(folder / "pki", "lab", now().wall)
        self.authority.issue(Role.CONTROLLER, "one", folder / "certificates", now().wall, hosts=[HOST])
        for pop in POPS:
            self.authority.issue(Role.POP, pop, folder / "certificates", now().wall)
        fleet = fleet_of(self.topology, self.lab.wiring, POPS[0])
        self.controller = Controller(fleet, self.files("one"))

    def files(self, name: str) -> CredentialFiles:
        folder = self.folder / "certificates"
        pki = self.folder / "pki"
        return CredentialFiles(pki / "bundle.pem", folder / f"{name}.pem", folder / f"{name}.key", pki / "crl.pem")

    def _record(self, event: Event) -> None:
        self.events.append(event)
        self.writers[event.pop].put(event)

    async def start(self) -> None:
        await self.controller.start()
        await self.lab.start()
        for pop in POPS:
            self.link(pop)
        await until(lambda: self.controller.joined == set(POPS), "all agents join")

    def link(self, pop: str) -> AgentLink:
        settings = LinkSettings((f"{HOST}:{self.controller.port}",), self.files(pop))
        made = AgentLink(
            self.lab.agents[pop],
            settings,
            events_path=self.folder / f"{pop}.db",
            orders_path=self.folder / f"{pop}.orders",
        )
        self.links[pop] = made
        made.start()
        return made

    async def close(self) -> None:
        for link in self.links.values():
            await link.stop()
        await self.controller.listener.close()
        self.controller.kill()
        await self.lab.close()
        for writer in self.writers.values():
            await asyncio.to_thread(writer.close)
        await asyncio.sleep(0.05)

    # -- what is seen ---------------------------------------------------------------------------------------------

    def permit(self, pop: str) -> PermitState:
        return self.lab.agents[pop].engine.services["dns"].permit.state

    def holders(self) -> set[str]:
        return {pop for pop in POPS if self.permit(pop) is not PermitState.NONE}

    def announcing(self) -> set[str]:
        return {pop for pop in POPS if self.lab.agents[pop].engine.router.exports}

    def fail(self, pop: str) -> None:
        self.lab.servers[pop].stop()

    def bodies(self, kind: type, pop: str) -> list[Event]:
        return [event for event in self.events if isinstance(event.body, kind) and event.pop == pop]


def run(folder: Path, body: Callable[[FleetLab], Awaitable[None]], floor: int = 2) -> None:
    async def whole() -> None:
        lab = FleetLab(folder, floor)
        await lab.start()
        try:
            await body(lab)
            assert not lab.controller.complaints
        finally:
            await lab.close()

    asyncio.run(whole())


@pytest.mark.mission("C16", "I10")
def test_the_controller_deals_permits_and_a_pop_withdraws_with_its_own(tmp_path: Path) -> None:
    async def body(lab: FleetLab) -> None:
        await until(lambda: lab.announcing() == set(POPS), "all announce")
        lab.fail("pop3")
        # It has none, wants one, and gets it: the slack is one of three.
        await until(lambda: lab.announcing() == {"pop1", "pop2"}, "pop3 withdraws")
        assert lab.permit("pop3") is PermitState.USED
        lab.fail("pop2")
        await until(lambda: lab.lab.agents["pop2"].engine.services["dns"].decision.refused, "pop2 is refused")
        await asyncio.sleep(1.0)  # a second for what must not happen
        assert lab.announcing() == {"pop1", "pop2"}
        assert lab.holders() == {"pop3"}
        told = lab.controller.sections["pop2"]["services"]["dns"]
        assert b'"stance":"steer"' in told

    run(tmp_path, body)


@pytest.mark.mission("C16", "I1", "I10")
def test_a_controller_that_is_killed_is_missed_by_nobody_and_found_again(tmp_path: Path) -> None:
    async def body(lab: FleetLab) -> None:
        await until(lambda: lab.announcing() == set(POPS), "all announce")
        await until(lambda: lab.controller.ledger.relied_on(lab.controller.fleet.services[0]) != [], "it deals")
        lab.fail("pop1")
        await until(lambda: lab.announcing() == {"pop2", "pop3"}, "pop1 withdraws")
        lab.controller.kill()
        await until(lambda: all(lab.bodies(ControllerLost, pop) for pop in POPS), "all go on alone")
        lab.fail("pop2")
        await until(lambda: lab.lab.agents["pop2"].engine.services["dns"].decision.refused)
        assert lab.announcing() == {"pop2", "pop3"}, "nobody withdraws without a permit"
        await lab.controller.start()
        await until(lambda: lab.controller.joined == set(POPS), "all come back")
        assert {lab.bodies(ControllerMet, pop)[-1].body.term for pop in POPS} == {2}  # type: ignore[union-attr]
        assert lab.holders() == {"pop1"}
        rows = [rows for (pop, _), rows in lab.controller.stored.items() if pop == "pop1"]
        await until(lambda: any(row.event == "controller_lost" for row in rows[-1]), "what was missed is told")

    run(tmp_path, body)


@pytest.mark.mission("I10")
def test_events_are_stored_once_each_whatever_ends(tmp_path: Path) -> None:
    async def body(lab: FleetLab) -> None:
        for _ in range(3):
            lab.controller.kill()
            await until(lambda: not any(lab.lab.agents[pop].link["connected"] for pop in POPS))  # type: ignore[index]
            await lab.controller.start()
            await until(lambda: lab.controller.joined == set(POPS), "all come back")
        for pop in POPS:
            recorded = [event for event in lab.events if event.pop == pop]
            (rows,) = [rows for (name, log), rows in lab.controller.stored.items() if name == pop and log]
            await until(lambda rows=rows, recorded=recorded: len(rows) >= len(recorded), "all is told")  # type: ignore[misc]
            hashes = [row.hash for row in rows]
            assert len(set(hashes)) == len(hashes)

    run(tmp_path, body)


def test_an_agents_revoked_certificate_ends_its_session_and_not_its_announcements(tmp_path: Path) -> None:
    async def body(lab: FleetLab) -> None:
        await until(lambda: lab.announcing() == set(POPS), "all announce")
        lab.authority.revoke("pop/pop3", "stolen", now().wall)
        credentials = read_credentials(lab.files("one"), Role.CONTROLLER)
        assert lab.controller.listener.reload(credentials) == ["pop3"]
        link = lab.lab.agents["pop3"]
        await until(lambda: link.link is not None and not link.link["connected"])
        lab.links["pop3"].client.engine._next = now().monotonic  # it would wait for a minute, as it was told
        lab.links["pop3"].client._set_timer()
        await until(lambda: "was revoked" in (link.link_problem or ""), "it is refused at the next handshake")
        assert lab.controller.joined == {"pop1", "pop2"}
        assert lab.announcing() == set(POPS)

    run(tmp_path, body)


def test_orders_and_commands_for_what_is_not_there_are_answered(tmp_path: Path) -> None:
    async def body(lab: FleetLab) -> None:
        listener = lab.controller.listener
        await until(lambda: lab.announcing() == set(POPS), "all announce")
        listener.order("pop1", Order("o1", "drain", ["dns"], "alice", "maintenance", {"soak_s": 0.1, "wait_s": 0.1}))
        listener.order("pop1", Order("o1", "drain", ["dns"], "alice", "maintenance"))
        listener.order("pop1", Order("o2", "drain", ["nothing"], "alice"))
        listener.order("pop1", Order("o3", "dance", ["dns"], "alice"))
        listener.order("pop1", Order("o4", "drain", ["dns"], "alice", "", {"speed": 1.0}))
        listener.command("pop1", Grant("nothing", 5))
        listener.command("pop1", Revoke("nothing", 6))
        listener.assign("pop1", "digest", b"{}")
        await until(lambda: len(lab.controller.answers) >= 5)
        answers = {order: refusal for _, order, refusal in lab.controller.answers}
        assert answers["o1"] is None
        assert "serves no service 'nothing'" in (answers["o2"] or "")
        assert "knows no order 'dance'" in (answers["o3"] or "")
        assert "knows no parameter speed" in (answers["o4"] or "")
        assert answers["digest"] is not None
        await until(lambda: lab.controller.ledger.holding("nothing", "pop1") is not None, "it says that it has none")
        holding = lab.controller.ledger.holding("nothing", "pop1")
        assert holding is not None
        assert (holding.reported.state, holding.reported.exported) == (PermitState.NONE, False)
        assert lab.controller.joined == set(POPS)
        commanded = lab.bodies(PermitChanged, "pop1")
        assert all(event.body.service == "dns" for event in commanded)  # type: ignore[union-attr]

    run(tmp_path, body)


def test_a_broken_link_leaves_the_agent_serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(lab: FleetLab) -> None:
        await until(lambda: lab.announcing() == set(POPS), "all announce")
        link, daemon = lab.links["pop1"], lab.lab.agents["pop1"]

        def broken() -> None:
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(link, "permit_reports", broken)
        link.client.changed()
        await until(lambda: lab.controller.joined == {"pop2", "pop3"}, "its session ends")
        assert "a bug" in (daemon.link_problem or "")
        assert daemon.engine.alone
        assert not daemon.problems(), "it is ready all the same"
        lab.fail("pop1")
        await until(lambda: daemon.engine.services["dns"].condition.value == "down", "its checks go on")

    run(tmp_path, body, floor=1)
