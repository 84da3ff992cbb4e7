"""Paris traceroute: the hops to a target, all of them on one path.

A load balancer hashes a packet's addresses, protocol and ports, or of ICMP its checksum. A classic traceroute varies
those to tell its probes apart, and so shows a path that no packet takes. Here they stay, and a probe is told by what no
balancer looks at and every error quotes (Augustin et al., IMC 2006): over UDP by its length, since a translator of
addresses changes ports and checksums but not that; over ICMP by the sequence number, with a word in the data that
keeps the checksum as it was; over TCP, which passes where the others are filtered, by the sequence number of a SYN.

The engine is given the time and what was heard, and says which probes to send and when it wants to be woken. Hops are
asked in order, `window` probes under way at a time. It ends when the target has answered and all hops before it have
answered or kept silent, when a router refuses, after `silent_max` hops in a row that say nothing, or at its time limit.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anycastle.base.ports import Instant, after
from anycastle.probe.result import Failure, FailureKind, Observation

PROTOCOLS: Final = ("udp", "icmp", "tcp")
UDP_PORT: Final = 33_434
"""Where traceroute has always asked, and nobody listens."""

TCP_PORT: Final = 443
"""Where a service is: what stands before it lets that pass."""

LENGTH_BASE: Final = 12
"""Octets of the first UDP probe's data; each further one has one more."""

PROBES_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class TraceAsk:
    """One path."""

    protocol: str = "udp"
    """Of `PROTOCOLS`."""
    hops_max: int = 30
    tries: int = 3
    """Probes a hop; at most `PROBES_MAX` in all."""
    window: int = 8
    hop_timeout_s: float = 1.0
    silent_max: int = 5
    kind: str = field(default="traceroute", init=False)


@dataclass(frozen=True, slots=True)
class Hop:
    """What was heard of one distance."""

    number: int
    addresses: tuple[str, ...]
    """Who answered: one router, unless the path changed meanwhile. Empty: nobody."""
    rtts_ms: tuple[float | None, ...]
    """Of each try; None where nothing came."""
    refused: str = ""
    """Why a router would not go on, such as `administratively prohibited`."""


@dataclass(frozen=True, slots=True)
class TraceSeen(Observation):
    """A path as far as it was seen."""

    reached: bool
    hops: tuple[Hop, ...]


class Send(NamedTuple):
    """A probe to send."""

    number: int
    """From 0: tells it from the others."""
    hop: int
    """The packet's time to live."""


@dataclass(slots=True)
class _Try:
    sent: Instant
    rtt_ms: float | None = None
    over: bool = False


class Trace:
    """One trace under way."""

    def __init__(self, ask: TraceAsk, now: Instant, limit_s: float) -> None:
        self._ask = ask
        self._ends_at = after(now, limit_s)
        self._tries: list[_Try] = []
        self._addresses: dict[int, dict[str, None]] = {}
        self._refusals: dict[int, str] = {}
        self._last_hop = min(ask.hops_max, PROBES_MAX // ask.tries)
        """The farthest that is of interest: the target's distance, once it is known."""
        self.reached = False
        self.ended = False

    def due(self, now: Instant) -> list[Send]:
        """Give the probes to send now."""
        self._expire(now)
        found: list[Send] = []
        while not self.ended and self._under_way() < self._ask.window and self._hop(len(self._tries)) <= self._last_hop:
            number = len(self._tries)
            self._tries.append(_Try(now))
            found.append(Send(number, self._hop(number)))
        if not self._under_way():
            self.ended = True
        return found

    @property
    def deadline(self) -> Instant:
        """Give when the next probe is given up."""
        times = [each.sent + self._ask.hop_timeout_s for each in self._tries if not each.over]
        return Instant(min([*times, self._ends_at]))

    def heard(self, number: int, address: str, rtt_ms: float, *, reached: bool, refused: str = "") -> None:
        """Take an answer to a probe; one that was given up, answered or never sent changes nothing."""
        if not 0 <= number < len(self._tries) or self._tries[number].over:
            return
        each = self._tries[number]
        each.rtt_ms, each.over = rtt_ms, True
        hop = self._hop(number)
        self._addresses.setdefault(hop, {})[address] = None
        if refused:
            self._refusals[hop] = refused
        if reached or refused:
            self.reached = self.reached or reached
            self._last_hop = min(self._last_hop, hop)

    def seen(self) -> TraceSeen:
        """Give the path, without silent hops behind the last that was heard of."""
        farthest = max((hop for hop in self._addresses if hop <= self._last_hop), default=0)
        return TraceSeen(self.reached, tuple(self._hop_seen(hop) for hop in range(1, farthest + 1)))

    def _hop_seen(self, hop: int) -> Hop:
        tries = self._tries[(hop - 1) * self._ask.tries : hop * self._ask.tries]
        rtts_ms = tuple(None if each.rtt_ms is None else round(each.rtt_ms, 3) for each in tries)
        return Hop(hop, tuple(self._addresses.get(hop, ())), rtts_ms, self._refusals.get(hop, ""))

    def _hop(self, number: int) -> int:
        return 1 + number // self._ask.tries

    def _under_way(self) -> int:
        """Count probes that may still be answered; those beyond the target do not matter any more."""
        return sum(not each.over and self._hop(number) <= self._last_hop for number, each in enumerate(self._tries))

    def _expire(self, now: Instant) -> None:
        for each in self._tries:
            if not each.over and now >= each.sent + self._ask.hop_timeout_s:
                each.over = True
        if now >= self._ends_at or self._silent() >= self._ask.silent_max:
            self.ended = True

    def _silent(self) -> int:
        """Count the hops in a row, from the farthest whose tries are all over, that said nothing."""
        silent = 0
        for hop in range(len(self._tries) // self._ask.tries, 0, -1):
            tries = self._tries[(hop - 1) * self._ask.tries : hop * self._ask.tries]
            if any(each.rtt_ms is not None for each in tries):
                break
            silent += all(each.over for each in tries)
        return silent


def judge(seen: TraceSeen) -> Failure | None:
    """Give why the target was not reached."""
    if seen.reached:
        return None
    if not seen.hops:
        return Failure(FailureKind.TIMEOUT, "trace", "no hop answered")
    last = seen.hops[-1]
    where = f"hop {last.number}, {last.addresses[0]}"
    if last.refused:
        return Failure(FailureKind.UNREACHABLE, "trace", f"{where}: {last.refused}")
    return Failure(FailureKind.TIMEOUT, "trace", f"nothing answered beyond {where}")


def udp_data(number: int) -> bytes:
    """Give a UDP probe's data, whose length tells it."""
    return bytes(LENGTH_BASE + number)


def number_of_length(udp_length: int) -> int:
    """Give the probe of a quoted UDP header's length (RFC 768: header and data)."""
    return udp_length - 8 - LENGTH_BASE


def icmp_data(sequence: int) -> bytes:
    """Give an ICMP probe's data: a word that makes up for the sequence number, so that all checksums are equal."""
    return (0xFFFF - sequence).to_bytes(2, "big") + bytes(22)
