"""A core that only listens: it keeps sessions with its neighbours up, and never announces anything.

What it sends is OPEN, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH, and one End-of-RIB a family: an UPDATE without a route,
for which a neighbour that restarts gracefully waits (RFC 4724 §4.1).
"""

from collections.abc import Callable, Iterable, Mapping

from anycastle.base.ports import Instant
from anycastle.io.speaker.core import Actions
from anycastle.model.prefix import Address, Family
from anycastle.session.command import Cause, Close, Command, Connect, ConnectFault, Established, Received, Send
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Update


class ListenerCore:
    """Several neighbours.

    `heard` is called for octets of any kind, `tell` with what a session says; `count` gives how many routes a
    neighbour told of a family.
    """

    def __init__(
        self,
        sessions: Mapping[str, BGPPeer],
        heard: Callable[[str], None],
        tell: Callable[[str, Command], None],
        count: Callable[[str, Family], int],
    ) -> None:
        self.sessions = sessions
        self._heard = heard
        self._tell = tell
        self._count = count

    def start(self, now: Instant) -> Actions:
        """Begin with every neighbour."""
        started = [(name, session.start(now)) for name, session in self.sessions.items()]
        return [action for name, commands in started for action in self._follow(name, commands, now)]

    def stop(self, name: str, text: str, now: Instant, *, withdraw: bool) -> Actions:  # noqa: ARG002
        """End the session with Cease and `text` (RFC 9003); there is nothing to withdraw."""
        return self._follow(name, self.sessions[name].stop(now, text), now)

    def accepted(self, name: str, local: Address, now: Instant) -> tuple[int | None, Actions]:  # noqa: ARG002
        """The neighbour dialled us: give the connection's link, or None when it must be closed."""
        link, commands = self.sessions[name].accepted(now)
        return link, self._follow(name, commands, now)

    def connected(self, name: str, link: int, local: Address, now: Instant) -> Actions:  # noqa: ARG002
        """Our dial succeeded."""
        return self._follow(name, self.sessions[name].connected(link, now), now)

    def connection_failed(self, name: str, link: int, fault: ConnectFault, detail: str, now: Instant) -> Actions:
        """Our dial came to nothing."""
        return self._follow(name, self.sessions[name].connection_failed(link, now, fault, detail), now)

    def disconnected(self, name: str, link: int, detail: str, now: Instant) -> Actions:
        """A connection is gone."""
        return self._follow(name, self.sessions[name].disconnected(link, now, detail), now)

    def received(self, name: str, link: int, octets: bytes, now: Instant) -> Actions:
        """Octets from a neighbour, cut anywhere."""
        self._heard(name)
        return self._follow(name, self.sessions[name].received(link, octets, now), now)

    def overrun(self, name: str, now: Instant) -> Actions:
        """A neighbour does not even read our KEEPALIVEs."""
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
                self._tell(name, command)
                actions += self._follow(name, self._answer(name, command, now), now)
        return actions

    def _answer(self, name: str, command: Command, now: Instant) -> list[Command]:
        session = self.sessions[name]
        negotiated = session.negotiated
        if negotiated is None:
            return []
        match command:
            case Established():
                return session.send([Update.end_of_rib(family) for family in sorted(negotiated.families)], now)
            case Received():
                counts = [(family, self._count(name, family)) for family in sorted(negotiated.families)]
                return [each for family, count in counts for each in session.count(family, count, now)]
            case _:
                return []
