"""BGP sessions of our own that only listen: routers that tell the watch their routes.

It announces nothing, ever (`io.speaker.listener`). How many routes a router may tell is bounded, so that one which
tells more than meant is cut off (Cease 6/1) and not kept in memory.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final

from anycastle.base.ports import Now
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.listener import ListenerCore
from anycastle.io.speaker.password import read_password
from anycastle.io.speaker.sockets import Sockets, engines_of
from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Family
from anycastle.model.watch import WatchSession
from anycastle.session.command import (
    Command,
    Down,
    EndOfRIB,
    Established,
    FaultsFound,
    PrefixLimitNear,
    Received,
    RefreshBegan,
    RefreshEnded,
)
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.session.fsm import State
from anycastle.watch.bgp import BGPReader
from anycastle.watch.fact import Fact
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable

ROUTES_MAX: Final = {Family.IPV4: 2_000_000, Family.IPV6: 500_000}
"""Routes of a session where the fleet says nothing: twice a full table of 2026; some 100 octets of memory each."""

RESTART: Final = RestartConfig(restart_time_s=0, forwarding=False)
"""We have no routes to keep over a restart. The capability alone makes a router say End-of-RIB (RFC 4724 §2)."""

IDENTIFIER: Final = IPv4Address("192.0.2.255")
"""Identifier of a watch that listens on no IPv4 address: any that no router has will do (RFC 6286 §2.1)."""

GOODBYE: Final = "the watch ends"


@dataclass(frozen=True, slots=True)
class _Session:
    told: WatchSession
    reader: BGPReader


class BGPFeed:
    """All sessions of the fleet file; `listen` is where routers dial in, and where dials go out from."""

    def __init__(
        self,
        listen: tuple[Address, int],
        sessions: Sequence[WatchSession],
        local_asn: ASN,
        table: WatchedTable,
        queue: FactQueue,
        silence: SilenceWatch,
        now: Callable[[], Now],
    ) -> None:
        """Raises `WorldError` where a password file cannot be read."""
        self.name = f"bgp {listen[0]}:{listen[1]}"
        self.connections = 0
        self.garbage = 0
        """UPDATEs that were malformed in a way that the session survives (RFC 7606)."""
        self._queue = queue
        self._silence = silence
        self._now = now
        self._reasons: dict[str, str] = {}
        neighbours = [_neighbour(listen[0], each, local_asn) for each in sessions]
        self._sessions = {
            neighbour.name: _Session(each, BGPReader(table, each.asn, str(each.neighbour)))
            for neighbour, each in zip(neighbours, sessions, strict=True)
        }
        config = SpeakerConfig(tuple(neighbours), (listen,))
        self._engines = engines_of(config)
        self._core = ListenerCore(self._engines, self._heard, self._tell, self._count)
        self._sockets = Sockets(config, self._core, self._stranger)

    @property
    def connected(self) -> bool:
        """Whether any session is established."""
        return any(engine.state is State.ESTABLISHED for engine in self._engines.values())

    @property
    def trouble(self) -> str:
        """Why each session is down that is."""
        down = [f"{each['peer']}: {each['reason']}" for each in self.sessions() if each["state"] != "established"]
        return "; ".join((*down, *filter(None, [self._reasons.get("")])))

    @property
    def messages(self) -> int:
        """UPDATEs of all sessions so far."""
        return sum(each.reader.updates for each in self._sessions.values())

    @property
    def port(self) -> int:
        """The port in use, where 0 was asked for."""
        return self._sockets.listening[0][1]

    def sessions(self) -> list[dict[str, Any]]:
        """Give each session's state as plain values."""
        return [
            {
                "peer": f"AS{each.told.asn} {each.told.neighbour}",
                "state": self._engines[name].state.value.lower(),
                "reason": self._reasons.get(name, ""),
                "routes": {str(family): each.reader.count(family) for family in each.told.families},
                "paths_refused": each.reader.refused,
            }
            for name, each in self._sessions.items()
        ]

    async def run(self) -> None:
        """Speak until cancelled. Raises `WorldError` where it cannot listen."""
        await self._sockets.start()
        self._silence.expect(self.name, self._now().wall)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self._sockets.stop(GOODBYE)

    def ask_again(self) -> None:
        """Ask every router for its routes again (RFC 2918): other prefixes are watched now."""
        for name in self._sessions:
            negotiated = self._engines[name].negotiated
            if negotiated is not None and negotiated.route_refresh:
                for family in sorted(negotiated.families):
                    self._sockets.sessions[name].request_refresh(family)

    def _tell(self, name: str, command: Command) -> None:
        wall = self._now().wall
        reader = self._sessions[name].reader
        facts: Iterable[Fact] = ()
        match command:
            case Established():
                self.connections += 1
                self._reasons.pop(name, None)
                facts = reader.up(wall)
            case Down(state=state, reason=reason):
                self._reasons[name] = reason
                facts = reader.down(wall, reason) if state is State.ESTABLISHED else ()
            case Received(update=update):
                facts = reader.update(update, wall)
            case EndOfRIB(family=family) | RefreshEnded(family=family):
                facts = reader.retold(family, wall)
            case RefreshBegan(family=family):
                reader.retell(family)
            case FaultsFound(text=text):
                self.garbage += 1
                self._reasons[""] = f"{name}: {text}"
            case PrefixLimitNear(family=family, count=count, limit=limit):
                self._reasons[""] = f"{name}: {count} {family} routes, its limit is {limit}"
            case _:
                pass  # what is kept over a restart is what the reader holds against the router's End-of-RIB
        self._queue.put(facts)

    def _heard(self, name: str) -> None:
        wall = self._now().wall
        self._queue.put(self._silence.heard(self.name, None, wall))
        self._queue.put(self._silence.heard(self.name, self._sessions[name].reader.peer, wall))

    def _count(self, name: str, family: Family) -> int:
        return self._sessions[name].reader.count(family)

    def _stranger(self, text: str) -> None:
        self._reasons[""] = text


def _neighbour(local: Address, told: WatchSession, local_asn: ASN) -> NeighbourConfig:
    password = read_password(told.password_file, str(told.neighbour))
    limits = {family: told.max_prefixes or ROUTES_MAX[family] for family in told.families}
    same_family = local.version == told.neighbour.version and int(local) != 0
    session = SessionConfig(
        local_asn=local_asn if told.local_asn is None else told.local_asn,
        peer_asn=told.asn,
        identifier=local if isinstance(local, IPv4Address) and int(local) else IDENTIFIER,
        peer=f"AS{told.asn} ({told.neighbour})",
        families=told.families,
        hold_time_s=told.hold_time_s,
        passive=told.passive,
        graceful_restart=RESTART,
        add_path_receive=told.add_path,
        check_first_asn=not told.route_server,
        prefix_limits=limits,
    )
    return NeighbourConfig(
        upstream=f"AS{told.asn}",
        address=told.neighbour,
        session=session,
        port=told.port,
        local_address=local if same_family else None,
        password=password,
        ttl_security_hops=told.ttl_security_hops,
    )
