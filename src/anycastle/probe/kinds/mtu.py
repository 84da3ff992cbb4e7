"""The path's MTU: the largest packet that gets through whole, and whether larger ones vanish without a word.

Echo requests of a chosen size go out with Don't Fragment. A small one first: without its answer nothing can be said.
Then the largest. A router that cannot forward it says so, with the MTU of its next link (RFC 1191 §4, RFC 8201 §4), and
that is tried next. Where nobody says anything, the sizes between are tried, some at a time, each several times: what
passes moves the lower end of the search up, what stays silent the upper end down (as RFC 4821 §7.3 searches, in packets
of our own). Silence may be loss, or a router that tells only so many a second: a limit that is known by silence alone
is tried once more after a wait, and only then called a *black hole*.

Sizes are of whole packets, with the IP header. A reply is as large as its request. Over IPv4 it may be fragmented on
its way back; over IPv6 it may not, and the figure is that of the narrower way.
"""

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from anycastle.base.ports import Instant, after
from anycastle.probe.result import Failure, FailureKind, Observation

TOKEN_OCTETS: Final = 8

SMALL_OCTETS: Final = MappingProxyType({4: 576, 6: 1280})
"""What every path is expected to carry: of IPv4 what every host takes (RFC 1122 §3.3.2), of IPv6 every link
(RFC 8200 §5)."""

HEADERS_OCTETS: Final = MappingProxyType({4: 28, 6: 48})
"""IP without options, and ICMP echo."""

OCTETS_MAX: Final = 65_535
OCTETS_DEFAULT: Final = 1500
"""Of Ethernet, and so of nearly all paths."""

WINDOW: Final = 8
"""Sizes that are tried at a time: of 920 between 576 and 1,500 three rounds leave one."""

PATIENCE_S_MIN: Final = 0.2
"""For an answer, once the round trip is known: what TCP waits at least (Linux, TCP_RTO_MIN)."""

CONFIRM_AFTER_S: Final = 1.2
"""Linux sends one ICMP error a second to a destination (icmp_ratelimit, `man 7 icmp`)."""


@dataclass(frozen=True, slots=True)
class MTUAsk:
    """A search."""

    octets_max: int = OCTETS_DEFAULT
    """The largest packet that is tried."""
    octets_min: int | None = None
    """The path must carry packets of so many octets."""
    tries: int = 3
    patience_s: float = 1.0
    """For the first answer; then a few of its round trips."""
    kind: str = field(default="mtu", init=False)


class Limit(Enum):
    """Why a packet of one octet more does not pass."""

    NONE = "none"
    """A larger one was not tried."""
    TOLD = "told"
    """A router said so."""
    HERE = "here"
    """Our own interface or route."""
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Told:
    """What a router said."""

    address: str
    mtu_octets: int
    """0 of a router older than RFC 1191."""


@dataclass(frozen=True, slots=True)
class MTUSeen(Observation):
    """What the search found."""

    mtu_octets: int | None
    """The largest packet that passed; None where none did."""
    at_most_octets: int
    """One octet more did not pass, or was not tried. Greater than `mtu_octets` where time ran out."""
    small_octets: int
    """The packet that was tried first."""
    limit: Limit
    told: tuple[Told, ...]
    black_hole: bool
    """Larger packets vanish, and nobody says so."""
    probes: int


class Send(NamedTuple):
    """A packet to send."""

    number: int
    """From 0: tells it from the others."""
    octets: int


@dataclass(slots=True)
class _Size:
    """A size of the round that is under way."""

    tries: int = 0
    next_at: float = 0.0
    """When it is sent again, or given up."""


class Search:
    """One search under way."""

    def __init__(self, ask: MTUAsk, version: int, now: Instant, limit_s: float) -> None:
        self._ask = ask
        self._small = min(SMALL_OCTETS[version], ask.octets_max)
        self._ends_at = after(now, limit_s)
        self._low = 0  # passed
        self._high = ask.octets_max + 1  # did not pass, or is not to be tried
        self._limit = Limit.NONE
        self._hint = 0
        self._confirmed = False
        self._patience_s = ask.patience_s
        self._sent: list[tuple[int, Instant]] = []
        self._round: dict[int, _Size] = {}
        self._told: dict[Told, None] = {}
        self.ended = False

    @property
    def begun(self) -> bool:
        """Tell whether a packet has passed."""
        return self._low > 0

    def due(self, now: Instant) -> list[Send]:
        """Give the packets to send now."""
        if now >= self._ends_at:
            self.ended = True
        found: list[Send] = []
        while not self.ended and not found:
            if not self._round:
                self._begin_round(now)
            found = [self._send(octets, each, now) for octets, each in self._round.items() if self._again(each, now)]
            if any(now < each.next_at for each in self._round.values()):
                break
            self._close_round()
        return found

    @property
    def deadline(self) -> Instant:
        """Give when a packet is sent again or given up: at once where all are decided."""
        if not self._round and self._sent:
            return self._sent[-1][1]
        return Instant(min([*(each.next_at for each in self._round.values()), self._ends_at]))

    def heard(self, number: int, now: Instant) -> None:
        """Take that a packet was answered; one of a round that is over changes nothing."""
        if not 0 <= number < len(self._sent):
            return
        octets, sent = self._sent[number]
        if octets not in self._round:
            return
        if not self._low:
            self._patience_s = min(self._ask.patience_s, max(PATIENCE_S_MIN, 4 * (now - sent)))
        if octets >= self._high:  # what was silent before was lost on the way
            self._high, self._limit = self._ask.octets_max + 1, Limit.NONE
        self._low = max(self._low, octets)
        self._tidy()

    def refused(self, number: int, mtu_octets: int, address: str = "") -> None:
        """Take that a packet is too big: a router says so, or without its address our own kernel."""
        if not 0 <= number < len(self._sent):
            return
        octets, _ = self._sent[number]
        if address:
            self._told[Told(address, mtu_octets)] = None
        if self._low < octets <= self._high:
            self._hint = mtu_octets if self._low < mtu_octets < octets else 0
            self._high = self._hint + 1 if self._hint else octets
            self._limit = Limit.TOLD if address else Limit.HERE
            self._tidy()

    def seen(self) -> MTUSeen:
        """Give what is known by now."""
        silent = self._limit is Limit.SILENCE and self._low > 0
        return MTUSeen(
            mtu_octets=self._low or None,
            at_most_octets=self._high - 1,
            small_octets=self._small,
            limit=self._limit,
            told=tuple(self._told),
            # A router that told of this very MTU once, and then kept silent, has told.
            black_hole=silent and all(each.mtu_octets != self._low for each in self._told),
            probes=len(self._sent),
        )

    # -- a round ------------------------------------------------------------------------------------------------------

    def _begin_round(self, now: Instant) -> None:
        begins_at: float = now
        if self._low and self._high - self._low == 1 and self._limit is Limit.SILENCE and not self._confirmed:
            self._confirmed = True
            sizes = [self._high]
            begins_at = now + CONFIRM_AFTER_S
        else:
            sizes = self._next_sizes()
        self._round = {octets: _Size(next_at=begins_at) for octets in sizes}
        self.ended = not sizes

    def _next_sizes(self) -> list[int]:
        if not self._low:
            return [] if self._sent else [self._small]
        if self._high > self._ask.octets_max and self._low < self._ask.octets_max:
            return [self._ask.octets_max]
        hint, self._hint = self._hint, 0
        if self._low < hint < self._high:
            return [hint]
        between = self._high - self._low - 1
        count = min(WINDOW, between)
        return [self._low + (between + 1) * place // (count + 1) for place in range(1, count + 1)]

    def _again(self, each: _Size, now: Instant) -> bool:
        return now >= each.next_at and each.tries < self._ask.tries

    def _send(self, octets: int, each: _Size, now: Instant) -> Send:
        each.tries += 1
        wait_s = self._patience_s if each.tries == self._ask.tries else self._patience_s / self._ask.tries
        each.next_at = now + wait_s
        self._sent.append((octets, now))
        return Send(len(self._sent) - 1, octets)

    def _tidy(self) -> None:
        """Sizes that are decided by now need no more tries."""
        self._round = {octets: each for octets, each in self._round.items() if self._low < octets < self._high}

    def _close_round(self) -> None:
        """Sizes that are still there have kept silent to the last."""
        silent = min(self._round, default=self._high)
        self._round = {}
        if silent < self._high:
            self._high, self._limit = silent, Limit.SILENCE


def data_of(octets: int, version: int, token: bytes) -> bytes:
    """Give an echo request's data, so that the packet has so many octets."""
    return token + bytes(max(0, octets - HEADERS_OCTETS[version] - len(token)))


def judge(ask: MTUAsk, seen: MTUSeen) -> Failure | None:
    """Give what is wrong with a path."""
    if seen.mtu_octets is None:
        why = f": {_said(seen.told[-1])}" if seen.told else ""
        return Failure(FailureKind.TIMEOUT, "small", f"no answer to a packet of {seen.small_octets} octets{why}")
    if seen.black_hole:
        return Failure(FailureKind.BLACK_HOLE, "search", f"{_passes(seen)}, larger ones vanish and no router says so")
    if ask.octets_min is not None and seen.mtu_octets < ask.octets_min:
        told = f" ({_said(seen.told[-1])})" if seen.told else ""
        return Failure(FailureKind.CONTENT, "search", f"{_passes(seen)}, expected {ask.octets_min}{told}")
    return None


def _passes(seen: MTUSeen) -> str:
    assert seen.mtu_octets is not None
    upper = f" to {seen.at_most_octets}" if seen.at_most_octets > seen.mtu_octets else ""
    return f"packets of up to {seen.mtu_octets}{upper} octets pass"


def _said(told: Told) -> str:
    return f"{told.address} told of an MTU of {told.mtu_octets}"
