"""A core that only listens: it keeps sessions with its neighbours up, and never announces anything.

What it sends is OPEN, KEEPALIVE, NOTIFICATION, ROUTE-REFRESH, and one End-of-RIB a family: an UPDATE without a route,
for which a neighbour that restarts gracefully waits (RFC 4724 §4.1).
"""

from collections.abc import Callable, Mapping

from anycastle.base.ports import Instant
from anycastle.io.speaker.session_core import Actions, SessionCore
from anycastle.model.prefix import Family
from anycastle.session.command import Command, Established, Received
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.message import Update


class ListenerCore(SessionCore):
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
        super().__init__(sessions)
        self._heard = heard
        self._tell = tell
        self._count = count

    def stop(self, name: str, text: str, now: Instant, *, withdraw: bool) -> Actions:  # noqa: ARG002
        """End the session with Cease and `text` (RFC 9003); there is nothing to withdraw."""
        return self._follow(name, self.sessions[name].stop(now, text), now)

    def received(self, name: str, link: int, octets: bytes, now: Instant) -> Actions:
        """Octets from a neighbour, cut anywhere: it is alive."""
        self._heard(name)
        return super().received(name, link, octets, now)

    def _carry_out(self, name: str, command: Command, now: Instant) -> Actions:
        self._tell(name, command)
        return self._follow(name, self._answer(name, command, now), now)

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
