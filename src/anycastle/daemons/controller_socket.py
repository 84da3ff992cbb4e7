"""What a controller's local socket is asked, and what it answers: the requests of the commands on its machine."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from anycastle import __version__
from anycastle.base.errors import MisuseError, ParseError
from anycastle.daemons.controller import ControllerDaemon
from anycastle.daemons.leadership import AgentSeen
from anycastle.io import controller_json
from anycastle.io.clock import now
from anycastle.io.local_socket import LocalServer
from anycastle.io.store import SqlStore
from anycastle.io.store.people import AuditRow, SqlPeople, new_token
from anycastle.io.stored_folders import StoredFolders, checked_revision, files_in
from anycastle.io.stored_incidents import StoredIncidents
from anycastle.model.fleet import Fleet
from anycastle.model.person import Grant
from anycastle.model.person import Role as PersonRole
from anycastle.model.prefix import parse_prefix
from anycastle.response.incident import Incident
from anycastle.response.orders import Acknowledge, Annotate, ResponseOrder, SendAgain
from anycastle.rollout.desired import NOTHING_DESIRED
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

SOCKET_NAME: Final = "controller.sock"


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
    form: Literal["markdown", "html"] = "markdown"
    keys: list[str] | None = None
    """None for all dead letters."""


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


class ControllerSocket:
    """Answers who may open the socket, and so may do all that an admin may."""

    def __init__(self, run_dir: Path, daemon: ControllerDaemon, store: SqlStore, address: str) -> None:
        self.api_port: int | None = None
        """Where the API is served, for the status; None while it is not."""
        self._daemon = daemon
        self._store = store
        self._address = address
        self._stored = StoredIncidents(store)
        self._server = LocalServer(run_dir / SOCKET_NAME, self.answer)

    async def start(self) -> None:
        """Begin to listen. Raises `WorldError`."""
        await self._server.start()

    async def close(self) -> None:
        """Stop listening."""
        await self._server.close()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks, and give what it is answered with. Raises `MisuseError`, `WorldError`."""
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
            case "incidents" | "incident" | "postmortem" | "deliveries" | "acknowledge" | "annotate" | "send-again":
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
        files = await asyncio.to_thread(files_in, folder)  # read once: whoever edits it meanwhile changes nothing of it
        revision = await checked_revision(files)
        daemon = self._leader()
        needed = await daemon.needed_folders()
        await self._store.put_folder(revision, files, owner, term=daemon.term(), needed=needed)
        return revision

    async def _make_token(self, asked: TokenRequest) -> dict[str, Any]:
        """Make a token of the API; whoever may use this socket may do all that an admin may."""
        term, people = self._leader().term(), SqlPeople(self._store)
        grant = Grant(asked.role, None if asked.services is None else frozenset(asked.services))
        if grant.futile:
            raise MisuseError(grant.futile)
        note, secret = new_token(asked.name, grant, asked.principal, asked.owner, asked.lasts_s)
        await people.add_token(note, secret, term=term)
        subject = f"{asked.name}: {asked.role.value} for {asked.principal}"
        await people.note(AuditRow(note.created, asked.owner, "the local socket", "make a token", subject, "made"))
        return {"token": secret, "expires": note.expires}

    async def _incidents(self, asked: IncidentRequest) -> dict[str, Any]:
        """Show what any controller can read of the store; what changes something, who leads does."""
        from anycastle.io.response_json import plain_row

        match asked.command:
            case "incidents":
                return {"incidents": [plain_row(each) for each in await self._stored.all()]}
            case "incident":
                return await self._stored.whole(await self._incident(asked), await self._fleet())
            case "postmortem":
                found = await self._incident(asked)
                return {"text": await self._stored.postmortem(found, await self._fleet(), asked.form)}
            case "deliveries":
                return {"items": (await self._stored.deliveries()).plain()}
            case "acknowledge":
                order: ResponseOrder = Acknowledge(asked.incident)
            case "annotate":
                order = Annotate(asked.incident, asked.text)
            case _:
                order = SendAgain(None if asked.keys is None else tuple(asked.keys))
        return {"again": list(await self._leader().respond(order, asked.owner))}

    async def _incident(self, asked: IncidentRequest) -> Incident:
        found = await self._stored.one(asked.incident)
        if found is None:
            raise MisuseError(f"there is no incident {asked.incident}")
        return found

    async def _fleet(self) -> Fleet | None:
        """Give the fleet that is desired by default; None before the first wish."""
        revision = (await self._daemon.kept()).desired.revision
        return None if revision == NOTHING_DESIRED else await StoredFolders(self._store).fleet(revision)

    def _report(self, pop: str) -> dict[str, Any]:
        """Give what a PoP's agent said last, as its own status says it."""
        seen = (self._leader().agents or {}).get(pop)
        report = None if seen is None else seen.report()
        if report is None:
            raise MisuseError(f"{pop} has no session with this controller")
        return {**report, "at": now().wall}

    async def _status(self) -> dict[str, Any]:
        kept = await self._daemon.kept()
        agents = self._daemon.agents
        return {
            "version": __version__,
            "address": self._address,
            "leads": self._daemon.term() is not None,
            "term": self._daemon.term(),
            "api": self.api_port,
            "events": (await self._store.head()).sequence,
            **plain_kept(kept),
            "agents": None if agents is None else {pop: plain_agent(seen) for pop, seen in sorted(agents.items())},
        }


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
