"""What the RPKI says of routes: validated ROA payloads, provider authorisations, and a route's validity."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix


class Validity(Enum):
    """Whether a ROA covers (prefix, origin) (RFC 6811 §2); UNKNOWN while there are no current VRPs to ask."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class VRP:
    """A validated ROA payload (RFC 6811 §1): `asn` may originate `prefix`, and what is in it up to `max_length`."""

    prefix: Prefix
    max_length: int
    asn: ASN

    @property
    def loose(self) -> bool:
        """It allows more-specifics that nobody may mean to announce (RFC 9319 §3)."""
        return self.max_length > self.prefix.length

    def __str__(self) -> str:
        return f"{self.prefix}-{self.max_length} AS{self.asn}" if self.loose else f"{self.prefix} AS{self.asn}"


@dataclass(frozen=True, slots=True)
class ASPA:
    """A validated provider authorisation: all that `customer` says are its providers; AS0 alone says it has none."""

    customer: ASN
    providers: frozenset[ASN]


ValidityOf = Callable[[Prefix, ASN], Validity]
"""Gives the validity of an origin."""


def unknown_validity(prefix: Prefix, origin: ASN) -> Validity:  # noqa: ARG001
    """Say what is known without RPKI data."""
    return Validity.UNKNOWN
