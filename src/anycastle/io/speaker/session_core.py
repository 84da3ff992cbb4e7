"""What every core does: it tells the sessions what happened on their connections, and does what they say of it.

A core has neither sockets nor clocks. It gives back what is to be done on the connections, in order; what a session
says of anything else is carried out at once, before the session's next command.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from anycastle.base.ports import Instant
from anycastle.model.prefix import Address, Family
from anycastle.session.command import Cause, Close, Command, Connect, ConnectFault, Send
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.error_codes import CeaseSubcode

Actions = list[tuple[str, Connect | Close | Send]]
"""What is to be done on the connections of neighbours, by `NeighbourConfig.name`."""


class SessionCore(ABC):
    """Several neighbours. Inputs about one name it."""

    def __init__(self, sessions: Mapping[str, BGPPeer]) -> None:
        self.sessions = sessions

    @abstractmethod
    def stop(self, name: str, text: str, now: Instant, *, withdraw: bool) -> Actions:
        """End the session with Cease and `text` (RFC 9003); with `withdraw`, take back every route before."""

    @abstractmethod
    def _carry_out(self, name: str, command: Command, now: Instant) -> Actions:
        """Do what a session says that concerns no connection."""

    def start(self, now: Instant) -> Actions:
        """Begin with every neighbour."""
        return [
            action for name, session in self.sessions.items() for action in self._follow(name, session.start(now), now)
        ]

    def accepted(self, name: str, local: Address, now: Instant) -> tuple[int | None, Actions]:  # noqa: ARG002
        """The neighbour dialled us, at `local`: give the connection's link, or None when it must be closed."""
        link, commands = self.sessions[name].accepted(now)
        return link, self._follow(name, commands, now)

    def connected(self, name: str, link: int, local: Address, now: Instant) -> Actions:  # noqa: ARG002
        """Our dial succeeded; it goes out from `local`."""
        return self._follow(name, self.sessions[name].connected(link, now), now)

    def connection_failed(self, name: str, link: int, fault: ConnectFault, detail: str, now: Instant) -> Actions:
        """Our dial came to nothing."""
        return self._follow(name, self.sessions[name].connection_failed(link, now, fault, detail), now)

    def disconnected(self, name: str, link: int, detail: str, now: Instant) -> Actions:
        """A connection is gone."""
        return self._follow(name, self.sessions[name].disconnected(link, now, detail), now)

    def received(self, name: str, link: int, octets: bytes, now: Instant) -> Actions:
        """Octets from a neighbour, cut anywhere."""
        return self._follow(name, self.sessions[name].received(link, octets, now), now)

    def overrun(self, name: str, now: Instant) -> Actions:
        """A neighbour does not read: no more can be queued to it."""
        reason = f"{name} does not read: the send queue is full"
        commands = self.sessions[name].fail(now, Cause.RESOURCES, reason, CeaseSubcode.OUT_OF_RESOURCES)
        return self._follow(name, commands, now)

    def request_refresh(self, name: str, family: Family, now: Instant) -> Actions:
        """Ask an established neighbour for its routes again. Raises `MisuseError` when it cannot."""
        return self._follow(name, self.sessions[name].request_refresh(family, now), now)

    def wake(self, name: str, now: Instant) -> Actions:
        """Carry out what a session's expired timers call for."""
        return self._follow(name, self.sessions[name].wake(now), now)

    def _follow(self, name: str, commands: Iterable[Command], now: Instant) -> Actions:
        actions: Actions = []
        for command in commands:
            if isinstance(command, Connect | Close | Send):
                actions.append((name, command))
            else:
                actions += self._carry_out(name, command, now)
        return actions
