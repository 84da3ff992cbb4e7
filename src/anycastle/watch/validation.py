"""The port to RPKI: it annotates a finding and never keeps one back."""

from typing import Protocol

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import Validity

__all__ = ["NoValidation", "Validation", "Validity"]


class Validation(Protocol):
    """A set of VRPs, or its absence."""

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        """Give the validity of an origin; never raises, and never waits."""
        ...


class NoValidation:
    """Stands in while there are no VRPs: everything is unknown."""

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:  # noqa: ARG002
        """Give UNKNOWN."""
        return Validity.UNKNOWN
