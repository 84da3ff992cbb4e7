"""`anycastle controller run`: a controller with its store, the listener that agents dial, and its local socket."""

import asyncio
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from anycastle import __version__
from anycastle.base.errors import AnycastleError, MisuseError, ParseError
from anycastle.daemons.api_place import ApiPlace
from anycastle.daemons.controller import ControllerDaemon
from anycastle.daemons.leadership import AgentSeen
from anycastle.io import controller_json, systemd_notify
from anycastle.io.clock import now
from anycastle.io.directory import make_directory
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.listener import LinkListener
from anycastle.io.local_socket import LocalServer
from anycastle.io.store import SqlStore, open_store
from anycastle.io.store.people import AuditRow, SqlPeople, new_token
from anycastle.io.stored_folders import StoredFolders, checked_revision, files_in
from anycastle.model.identity import Role
from anycastle.model.person import Grant
from anycastle.model.person import Role as PersonRole
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import unknown_validity
from anycastle.rollout.gates import gates_to_ask
from anycastle.rollout.kept import Kept
from anycastle.rollout.mitigation import active, mitigations_of, share_won
from anycastle.rollout.orders import (
    Abort,
    Adopt,
    AgentOrderKind,
    Approve,
    BreakGlass,
    Freeze,
    Mitigate,
    Order,
    OrderAgents,
    Pause,
    Promote,
    Resume,
    RollOut,
    RolloutPolicy,
    Thaw,
)
from anycastle.rollout.plan import Basis

if TYPE_CHECKING:
    from anycastle.daemons.api import ApiServer
    from anycastle.daemons.measured import MeasuredIndicators
    from anycastle.daemons.notifying import Notifying
    from anycastle.daemons.signal_source import SignalSource
    from anycastle.io.config.indicators_file import IndicatorSettings
    from anycastle.io.config.oidc_file import LoginSettings
    from anycastle.io.rpki.cache_place import CachePlace
    from anycastle.io.rpki.source import CurrentVRPs, RPKISource

SOCKET_NAME: Final = "controller.sock"


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """What the command line says of one controller."""

    store: str
    """A database's address."""
    listen: tuple[str, int]
    address: str
    """HOST:PORT by which agents, and other controllers, find this one."""
    credentials: CredentialFiles
    run_dir: Path
    api: ApiPlace | None = None
    login: "LoginSettings | None" = None
    """How people log in at the API; None where there are tokens alone."""
    vrps: str | None = None
    """A validator's JSON export: a file or a URL."""
    rtr: "CachePlace | None" = None
    """A cache that speaks RTR, in place of an export."""
    indicators: "IndicatorSettings | None" = None
    """What gates can ask of a Prometheus."""
    fleet: Path | None = None
    """The fleet folder whose `notify` says who is told of incidents; None: no incidents are opened."""
    findings: tuple[Path, ...] = ()
    """Event logs of watches on this machine."""


class RollOutRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What `anycastle apply` sends."""

    command: str
    owner: str
    folder: str
    reason: str = ""
    bake_s: float = 60.0
    patience_s: float = 600.0
    gates: list[str] = []
    canary_upstreams: list[str] = []
    retire: list[str] = []
    basis: Basis | None = None


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What the commands for rollouts, freezes and drains send."""

    command: str
    owner: str
    reason: str = ""
    rollout: int = 0
    subject: str = ""
    lasts_s: float | None = None
    pops: list[str] = []
    services: list[str] = []
    soak_s: float = 5.0
    wait_s: float = 5.0


class MitigateRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What `anycastle mitigate` sends."""

    command: str
    owner: str
    prefix: str
    reason: str
    end: bool = False


class IncidentRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What the commands for incidents and dead letters send."""

    command: str
    owner: str = ""
    incident: int = 0
    text: str = ""
    keys: list[str] = []


class TokenRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What `anycastle controller token` sends."""

    command: str
    owner: str
    name: str
    role: PersonRole
    principal: str
    lasts_s: float
    services: list[str] | None = None


_ORDERS: Final[Mapping[str, Callable[[OrderRequest], Order]]] = {
    "approve": lambda asked: Approve(asked.subject),
    "pause": lambda asked: Pause(asked.rollout),
    "resume": lambda asked: Resume(asked.rollout),
    "promote": lambda asked: Promote(asked.rollout),
    "abort": lambda asked: Abort(asked.rollout, asked.reason),
    "freeze": lambda asked: Freeze(asked.reason),
    "thaw": lambda asked: Thaw(asked.reason),
    "break-glass": lambda asked: BreakGlass(asked.reason, asked.lasts_s or 0.0),
    "drain": lambda asked: _agents_order(AgentOrderKind.DRAIN, asked),
    "undrain": lambda asked: _agents_order(AgentOrderKind.UNDRAIN, asked),
}
"""Commands of the local socket that are orders."""


def _agents_order(kind: AgentOrderKind, asked: OrderRequest) -> OrderAgents:
    return OrderAgents(kind, asked.pops, asked.services, asked.reason, asked.soak_s, asked.wait_s, asked.lasts_s)


class ControllerProcess:
    """One controller and all that is around it."""

    def __init__(self, settings: ControllerSettings) -> None:
        make_directory(settings.run_dir, 0o755)
        self._settings = settings
        self._control = LocalServer(settings.run_dir / SOCKET_NAME, self._asked)
        self._store: SqlStore | None = None
        self._daemon: ControllerDaemon | None = None
        self._listener: LinkListener | None = None
        self._api: ApiServer | None = None
        self._notifying: Notifying | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        settings, loop = self._settings, asyncio.get_running_loop()
        stopped = asyncio.Event()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, stopped.set)
        allow_descriptors()
        credentials = read_credentials(settings.credentials, Role.CONTROLLER)
        self._store = await open_store(settings.store)
        rpki = _rpki(settings)
        validity = unknown_validity if rpki is None else rpki[0].validity
        folders = StoredFolders(self._store)
        self._notifying = await _notifying(settings)
        self._daemon = ControllerDaemon(
            self._store, folders, settings.address, tell, validity, _measured(settings), self._notifying,
            _sources(settings),
        )  # fmt: skip
        self._listener = LinkListener(self._daemon, credentials, complain=tell)
        self._daemon.listener = self._listener
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        await self._listener.start(*settings.listen)
        await self._control.start()
        leading = asyncio.create_task(self._daemon.run())
        validating = None if rpki is None else asyncio.create_task(rpki[1].run())
        try:
            await self._start_api()
            systemd_notify.notify("READY=1", f"STATUS=listening on {settings.address}")
            await asyncio.wait({leading, asyncio.ensure_future(stopped.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if leading.done():
                await leading
        finally:
            systemd_notify.notify("STOPPING=1")
            await self._control.close()
            if self._api is not None:
                await self._api.close()
            parts = [part for part in (leading, validating) if part is not None]
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self._listener.close()
            if self._notifying is not None:
                await self._notifying.close()
            await self._store.close()

    async def _start_api(self) -> None:
        """Serve the API, if it is asked for. To load it takes a second, in which agents come back already."""
        if self._settings.api is None:
            return
        assert self._store is not None
        assert self._daemon is not None
        server = await asyncio.to_thread(_api_server)
        made = server(self._settings.api, self._store, self._daemon, login=self._settings.login)
        await made.start()
        self._api = made
        tell(f"serves its API at port {self._api.port}")

    def _reload(self) -> None:
        self._reload_credentials()
        if self._settings.fleet is not None:
            self._reloading = asyncio.create_task(self._reload_notify(self._settings.fleet))

    async def _reload_notify(self, fleet: Path) -> None:
        """Go by what the folder says now; one that cannot be used changes nothing."""
        assert self._notifying is not None
        try:
            plan = (await load_fleet_apart(fleet)).notify
        except AnycastleError as error:
            tell(f"who is told stays as it was: {error}")
            return
        await self._notifying.reload(plan)
        tell(f"notify read anew: {', '.join(sorted(self._notifying.names)) or 'nobody'}")

    def _reload_credentials(self) -> None:
        """Take renewed certificates and revocation lists; sessions of those that were revoked end."""
        assert self._listener is not None
        try:
            ended = self._listener.reload(read_credentials(self._settings.credentials, Role.CONTROLLER))
        except AnycastleError as error:
            tell(f"the credentials stay as they were: {error}")
            return
        tell(f"credentials read anew; ended for a revoked certificate: {', '.join(ended) or 'none'}")

    # -- the local socket ---------------------------------------------------------------------------------------------

    async def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        command = request.get("command")
        match command:
            case "status":
                return await self._status()
            case "report":
                return self._report(str(request.get("pop")))
            case "adopt" | "apply":
                return await self._roll_out(_as(request, RollOutRequest))
            case "mitigate":
                return await self._mitigate(_as(request, MitigateRequest))
            case "incidents" | "incident" | "acknowledge" | "annotate" | "dead-letters" | "send-again":
                return await self._incidents(_as(request, IncidentRequest))
            case "token":
                return await self._make_token(_as(request, TokenRequest))
            case str() if command in _ORDERS:
                asked = _as(request, OrderRequest)
                number = await self._leader().order(_ORDERS[command](asked), asked.owner)
                return {"number": number}
            case _:
                raise MisuseError(f"unknown command {command!r}")

    def _leader(self) -> ControllerDaemon:
        assert self._daemon is not None
        if self._daemon.term() is None:
            raise MisuseError("this controller does not lead; ask the one that does")
        return self._daemon

    async def _roll_out(self, asked: RollOutRequest) -> dict[str, Any]:
        daemon = self._leader()
        try:
            gates = gates_to_ask(asked.gates, daemon.indicators)
        except ParseError as error:
            raise MisuseError(str(error)) from error
        revision = await self._upload(Path(asked.folder), asked.owner)
        order: Adopt | RollOut = Adopt(revision, asked.reason)
        if asked.command == "apply":
            policy = RolloutPolicy(asked.bake_s, asked.patience_s, gates)
            order = RollOut(
                revision, asked.reason, policy, tuple(asked.canary_upstreams), frozenset(asked.retire), asked.basis
            )
        number = await daemon.order(order, asked.owner)
        return {"number": number, "revision": revision}

    async def _mitigate(self, asked: MitigateRequest) -> dict[str, Any]:
        try:
            wish = Mitigate(parse_prefix(asked.prefix), asked.reason, asked.end)
        except ParseError as error:
            raise MisuseError(str(error)) from error
        daemon = self._leader()
        number = await daemon.order(wish, asked.owner)
        prefixes = mitigations_of((await daemon.kept()).rollouts[number])
        return {
            "number": number,
            "prefixes": sorted(map(str, prefixes)),
            "share": share_won(wish.prefix, prefixes),
        }

    async def _upload(self, folder: Path, owner: str) -> str:
        """Keep a fleet folder that can be used; give its revision."""
        assert self._store is not None
        files = await asyncio.to_thread(files_in, folder)  # read once: whoever edits it meanwhile changes nothing of it
        revision = await checked_revision(files)
        daemon = self._leader()
        needed = await daemon.needed_folders()
        await self._store.put_folder(revision, files, owner, term=daemon.term(), needed=needed)
        return revision

    async def _make_token(self, asked: TokenRequest) -> dict[str, Any]:
        """Make a token of the API; whoever may use this socket may do all that an admin may."""
        assert self._store is not None
        term, people = self._leader().term(), SqlPeople(self._store)
        grant = Grant(asked.role, None if asked.services is None else frozenset(asked.services))
        note, secret = new_token(asked.name, grant, asked.principal, asked.owner, asked.lasts_s)
        await people.add_token(note, secret, term=term)
        subject = f"{asked.name}: {asked.role.value} for {asked.principal}"
        await people.note(AuditRow(note.created, asked.owner, "the local socket", "make a token", subject, "made"))
        return {"token": secret, "expires": note.expires}

    async def _incidents(self, asked: IncidentRequest) -> dict[str, Any]:
        """Show what any controller can read of the store; what changes something, who leads does."""
        assert self._store is not None
        from anycastle.daemons import responding
        from anycastle.io import response_json

        match asked.command:
            case "incidents":
                known = response_json.incidents_of(await self._store.documents(response_json.INCIDENT))
                told = [responding.plain_incident(each) for each in known]
                return {"incidents": [{**each, "timeline": len(each["timeline"])} for each in told]}
            case "incident":
                key = f"{response_json.INCIDENT}{asked.incident}"
                documents = await self._store.documents(key)
                found = response_json.incidents_of({name: each for name, each in documents.items() if name == key})
                if not found:
                    raise MisuseError(f"there is no incident {asked.incident}")
                return responding.plain_incident(found[0])
            case "dead-letters":
                dead = response_json.dead_of(await self._store.documents(response_json.DEAD))
                return {"dead": [responding.plain_dead(each) for each in dead]}
            case "acknowledge":
                await self._leader().responding.acknowledge(asked.incident, asked.owner)
            case "annotate":
                await self._leader().responding.annotate(asked.incident, asked.owner, asked.text)
            case _:
                return {"again": await self._leader().responding.again(asked.keys)}
        return {}

    def _report(self, pop: str) -> dict[str, Any]:
        """Give what a PoP's agent said last, as its own status says it."""
        seen = (self._leader().agents or {}).get(pop)
        report = None if seen is None else seen.report()
        if report is None:
            raise MisuseError(f"{pop} has no session with this controller")
        return {**report, "at": now().wall}

    async def _status(self) -> dict[str, Any]:
        assert self._daemon is not None
        assert self._store is not None
        kept = await self._daemon.kept()
        agents = self._daemon.agents
        return {
            "version": __version__,
            "address": self._settings.address,
            "leads": self._daemon.term() is not None,
            "term": self._daemon.term(),
            "api": None if self._api is None else self._api.port,
            "events": (await self._store.head()).sequence,
            **plain_kept(kept),
            "agents": None if agents is None else {pop: plain_agent(seen) for pop, seen in sorted(agents.items())},
        }


def _api_server() -> "type[ApiServer]":
    from anycastle.daemons.api import ApiServer

    return ApiServer


def _measured(settings: ControllerSettings) -> "MeasuredIndicators | None":
    if settings.indicators is None:
        return None
    from anycastle.daemons.measured import MeasuredIndicators

    return MeasuredIndicators(settings.indicators, tell)


async def _notifying(settings: ControllerSettings) -> "Notifying | None":
    if settings.fleet is None:
        return None
    from anycastle.daemons.notifying import Notifying

    return Notifying((await load_fleet_apart(settings.fleet)).notify)


def _sources(settings: ControllerSettings) -> "list[SignalSource]":
    """Give what opens incidents beside the agents."""
    found: list[SignalSource] = []
    if settings.findings:
        from anycastle.daemons.findings_source import FindingsSource

        found += [FindingsSource(path, tell) for path in settings.findings]
    if settings.indicators is not None and settings.fleet is not None:
        from anycastle.daemons.budget_source import BudgetSource

        found.append(BudgetSource(settings.indicators, tell))
    return found


def _rpki(settings: ControllerSettings) -> "tuple[CurrentVRPs, RPKISource] | None":
    """Give the VRPs, and what keeps them fresh; None where none are given: the kernels are loaded for them alone."""
    if settings.vrps is None and settings.rtr is None:
        return None
    from anycastle.io.rpki.source import CurrentVRPs, ExportSource, RTRSource

    current = CurrentVRPs()
    if settings.rtr is not None:
        return current, RTRSource(settings.rtr, current)
    assert settings.vrps is not None
    return current, ExportSource(settings.vrps, current)


def allow_descriptors() -> None:
    """Take all file descriptors that the system allows: the usual 1,024 are fewer than a thousand agents need."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def plain_kept(kept: Kept) -> dict[str, Any]:
    """Give what a controller keeps as plain values, for people and other programs."""
    return {
        "desired": {
            "revision": kept.desired.revision,
            "exceptions": len(kept.desired.exceptions),
            "mitigations": sorted(map(str, active(kept.desired))),
        },
        "frozen": None if kept.frozen is None else asdict(kept.frozen),
        "break_glass": None if kept.glass is None else asdict(kept.glass),
        "rollouts": [
            controller_json.rollout_plain(each, kept.waits_for.get(number, ""))
            for number, each in sorted(kept.rollouts.items())
        ],
        "orders": [{**asdict(each), "kind": each.kind.value} for _, each in sorted(kept.orders.items())],
    }


def plain_agent(seen: AgentSeen) -> dict[str, Any]:
    """Give what is known of an agent as plain values."""
    told: dict[str, Any] = {
        name: getattr(seen, name) for name in ("connected", "since", "version", "assignment", "refused", "unsettled")
    }
    return told


def _as(request: dict[str, Any], shape: type[Any]) -> Any:
    try:
        return msgspec.convert(request, shape)
    except msgspec.ValidationError as error:
        raise MisuseError(f"not understood: {error}") from error


def tell(text: str) -> None:
    """Say it on standard error, where systemd keeps it."""
    print(f"controller {text}", file=sys.stderr, flush=True)  # noqa: T201
