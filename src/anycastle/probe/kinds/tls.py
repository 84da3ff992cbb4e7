"""TLS: the handshake, the certificate and what was agreed."""

from dataclasses import dataclass, field
from typing import Final

from anycastle.probe.result import Failure, FailureKind, Observation

PORT: Final = 443


@dataclass(frozen=True, slots=True)
class TLSAsk:
    """A handshake."""

    server_name: str | None = None
    """For SNI and verification; None: the target's host."""
    verify: bool = True
    ca_file: str | None = None
    """Authorities to verify with; None: the system's."""
    alpn: tuple[str, ...] = ()
    days_left_min: int | None = None
    kind: str = field(default="tls", init=False)


@dataclass(frozen=True, slots=True)
class TLSSeen(Observation):
    """What a handshake led to."""

    version: str
    cipher: str
    alpn: str | None
    subject: str
    """Common name of the certificate; empty where it has none."""
    issuer: str
    names: tuple[str, ...]
    """DNS names and addresses of the certificate."""
    days_left: float

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give the certificate's names: a PoP that has one of its own may be told by it."""
        return tuple(("certificate", name) for name in dict.fromkeys((self.subject, *self.names)) if name)


def judge(ask: TLSAsk, seen: TLSSeen) -> Failure | None:
    """Give what is wrong with what was agreed."""
    if ask.alpn and seen.alpn is None:
        return Failure(FailureKind.CONTENT, "tls", f"no protocol of {', '.join(ask.alpn)} was agreed by ALPN")
    if ask.days_left_min is not None and seen.days_left < ask.days_left_min:
        words = f"the certificate ends in {seen.days_left:.0f} days, expected {ask.days_left_min} or more"
        return Failure(FailureKind.CONTENT, "tls", words)
    return None
