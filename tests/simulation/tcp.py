"""TCP between simulated hosts: in order and whole, but cut anywhere, late, refused, reset, or lost in silence.

Octets that a direction loses stay with their sender, whose kernel sends them again, until it gives the connection up.
A host may read nothing for a while (its process is frozen), or may read a few octets at a time.
"""

import random
from collections.abc import Callable

Schedule = Callable[[float, Callable[[], None]], None]

RETRY_S = 1.0
"""How often a kernel sends again what was not acknowledged: a first guess of RFC 6298, without the doubling."""


class End:
    """One end of a connection. Whoever owns it sets `received` and `lost`, and is called until it closes."""

    def __init__(self, network: "TCPNetwork", host: str, far: str, *, dialled: bool) -> None:
        self.host, self.far, self.dialled = host, far, dialled
        self.other: End
        self.received: Callable[[bytes], None] = lambda _octets: None
        self.lost: Callable[[str], None] = lambda _detail: None
        self.owned = self.known = True
        """Whether the application, and the kernel, still hold it."""
        self.accepted = dialled
        self.finishing = False
        self.outgoing = bytearray()
        self._network = network
        self._pumping = False
        self._stalled_s = 0.0

    def write(self, octets: bytes) -> bool:
        """Queue octets; give False when the queue is full."""
        if len(self.outgoing) + len(octets) > self._network.queue_max:
            return False
        if self.known and not self.finishing:
            self.outgoing += octets
            self.pump()
        return True

    def close(self) -> None:
        """Deliver what is queued, then say that nothing more comes."""
        self.owned = False
        self.finishing = True
        self.pump()

    def vanish(self) -> None:
        """Be forgotten by the kernel without a word, as by a loss of power."""
        self.owned = self.known = False
        self.outgoing.clear()

    def abort(self) -> None:
        """Be forgotten by the kernel, which says so."""
        self.vanish()
        self._network.later(self, self._told)

    def _told(self) -> None:
        if not self._network.loses(self.host, self.far):  # otherwise the far end learns it when it next writes
            self.other.reset("connection reset by peer")

    def reset(self, detail: str) -> None:
        """Learn that the connection is no more."""
        owned = self.owned
        self.vanish()
        if owned:
            self.lost(detail)

    def pump(self) -> None:
        """Move what is queued a step further."""
        if not self._pumping and self.known and (self.outgoing or self.finishing):
            self._pumping = True
            self._network.later(self, self._step)

    def _step(self) -> None:
        self._pumping = False
        if not self.known or not (self.outgoing or self.finishing):
            return
        network, other = self._network, self.other
        if network.loses(self.host, self.far) or (other.known and network.deaf(other)):
            self._stall()
        elif not other.known or (self.outgoing and not other.owned):
            self._refused()
        else:
            self._stalled_s = 0.0
            self._deliver()

    def _stall(self) -> None:
        network = self._network
        self._stalled_s += RETRY_S
        if network.loses(self.host, self.far) and self._stalled_s > network.give_up_s:
            self.reset("connection timed out")
        else:
            self._pumping = True
            network.at(RETRY_S * network.random.uniform(0.8, 1.2), self._step)

    def _refused(self) -> None:
        """The far kernel does not know the connection, or nobody reads it any more: RST, unless that is lost too."""
        if self._network.loses(self.far, self.host):
            self._stall()
        elif self.finishing:
            self.vanish()
        else:
            self.outgoing.clear()
            self._network.later(self, lambda: self.reset("connection reset by peer"))

    def _deliver(self) -> None:
        network, other = self._network, self.other
        if self.outgoing:
            count = network.segment(self, len(self.outgoing))
            octets = bytes(self.outgoing[:count])
            del self.outgoing[:count]
            self.pump()
            other.received(octets)
        elif self.finishing:
            self.known = False
            if other.owned:
                other.owned = False
                other.finishing = True
                other.pump()
                other.lost("")


class TCPNetwork:
    """All hosts and all that is under way between them."""

    def __init__(self, random: random.Random, at: Schedule, *, give_up_s: float, queue_max: int) -> None:
        self.random = random
        self.at = at
        self.give_up_s = give_up_s
        self.queue_max = queue_max
        self.silent: set[tuple[str, str]] = set()
        """Directions whose packets vanish."""
        self.slow: set[tuple[str, str]] = set()
        """Directions whose reader takes a few octets at a time."""
        self.frozen: set[str] = set()
        self.off: set[str] = set()
        """Hosts without power."""
        self.listeners: dict[str, Callable[[End], None]] = {}
        self.ends: list[End] = []

    def latency_s(self) -> float:
        """Draw the time that a packet is under way."""
        return self.random.choice((0.0005, 0.01, 0.08)) * self.random.uniform(0.5, 2.0)

    def later(self, end: End, action: Callable[[], None]) -> None:
        """Do something when a packet would have arrived."""
        slow = (end.host, end.far) in self.slow
        self.at(self.random.uniform(0.2, 2.0) if slow else self.latency_s(), action)

    def segment(self, end: End, queued: int) -> int:
        """Draw how many of the queued octets arrive together."""
        if (end.host, end.far) in self.slow:
            return min(queued, self.random.randint(1, 60))
        return queued if self.random.random() < 0.6 else self.random.randint(1, queued)

    def loses(self, host: str, far: str) -> bool:
        """Tell whether packets of this direction vanish."""
        return (host, far) in self.silent or host in self.off or far in self.off

    def deaf(self, end: End) -> bool:
        """Tell whether nobody reads at this end for now."""
        return end.host in self.frozen or not end.accepted

    def between(self, one: str, other: str) -> list[End]:
        """Give the ends of the connections that two hosts still know of, the dialled end of each."""
        self.ends = [end for end in self.ends if end.known or end.other.known]
        return [end for end in self.ends if {end.host, end.far} == {one, other}]

    def dial(self, host: str, far: str, done: Callable[[End | None], bool]) -> None:
        """Dial. `done` is given our end or, when refused, None; it gives False when the dial was given up meanwhile."""
        self._syn(host, far, done, 0.0)

    def _syn(self, host: str, far: str, done: Callable[[End | None], bool], waited_s: float) -> None:
        lost = self.loses(host, far) or self.loses(far, host)
        if lost and waited_s < 120.0:  # tcp_syn_retries: then the kernel gives up; the engine does so earlier
            self.at(RETRY_S, lambda: self._syn(host, far, done, waited_s + RETRY_S))
        elif not lost and host not in self.frozen:
            self.at(2 * self.latency_s(), lambda: self._syn_ack(host, far, done))
        elif not lost:
            self.at(RETRY_S, lambda: self._syn(host, far, done, waited_s))

    def _syn_ack(self, host: str, far: str, done: Callable[[End | None], bool]) -> None:
        if far not in self.listeners:
            done(None)
            return
        near, there = End(self, host, far, dialled=True), End(self, far, host, dialled=False)
        near.other, there.other = there, near
        if done(near):
            self.ends.append(near)
            self.at(self.latency_s(), lambda: self._accept(there))

    def _accept(self, end: End) -> None:
        if {end.host, end.far} & self.off or not end.known:
            return
        if end.host not in self.listeners:
            end.abort()
        elif end.host in self.frozen:
            self.at(RETRY_S, lambda: self._accept(end))
        else:
            end.accepted = True
            self.listeners[end.host](end)
