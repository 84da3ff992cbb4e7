"""The sockets of several neighbours, dialled and accepted, around a core that decides."""

import asyncio
import random
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.clock import now
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.connection import Connection
from anycastle.io.speaker.neighbour import NeighbourSession
from anycastle.io.speaker.reception import Reception
from anycastle.io.speaker.session_core import Actions, SessionCore
from anycastle.io.speaker.socket_options import new_socket, require_near, send_far, set_password
from anycastle.model.prefix import Address
from anycastle.session.command import Close, Connect, Send
from anycastle.session.peer import BGPPeer


def engines_of(config: SpeakerConfig) -> dict[str, BGPPeer]:
    """Give the session engine of each neighbour, in the order of the configuration. Raises `MisuseError`."""
    names = [neighbour.name for neighbour in config.neighbours]
    if len(names) != len(set(names)):
        raise MisuseError("two neighbours of one upstream have the same address and port")
    return {neighbour.name: _engine(neighbour) for neighbour in config.neighbours}


def _engine(neighbour: NeighbourConfig) -> BGPPeer:
    return BGPPeer(replace(neighbour.session, authenticated=neighbour.password is not None), random.Random())


class Sockets:
    """Listens and dials as the core asks. `on_stranger` hears of connections that no neighbour made."""

    def __init__(self, config: SpeakerConfig, core: SessionCore, on_stranger: Callable[[str], None]) -> None:
        self.sessions: dict[str, NeighbourSession] = {}
        """By `NeighbourConfig.name`, once started."""
        self._config = config
        self._core = core
        self._on_stranger = on_stranger
        self._servers: list[asyncio.Server] = []
        self._reception = Reception(config.neighbours)
        self._actions: deque[tuple[str, Connect | Close | Send]] = deque()
        self._performing = False

    @property
    def listening(self) -> tuple[tuple[Address, int], ...]:
        """Addresses and ports on which connections are accepted."""
        names = (each.getsockname() for server in self._servers for each in server.sockets)
        return tuple((ip_address(name[0]), name[1]) for name in names)

    async def start(self) -> None:
        """Listen, and begin with every neighbour. Raises `WorldError` when a socket cannot be had."""
        for address, port in self._config.listen:
            self._servers.append(await self._listen(address, port))
        for neighbour in self._config.neighbours:
            session = NeighbourSession(neighbour, self._core, self.perform, self._config.close_s)
            self.sessions[neighbour.name] = session
        self.perform(self._core.start(now().monotonic))
        for session in self.sessions.values():
            session.set_timer()

    async def stop(self, text: str, *, withdraw: bool = True) -> None:
        """End each session with Cease and `text`, and close; see `Speaker.stop`."""
        for server in self._servers:
            server.close()
        for session in self.sessions.values():
            negotiated = session.engine.negotiated
            if negotiated is not None and negotiated.peer_restart is not None and not withdraw:
                session.vanish()
            else:
                session.stop(text, withdraw=withdraw)
        await asyncio.gather(*(session.closed() for session in self.sessions.values()))
        self._reception.close()
        self._servers.clear()

    def perform(self, actions: Actions) -> None:
        """Do what the core asks for; what comes of it meanwhile waits its turn."""
        self._actions.extend(actions)
        if self._performing:
            return
        self._performing = True
        try:
            while self._actions:
                name, action = self._actions.popleft()
                self.sessions[name].carry_out(action)
        finally:
            self._performing = False

    async def _listen(self, address: Address, port: int) -> asyncio.Server:
        listener = new_socket(address)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for neighbour in self._reception.expected_at(address):
                if neighbour.password is not None and neighbour.address.version == address.version:
                    set_password(listener, neighbour.address, neighbour.password)
                if neighbour.ttl_security_hops is not None:
                    send_far(listener)  # our SYN-ACK must pass the neighbour's check
            listener.bind((str(address), port))
            loop = asyncio.get_running_loop()
            return await loop.create_server(lambda: Connection(self._accepted), sock=listener)
        except OSError as error:
            listener.close()
            raise WorldError(f"cannot listen on {address} port {port}: {error.strerror}") from error
        except WorldError:
            listener.close()
            raise

    def _accepted(self, connection: Connection) -> None:
        self._reception.receive(connection, self._place, self._on_stranger)

    def _place(self, neighbour: NeighbourConfig, connection: Connection, early: bytes) -> bool:
        if neighbour.ttl_security_hops is not None:
            assert connection.transport is not None
            require_near(connection.transport.get_extra_info("socket"), neighbour.ttl_security_hops)
        session = self.sessions.get(neighbour.name)
        return session is not None and session.accept(connection, early)
