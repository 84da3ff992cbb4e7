"""Two speakers that dial each other at about the same time, over simulated TCP and on a virtual clock."""

import heapq
import itertools
import random
from collections.abc import Callable
from ipaddress import IPv4Address

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.model.asn import ASN
from anycastle.session.command import Close, Command, Connect, ConnectFault, Established, Send
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.session.fsm import State
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.codec import encode_message
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.notification import cease
from anycastle.wire.bgp.options import BEFORE_OPEN
from tests.simulation.tcp import End, TCPNetwork

OTHER = {"a": "b", "b": "a"}
REJECTED = encode_message(cease(CeaseSubcode.CONNECTION_REJECTED), BEFORE_OPEN)


class Pair:
    """Speakers `a` and `b`. With `rejects` an Idle one says Cease 6/5, as BIRD does, and else closes without a word."""

    def __init__(self, seed: int, *, latencies_s: tuple[float, ...], restarts: bool, rejects: bool) -> None:
        self.now = 0.0
        self.established_at: dict[str, float] = {}
        self._random = random.Random(seed)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._rejects = rejects
        self._network = TCPNetwork(self._random, self._at, give_up_s=60.0, queue_max=1 << 20)
        self._network.latency_s = lambda: self._random.choice(latencies_s) * self._random.uniform(0.5, 2.0)
        self.peers = {name: self._peer(name, number, restarts) for number, name in enumerate(OTHER, 1)}
        self._ends: dict[tuple[str, int], End] = {}
        self._dials: dict[tuple[str, int], object] = {}
        for name in OTHER:
            self._network.listeners[name] = lambda end, name=name: self._accepted(name, end)
            begin_s = self._random.uniform(0, 3 * max(latencies_s))
            self._at(begin_s, lambda name=name: self._do(name, self.peers[name].start(Instant(self.now))))

    def run(self, until_s: float) -> None:
        while self._due and self._due[0][0] <= until_s:
            self.now, _, action = heapq.heappop(self._due)
            action()

    @property
    def up(self) -> bool:
        return all(peer.state is State.ESTABLISHED for peer in self.peers.values())

    def _peer(self, name: str, number: int, restarts: bool) -> BGPPeer:
        config = SessionConfig(
            ASN(64500 + number),
            None,
            IPv4Address(number),
            OTHER[name],
            graceful_restart=RestartConfig() if restarts else None,
        )
        return BGPPeer(config, random.Random(self._random.random()))

    def _at(self, delay_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + delay_s, next(self._order), action))

    def _do(self, name: str, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Connect(link=link):
                    self._dial(name, link)
                case Close(link=link):
                    self._dials.pop((name, link), None)
                    if (end := self._ends.pop((name, link), None)) is not None:
                        end.close()
                case Send(link=link, octets=octets):
                    self._ends[name, link].write(octets)
                case Established():
                    self.established_at[name] = self.now
        deadline = self.peers[name].deadline
        if deadline != FAR_FUTURE:
            self._at(max(0.0, deadline - self.now), lambda: self._wake(name))

    def _wake(self, name: str) -> None:
        if self.peers[name].deadline <= self.now:
            self._do(name, self.peers[name].wake(Instant(self.now)))

    def _dial(self, name: str, link: int) -> None:
        dial = self._dials[name, link] = object()

        def done(end: End | None) -> bool:
            if self._dials.get((name, link)) is not dial:
                return False
            del self._dials[name, link]
            now = Instant(self.now)
            if end is None:
                self._do(name, self.peers[name].connection_failed(link, now, ConnectFault.REFUSED))
                return False
            self._own(name, link, end)
            self._do(name, self.peers[name].connected(link, now))
            return True

        self._network.dial(name, OTHER[name], done)

    def _accepted(self, name: str, end: End) -> None:
        link, commands = self.peers[name].accepted(Instant(self.now))
        if link is not None:
            self._own(name, link, end)
        elif self._rejects:
            end.write(REJECTED)
        self._do(name, commands)
        if link is None:
            end.close()

    def _own(self, name: str, link: int, end: End) -> None:
        def received(octets: bytes) -> None:
            if self._ends.get((name, link)) is end:
                self._do(name, self.peers[name].received(link, octets, Instant(self.now)))

        def lost(detail: str) -> None:
            if self._ends.get((name, link)) is end:
                del self._ends[name, link]
                self._do(name, self.peers[name].disconnected(link, Instant(self.now), detail))

        self._ends[name, link] = end
        end.received, end.lost = received, lost
