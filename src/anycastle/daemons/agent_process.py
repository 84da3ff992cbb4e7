"""`anycastle agent run`: the agent with its files, sockets, signals and pages around it."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.daemons.agent import AgentDaemon, managed_addresses, status
from anycastle.daemons.assigned import Start
from anycastle.daemons.reloads import Reloads
from anycastle.daemons.watchdog import Charge, WatchdogClient
from anycastle.io import systemd_notify
from anycastle.io.access_file import AccessFile
from anycastle.io.agent_metrics import AgentMetrics
from anycastle.io.agent_state import AgentStateFile
from anycastle.io.assignment_file import AssignmentFile
from anycastle.io.clock import now
from anycastle.io.directory import make_directory
from anycastle.io.echo import Echo
from anycastle.io.event_writer import EventWriter
from anycastle.io.link.files import CredentialFiles, LinkSettings
from anycastle.io.local_socket import LocalServer
from anycastle.io.lock import claim
from anycastle.io.loopback import Loopback
from anycastle.io.routers import DriverChoice
from anycastle.io.routers.bird import BirdDriver
from anycastle.io.status_server import Page, StatusServer
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.event import KIND_OF, Alarm, AnnouncementsConfirmed, Event, OperatorCommanded, PermitChanged
from anycastle.model.fleet import Fleet

if TYPE_CHECKING:
    from anycastle.daemons.agent_link import AgentLink


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What the command line says of one agent."""

    pop: str
    state_dir: Path
    run_dir: Path
    listen: tuple[str, int] | None
    observe_only: bool = False
    watchdog: bool = True
    link: LinkSettings | None = None
    """The controllers to dial; None: the agent lives by its files alone."""

    @property
    def control_socket(self) -> Path:
        """Where `anycastle agent status` and its sisters ask."""
        return self.run_dir / "agent.sock"

    @property
    def assignments(self) -> AssignmentFile:
        """Where the agent's assignment is kept."""
        return AssignmentFile(self.state_dir / "assignment.json")

    @property
    def access(self) -> AccessFile:
        """Where it is kept how controllers are reached."""
        return AccessFile(self.state_dir / "controller.json")

    def link_for(self, access: ControllerAccess | None) -> LinkSettings | None:
        """Give which controllers are dialled: those of the command line, else those of the files."""
        if self.link is not None or access is None:
            return self.link
        return LinkSettings(access.addresses, CredentialFiles(*map(Path, access.paths(self.pop))))


class DrainRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What `anycastle agent drain` and `undrain` send."""

    command: str
    services: list[str]
    owner: str
    reason: str = ""
    soak_s: float = 5.0
    wait_s: float = 5.0
    expires: float | None = None
    pop: str | None = None


TELL_S = 0.005
"""How long an event waits: two to three times what a router takes to be told. The threads that write and tell it would
take the processor from the withdrawal; and what belongs together becomes one transaction."""


class AgentProcess:
    """One agent and all that is around it. `load` reads the fleet folder anew, at each reload."""

    def __init__(self, settings: AgentSettings, start: Start, load: Callable[[], Awaitable[Fleet]]) -> None:
        fleet = start.fleet
        make_directory(settings.state_dir, 0o700)
        make_directory(settings.run_dir, 0o755)
        self._settings = settings
        self._load = load
        self._claims = [claim(settings.state_dir, "agent", "has this state directory")]
        events_path = settings.state_dir / "events.db"
        self._events = EventWriter(events_path)
        self._echo = Echo(told)
        self._noted: list[Event] = []
        choice = DriverChoice(fleet.asn, fleet.pop(settings.pop), settings.run_dir)
        charge = Charge(
            settings.pop, choice, settings.run_dir / "watchdog.sock", events_path, settings.state_dir / "watchdog.log"
        )
        driver = choice.make()
        if isinstance(driver, BirdDriver):
            self._claims.append(claim(driver.claimed(), "agent", "drives BIRD by the file in this directory"))
        watching = settings.watchdog and not settings.observe_only
        self._loopback = Loopback(managed_addresses(fleet))
        self.daemon = AgentDaemon(
            fleet,
            settings.pop,
            driver,
            record=self._note,
            store=AgentStateFile(settings.state_dir / "agent.json"),
            assignments=settings.assignments,
            start=start,
            addresses=self._loopback,
            watchdog=WatchdogClient(charge) if watching else None,
            observe_only=settings.observe_only,
        )
        self._keep_access(fleet.controller)
        link = settings.link_for(fleet.controller)
        self._link = None if link is None else _linked(self.daemon, link, settings)
        self._control = LocalServer(settings.control_socket, self._asked)
        self._metrics = AgentMetrics(self._full_status)
        self._feeding = systemd_notify.Feeding()
        self._reloads = Reloads(self._reload, self._serving)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT has led to a good end."""
        loop = asyncio.get_running_loop()
        await self._control.start()
        pages = await self._serve_pages()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reloads.soon)
        gc.collect()
        gc.freeze()  # the fleet lives as long as the process: no collection need look at it again
        systemd_notify.notify("READY=1", f"STATUS={self._serving()}")
        self._feeding.start()
        if self._link is not None:
            self._link.start()
        try:
            await self.daemon.run()
        finally:
            self._feeding.stop()
            if self._link is not None:
                await self._link.stop()
            await self._control.close()
            if pages is not None:
                await pages.close()
            self._tell()
            await asyncio.to_thread(self._events.close)
            await asyncio.to_thread(self._echo.close)
            for claimed in self._claims:
                os.close(claimed)

    def _note(self, event: Event) -> None:
        """Keep an event for the log and for standard error, until the router has been told what it tells of."""
        self._noted.append(event)
        if len(self._noted) == 1:
            asyncio.get_running_loop().call_later(TELL_S, self._tell)

    def _tell(self) -> None:
        noted, self._noted = self._noted, []
        for event in noted:
            self._events.put(event)
            self._echo.put(event)

    def _problems(self) -> list[str]:
        failure = self._events.failure
        return self.daemon.problems() + ([] if failure is None else [f"the event log cannot be written: {failure}"])

    async def _serve_pages(self) -> StatusServer | None:
        if self._settings.listen is None:
            return None
        routes = {"/metrics": self._metrics_page, "/healthz": self._health_page, "/readyz": self._ready_page}
        server = StatusServer(routes, *self._settings.listen)
        await server.start()
        return server

    def _stop(self) -> None:
        systemd_notify.notify("STOPPING=1")
        self.daemon.stop()

    def _serving(self) -> str:
        return f"serving {self._settings.pop}"

    async def _reload(self) -> None:
        """Take the fleet files anew; files with errors change nothing."""
        try:
            fleet = await self._load()
            self._reload_link(fleet.controller)
            self.daemon.reload(fleet)
            granted, reason = True, "the fleet files were read anew"
        except (WorldError, MisuseError, KeyError) as error:
            granted, reason = False, str(error)
        self.daemon.record(OperatorCommanded("reload", "signal", reason, granted))

    def _keep_access(self, access: ControllerAccess | None) -> None:
        try:
            self._settings.access.save(access)
        except WorldError as error:
            self.daemon.record(Alarm("controller-not-durable", self._settings.pop, str(error)))

    def _reload_link(self, access: ControllerAccess | None) -> None:
        """Dial what the files name now. Raises `MisuseError` where that needs a restart."""
        link = self._settings.link_for(access)
        if (link is None) != (self._link is None):
            raise MisuseError("the files name controllers now, or none any more: restart the agent to take that")
        self._keep_access(access)
        if self._link is not None and link is not None:
            self._link.reload(link)

    # -- pages ----------------------------------------------------------------------------------------------------

    def _full_status(self) -> dict[str, Any]:
        answers = {outcome.value: count for outcome, count in self.daemon.answers.items()}
        told = status(self.daemon) | {"answers": answers, "events_dropped": self._events.dropped}
        problems = self._problems()
        return told | {"ready": not problems, "problems": problems}

    def _metrics_page(self, accept: str) -> Page:
        content_type, body = self._metrics.render(accept)
        return Page(body, content_type=content_type)

    def _health_page(self, _accept: str) -> Page:
        return Page(b"ok\n")

    def _ready_page(self, _accept: str) -> Page:
        problems = self._problems()
        if not problems:
            return Page(b"ready\n")
        return Page("".join(f"{problem}\n" for problem in problems).encode(), HTTPStatus.SERVICE_UNAVAILABLE)

    # -- the control socket ---------------------------------------------------------------------------------------

    async def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("pop", self.daemon.pop) != self.daemon.pop:
            raise MisuseError(f"this is the agent of {self.daemon.pop}, not of {request['pop']}")
        match request.get("command"):
            case "status":
                return self._full_status()
            case "drain" | "undrain":
                return self._drain(request)
            case "assign":
                return self._assign(request.get("assignment"))
            case "reload":
                await self._reloads.run()
                return {"reloaded": True}
            case command:
                raise MisuseError(f"unknown command {command!r}")

    def _assign(self, assignment: object) -> dict[str, Any]:
        """Take an assignment by hand, as text: what a controller that is lost would have sent."""
        if not isinstance(assignment, str):
            raise MisuseError("not understood: `assignment` is the text of one")
        self.daemon.assign(assignment.encode())
        return {"assignment": self._full_status()["assignment"]}

    def _drain(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            asked = msgspec.convert(request, DrainRequest)
        except msgspec.ValidationError as error:
            raise MisuseError(f"not understood: {error}") from error
        engine = self.daemon.engine
        if asked.command == "undrain":
            commands = engine.undrain(asked.services, asked.owner, asked.reason, now())
        else:
            expires = None if asked.expires is None else Timestamp(asked.expires)
            commands = engine.drain(
                asked.services,
                asked.owner,
                asked.reason,
                now(),
                soak_s=asked.soak_s,
                wait_s=asked.wait_s,
                expires=expires,
            )
        self.daemon.perform(commands)
        described = [service for service in self._full_status()["services"] if service["name"] in asked.services]
        return {"services": described}


def _linked(daemon: AgentDaemon, link: LinkSettings, settings: AgentSettings) -> "AgentLink":
    from anycastle.daemons.agent_link import AgentLink  # a fifth of an agent's memory, where no controller is dialled

    events_path, orders_path = settings.state_dir / "events.db", settings.state_dir / "orders.json"
    return AgentLink(daemon, link, events_path=events_path, orders_path=orders_path)


def told(event: Event) -> str | None:
    """Give the line that an event is told by, or None for one that is of use in the log only."""
    return None if isinstance(event.body, AnnouncementsConfirmed | PermitChanged) else line_of(event)


def line_of(event: Event) -> str:
    """Give an event as one line: its kind, and what its fields say, without what is empty."""
    told = " ".join(f"{key}={_word(value)}" for key, value in asdict(event.body).items() if value not in ("", ()))
    return f"{KIND_OF[type(event.body)]} {told}".rstrip()


def _word(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return repr(text) if " " in text else text
