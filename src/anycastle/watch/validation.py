"""The port to RPKI: it annotates a finding and never keeps one back."""

from typing import Protocol

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import Validity

__all__ = ["NoValidation", "Validation", "Validity"]


class Validation(Protocol):
    """What validators say now, or its absence. Never raises, and never waits."""

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        """Give the validity of an origin."""
        ...

    def expiry(self, prefix: Prefix, origin: ASN) -> Timestamp | None:
        """Give when the last VRP ends that makes an origin valid; None where none does, or its end is not known."""
        ...

    def providers(self, customer: ASN) -> frozenset[ASN] | None:
        """Give all that an AS says are its providers (ASPA); None where it says nothing, or that is not known."""
        ...


class NoValidation:
    """Stands in while nothing is known of the RPKI."""

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:  # noqa: ARG002
        """Give UNKNOWN."""
        return Validity.UNKNOWN

    def expiry(self, prefix: Prefix, origin: ASN) -> Timestamp | None:  # noqa: ARG002
        """Give None."""
        return None

    def providers(self, customer: ASN) -> frozenset[ASN] | None:  # noqa: ARG002
        """Give None."""
        return None
