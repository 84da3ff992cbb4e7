"""The port to the AS graph: what two neighbouring networks are to each other."""

from enum import Enum
from typing import Protocol

from anycastle.model.asn import ASN


class Relation(Enum):
    """What the second AS is to the first."""

    PROVIDER = "provider"
    CUSTOMER = "customer"
    PEER = "peer"


class Relations(Protocol):
    """An AS graph with relationships, as far as they are known."""

    def relation(self, asn: ASN, neighbour: ASN) -> Relation | None:
        """Give what `neighbour` is to `asn`, or None where the graph does not say."""
        ...


class NoRelations:
    """Stands in where there is no graph."""

    def relation(self, asn: ASN, neighbour: ASN) -> Relation | None:  # noqa: ARG002
        """Give None."""
        return None
