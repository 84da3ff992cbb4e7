"""What one probe saw: how long each phase took, what the target said, which PoP it was; or where it failed, and why.

A probe that failed is a result like any other. Its phases up to the failure stand, and the failure names the phase in
which it came. Only a failure of OURS (no descriptor, no local port, our own resolver) says nothing about the target.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.model.prefix import Address
from anycastle.model.vantage_point import VantagePoint


class Phase(NamedTuple):
    """A part of a probe, in the order in which they happened."""

    name: str
    """`resolve`, `connect`, `tls`, `handshake` (of QUIC), `first_byte`, `body`, `answer`, `identity`, `echo`, `small`,
    `search`, `large`, `clamped`, `session` or `again`."""
    duration_ms: float


class FailureKind(Enum):
    """Why a probe failed."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    """The connection was closed or reset before all had come."""
    UNREACHABLE = "unreachable"
    """A router, or our own table, says that there is no way."""
    TLS = "tls"
    """The handshake failed, or the certificate does not verify."""
    PROTOCOL = "protocol"
    """What came is not what the protocol says."""
    CONTENT = "content"
    """An answer in good form, and not the one that is expected."""
    BLACK_HOLE = "black_hole"
    """Small packets pass, large ones vanish, and no router says so."""
    SITE = "site"
    """A PoP answered that may not, or another one in the midst of a session, or the server did not say which it is."""
    OURS = "ours"
    """We could not ask. No data; never counted against the target."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in which phase, in words for an operator."""

    kind: FailureKind
    phase: str
    words: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What a target said, of whichever kind; each kind has a class of its own beneath."""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give what the server said of itself: (source, text), the best first; none where it said nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe of one target by one vantage point."""

    vantage: VantagePoint
    target: str
    kind: str
    at: Timestamp
    """When the probe began."""
    late_ms: float
    """How long after its planned time it began; 0 for a single shot."""
    address: Address | None
    """Where it went; None where the name was not resolved."""
    local_port: int | None
    phases: tuple[Phase, ...]
    failure: Failure | None
    seen: Observation | None
    """None where nothing that can be read came."""
    server: str = ""
    """By what the server told itself apart, as it came."""
    pop: str = ""
    """'' where it is not known."""
    asked: str = ""
    """Of DNS: name, type and transport, as `. SOA udp`: where nothing came, nothing else tells it."""

    @property
    def duration_ms(self) -> float:
        """Give the sum of the phases."""
        return sum(phase.duration_ms for phase in self.phases)

    @property
    def counts(self) -> bool:
        """Tell whether it says anything about the target."""
        return self.failure is None or self.failure.kind is not FailureKind.OURS
