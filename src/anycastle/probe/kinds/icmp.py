"""ICMP echo: is it reachable, how far is it, and do packets of this size get through (RFC 792, RFC 4443 §4.1)."""

from dataclasses import dataclass, field
from typing import Final

from anycastle.probe.result import Observation

TOKEN_OCTETS: Final = 8
"""At the head of the data, drawn for each probe: a reply without them is none of ours."""

DATA_OCTETS_MAX: Final = 65_507 - 8


@dataclass(frozen=True, slots=True)
class ICMPAsk:
    """One echo request."""

    data_octets: int = 56
    """Behind the ICMP header; ping's default."""
    kind: str = field(default="icmp", init=False)


@dataclass(frozen=True, slots=True)
class ICMPSeen(Observation):
    """An echo reply."""

    data_octets: int


def data_of(ask: ICMPAsk, token: bytes) -> bytes:
    """Give the data of a request: the token, then octets that count up, as far as there is room."""
    filling = bytes(index % 256 for index in range(max(0, ask.data_octets - len(token))))
    return token + filling
