"""A controller's listener and agents' clients over real sockets on loopback, with certificates of a real authority."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.link.client import LinkClient
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.host import Elsewhere, LogRows, Welcoming
from anycastle.io.link.listener import LinkListener
from anycastle.io.pki.authority import Authority, create
from anycastle.model.identity import Role
from anycastle.model.permit import PermitReport
from anycastle.session.link_agent import AgentFacts
from anycastle.session.link_clock import Skew
from anycastle.session.link_controller import Terms
from anycastle.session.link_orders import Answer
from anycastle.session.link_report import Sections, SectionsChanged
from anycastle.wire.link.message import EventRow, Hello, Order

HOST = "127.0.0.1"
QUICK = Terms(heartbeat_s=0.2)


async def until(condition: Callable[[], object], what: str = "") -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


class Fleet:
    """An authority, its certificates, and the files of both sides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Authority = create(folder / "pki", "edge", now().wall)
        self.authority.issue(Role.CONTROLLER, "one", folder / "controller", now().wall, hosts=[HOST])

    def controller_files(self) -> CredentialFiles:
        files = self.folder / "controller"
        return CredentialFiles(
            self.folder / "pki" / "bundle.pem", files / "one.pem", files / "one.key", self.folder / "pki" / "crl.pem"
        )

    def agent_files(self, pop: str, *, at: Timestamp | None = None, days: float | None = None) -> CredentialFiles:
        files = self.folder / "agents"
        if not (files / f"{pop}.pem").exists():
            self.authority.issue(Role.POP, pop, files, at or now().wall, days=days)
        return CredentialFiles(self.folder / "pki" / "bundle.pem", files / f"{pop}.pem", files / f"{pop}.key")


class Controller:
    """A host that notes what it hears; `stored` is its database."""

    def __init__(self) -> None:
        self.term = 1
        self.elsewhere: Elsewhere | None = None
        self.joined: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.permits: dict[str, list[PermitReport]] = {}
        self.sections: dict[str, Sections] = {}
        self.stored: dict[str, list[EventRow]] = {}
        self.answers: list[tuple[str, str, str | None]] = []
        self.taken: list[tuple[str, str, str | None]] = []
        self.fails = False
        self.gate: asyncio.Event | None = None

    async def agent_hello(self, pop: str, hello: Hello) -> Welcoming | Elsewhere:
        return self.elsewhere or Welcoming(self.term, len(self.stored.get(pop, [])))

    def agent_joined(self, pop: str, hello: Hello, reports: Sequence[PermitReport]) -> None:
        self.joined.append(pop)
        self.permits[pop] = list(reports)

    def agent_permits(self, pop: str, reports: Sequence[PermitReport]) -> None:
        if self.fails:
            raise ZeroDivisionError("a bug of the controller")
        self.permits.setdefault(pop, []).extend(reports)

    def agent_report(self, pop: str, changes: SectionsChanged, sections: Sections) -> None:
        self.sections[pop] = {name: dict(entries) for name, entries in sections.items()}

    async def agent_events(self, pop: str, log: str, first: int, events: Sequence[EventRow]) -> int:
        if self.gate is not None:
            await self.gate.wait()
        stored = self.stored.setdefault(pop, [])
        stored += events[len(stored) + 1 - first :]
        return len(stored)

    def agent_answer(self, pop: str, order_id: str, refusal: str | None) -> None:
        self.answers.append((pop, order_id, refusal))

    def agent_assignment(self, pop: str, digest: str, refusal: str | None) -> None:
        self.taken.append((pop, digest, refusal))

    def agent_left(self, pop: str, why: str) -> None:
        self.left.append((pop, why))


class Agent:
    """A host that is told what to tell."""

    def __init__(self, pop: str) -> None:
        self.pop = pop
        self.term = 0
        self.entries: dict[str, bytes] = {"dns": b"1"}
        self.log: list[EventRow] = []
        self.reports: list[PermitReport] = []
        self.troubles: list[str] = []
        self.losses: list[str] = []
        self.skews: list[Skew] = []
        self.commands: list[tuple[str, int]] = []
        self.orders: list[Order] = []
        self.assignments: list[bytes] = []
        self.breaks = False

    def facts(self) -> AgentFacts | None:
        return AgentFacts(self.pop, "1.0", self.term, "", "log")

    def met(self, term: int, version: int) -> str | None:
        if term < self.term:
            return f"term {term} was superseded by {self.term}"
        self.term = term
        return None

    def lost(self, why: str) -> None:
        self.losses.append(why)

    def trouble(self, text: str) -> None:
        self.troubles.append(text)

    def measured(self, skew: Skew) -> None:
        self.skews.append(skew)

    def sections(self) -> Sections:
        if self.breaks:
            raise ZeroDivisionError("a bug of the agent")
        return {"services": dict(self.entries)}

    def permit_reports(self) -> tuple[Sequence[PermitReport], bool]:
        return list(self.reports), True

    def granted(self, service: str, epoch: int) -> None:
        self.commands.append((service, epoch))

    def revoked(self, service: str, epoch: int) -> None:
        self.commands.append((service, -epoch))

    def take_assignment(self, octets: bytes) -> None:
        if octets == b"bad":
            raise MisuseError("it would withdraw dns")
        self.assignments.append(octets)

    def carry_out(self, order: Order) -> None:
        self.orders.append(order)
        if order.order == "break":
            raise ZeroDivisionError("a bug of the agent")

    def keep_orders(self, orders: Sequence[Answer]) -> None:
        pass

    async def read_events(self, after: int, limit: int) -> LogRows:
        return LogRows("log", after + 1, self.log[after : after + limit])


class Rig:
    """One controller, some agents."""

    def __init__(self, folder: Path) -> None:
        self.fleet = Fleet(folder)
        self.controller = Controller()
        self.complaints: list[str] = []
        self.port = 0
        self.clients: list[LinkClient] = []
        self.listener: LinkListener

    async def listen(self) -> None:
        self.listener = LinkListener(
            self.controller,
            read_credentials(self.fleet.controller_files(), Role.CONTROLLER),
            terms=QUICK,
            complain=self.complaints.append,
        )
        self.port = await self.listener.start(HOST, self.port)

    def dial(self, agent: Agent, files: CredentialFiles | None = None) -> LinkClient:
        made = LinkClient(agent, [f"{HOST}:{self.port}"], files or self.fleet.agent_files(agent.pop))
        self.clients.append(made)
        made.start()
        return made

    async def joined(self, pop: str = "ams") -> tuple[Agent, LinkClient]:
        agent = Agent(pop)
        client = self.dial(agent)
        await until(lambda: pop in self.controller.joined)
        return agent, client

    async def close(self) -> None:
        for client in self.clients:
            await client.stop()
        await self.listener.close()
        await asyncio.sleep(0.02)  # transports tell of their end in the next round of the loop


def run(folder: Path, body: Callable[["Rig"], Coroutine[None, None, None]]) -> None:
    async def whole() -> None:
        rig = Rig(folder)
        await rig.listen()
        try:
            await body(rig)
        finally:
            await rig.close()

    asyncio.run(whole())
