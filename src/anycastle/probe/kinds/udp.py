"""UDP echo (RFC 862): what was sent comes back. Shows loss and time of UDP where no service would answer."""

from dataclasses import dataclass, field
from typing import Final

from anycastle.probe.result import Observation

PORT: Final = 7
TOKEN_OCTETS: Final = 8
DATA_OCTETS_MAX: Final = 65_507


@dataclass(frozen=True, slots=True)
class UDPAsk:
    """One datagram."""

    data_octets: int = 64
    kind: str = field(default="udp", init=False)


@dataclass(frozen=True, slots=True)
class UDPSeen(Observation):
    """The datagram that came back."""

    data_octets: int


def data_of(ask: UDPAsk, token: bytes) -> bytes:
    """Give the datagram: the token, then zeros."""
    return token + bytes(max(0, ask.data_octets - len(token)))
