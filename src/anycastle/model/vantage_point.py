"""Where we measure from."""

from dataclasses import dataclass

from anycastle.model.asn import ASN
from anycastle.model.pop import Location


@dataclass(frozen=True, slots=True)
class VantagePoint:
    """A place in a network from which an anycast address is asked."""

    name: str
    asn: ASN | None = None
    """None where it is not known: then it is a network of its own."""
    location: Location | None = None
    country: str = ""
    """ISO 3166-1 code of two letters; empty where it is not known."""

    @property
    def network(self) -> str:
        """Give what vantage points share fate by: the AS; alone where that is not known."""
        return f"AS{self.asn}" if self.asn else f"vantage point {self.name}"
