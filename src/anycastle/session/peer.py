"""A peer with up to two connections, and which of them lives (RFC 4271 §6.8).

Theory of operation. Both ends may dial at once, and then two connections stand for one session. `main` is the one that
matters: it dials, and it starts again after a failure. A connection that the peer dials while `main` is busy becomes
`other`. As soon as both OPENs are known, the connection that the end with the higher BGP Identifier dialled is kept
(RFC 6286 §2.3: with equal identifiers, the higher ASN), and the loser is sent Cease 6/7. An established session beats
any newcomer, unless the peer takes part in graceful restart: then a new connection means that it restarted
(RFC 4724 §5).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from anycastle.base.ports import Instant, Randomness
from anycastle.model.prefix import Family
from anycastle.session.command import Cause, Command, ConnectFault, Down, EndOfRIB, Established
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import State
from anycastle.session.graceful_restart import GracefulRestartHelper
from anycastle.session.negotiation import Negotiated
from anycastle.session.session import BGPSession
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Message

_OPENED = (State.OPEN_CONFIRM, State.ESTABLISHED)
_RANK = tuple(State)


class BGPPeer:
    """All that happens with one configured peer. Inputs that are about a connection name its `link`."""

    def __init__(self, config: SessionConfig, random: Randomness) -> None:
        self.config = config
        self._random = random
        self._main = BGPSession(config, random)
        self._other: BGPSession | None = None
        self._links = 0
        self._helper = GracefulRestartHelper(config.graceful_restart)
        self._up: Negotiated | None = None

    @property
    def state(self) -> State:
        """State of the connection that has come furthest."""
        return max((session.state for session in self._sessions()), key=_RANK.index)

    @property
    def negotiated(self) -> Negotiated | None:
        """What the established session agreed on; None while there is none."""
        return self._up

    @property
    def stale(self) -> frozenset[Family]:
        """Families whose routes are kept from before a restart of the peer."""
        return self._helper.stale

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        return min(self._helper.deadline, *(session.deadline for session in self._sessions()))

    def start(self, now: Instant) -> list[Command]:
        """Begin; see `BGPSession.start`."""
        return self._run(self._main.start, now)

    def stop(
        self, now: Instant, text: str, subcode: CeaseSubcode = CeaseSubcode.ADMINISTRATIVE_SHUTDOWN
    ) -> list[Command]:
        """End for good: also what was kept for a peer that restarts."""
        commands: list[Command] = []
        for session in self._sessions():
            commands += session.stop(now, text, subcode)
        commands = self._follow(commands, now)
        return commands + self._helper.forget()

    def fail(self, now: Instant, cause: Cause, reason: str, subcode: CeaseSubcode) -> list[Command]:
        """End the session for a fault of ours, such as no room to queue; it starts again by itself."""
        return self._run(lambda at: self._main.fail(at, cause, reason, subcode), now)

    def accepted(self, now: Instant) -> tuple[int | None, list[Command]]:
        """The peer dialled us: give the connection's link, or None when it must be closed (RFC 4271 §8.2.1: Idle)."""
        commands: list[Command] = []
        if self._main.state is State.ESTABLISHED and self._up is not None and self._up.peer_restart is not None:
            commands += self._main.disconnected(now, "the peer dials anew", Cause.RESTARTED)
            self._main = self._incoming(now)
            session = self._main
        elif self._main.state is State.IDLE:
            return None, commands
        elif self._main.state is State.ACTIVE:
            session = self._main
        else:
            if self._other is not None:  # the peer gave up on its earlier connection
                commands += self._other.dump(now)
            session = self._other = self._incoming(now)
        commands += session.connected(now, initiated=False)
        return session.link, self._follow(commands, now)

    def connected(self, link: int, now: Instant) -> list[Command]:
        """Our dial succeeded."""
        return self._on(link, lambda session, at: session.connected(at), now)

    def connection_failed(self, link: int, now: Instant, fault: ConnectFault, detail: str = "") -> list[Command]:
        """Our dial came to nothing."""
        return self._on(link, lambda session, at: session.connection_failed(at, fault, detail), now)

    def disconnected(self, link: int, now: Instant, detail: str = "") -> list[Command]:
        """A connection is gone."""
        return self._on(link, lambda session, at: session.disconnected(at, detail), now)

    def received(self, link: int, octets: bytes, now: Instant) -> list[Command]:
        """Octets from the peer."""
        return self._on(link, lambda session, at: session.received(octets, at), now)

    def wake(self, now: Instant) -> list[Command]:
        """Carry out what the expired timers call for."""
        commands: list[Command] = []
        for session in self._sessions():
            commands += session.wake(now)
        return self._follow(commands, now) + self._helper.wake(now)

    def send(self, messages: Iterable[Message], now: Instant) -> list[Command]:
        """Send messages on the established session. Raises `MisuseError` when there is none."""
        return self._main.send(messages, now)

    def request_refresh(self, family: Family, now: Instant) -> list[Command]:
        """Ask the peer for its routes again. Raises `MisuseError` when it cannot."""
        return self._main.request_refresh(family, now)

    def count(self, family: Family, routes: int, now: Instant) -> list[Command]:
        """Compare the number of the peer's routes with its limit."""
        return self._run(lambda at: self._main.count(family, routes, at), now)

    def _sessions(self) -> tuple[BGPSession, ...]:
        return (self._main,) if self._other is None else (self._main, self._other)

    def _incoming(self, now: Instant) -> BGPSession:
        self._links += 1
        session = BGPSession(self.config, self._random, self._links)
        session.listen(now)
        return session

    def _run(self, step: Callable[[Instant], list[Command]], now: Instant) -> list[Command]:
        return self._follow(step(now), now)

    def _on(self, link: int, step: Callable[[BGPSession, Instant], list[Command]], now: Instant) -> list[Command]:
        for session in self._sessions():
            if session.link == link:
                return self._follow(step(session, now), now)
        return []

    def _follow(self, commands: list[Command], now: Instant) -> list[Command]:
        """Settle a collision that has come about, and tell the restart helper what happened."""
        commands = commands + self._settle(now)
        result: list[Command] = []
        for command in commands:
            result.append(command)
            match command:
                case Established(negotiated=negotiated):
                    self._up = negotiated
                    self._has_restarted()
                    result += self._helper.established(negotiated, now)
                case Down(state=State.ESTABLISHED, cause=cause) if self._up is not None:
                    result += self._helper.lost(self._up, cause, now)
                    self._up = None
                case EndOfRIB(family=family):
                    result += self._helper.end_of_rib(family)
        return result

    def _has_restarted(self) -> None:
        # RFC 4724 §3: the R bit is for the first session after a restart.
        restart = self.config.graceful_restart
        if restart is not None and restart.restarting:
            self.config = replace(self.config, graceful_restart=replace(restart, restarting=False))
            for session in self._sessions():
                session.config = self.config

    def _settle(self, now: Instant) -> list[Command]:
        main, other = self._main, self._other
        if other is None:
            return []
        if main.state is State.IDLE or (other.state in _OPENED and main.state not in _OPENED):
            main, other = other, main
        loser = self._loser(main, other)
        if loser is None:
            self._main, self._other = main, other
            return []
        self._main, self._other = other if loser is main else main, None
        return loser.dump(now)

    def _loser(self, main: BGPSession, other: BGPSession) -> BGPSession | None:
        """Give the connection to close; None while both may still come up. `main` has come at least as far."""
        if not other.wired or main.state is State.ESTABLISHED:
            return other
        if main.state not in _OPENED or other.state not in _OPENED or other.negotiated is None:
            return None
        ours = int(self.config.identifier), self.config.local_asn
        theirs = int(other.negotiated.peer_identifier), other.negotiated.peer_asn
        return other if main.initiated is (ours > theirs) else main
