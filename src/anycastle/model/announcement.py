"""What is told to an upstream about a prefix."""

from dataclasses import dataclass, field

from anycastle.model.community import Community
from anycastle.model.prefix import Prefix


@dataclass(frozen=True, slots=True)
class RouteAttributes:
    """The path attributes that an operator sets on an announcement; what is not here the router sets itself."""

    prepend: int = 0
    """Own ASN repetitions beyond the one that eBGP adds."""
    med: int | None = None
    local_preference: int | None = None
    """Only an iBGP neighbour sees it; a transit's preference is set by one of its communities."""
    communities: frozenset[Community] = frozenset()

    def with_on_top(self, added: "RouteAttributes") -> "RouteAttributes":
        """Give these with a slow start's on top: prepends and communities add, the others are replaced where given."""
        return RouteAttributes(
            prepend=self.prepend + added.prepend,
            med=self.med if added.med is None else added.med,
            local_preference=self.local_preference if added.local_preference is None else added.local_preference,
            communities=self.communities | added.communities,
        )


@dataclass(frozen=True, slots=True)
class Announcement:
    """One prefix to one upstream, with its attributes."""

    prefix: Prefix
    upstream: str
    attributes: RouteAttributes = field(default=RouteAttributes(), hash=False)
    """Left out of the hash: a set of announcements has one per prefix and upstream, and is made with each decision."""


Announcements = frozenset[Announcement]
"""All that a PoP announces, or wants to: at most one announcement per (prefix, upstream)."""

NOTHING: Announcements = frozenset()
