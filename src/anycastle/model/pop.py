"""Where a service is announced from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from anycastle.model.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Router:
    """The router that a PoP announces through, and how to drive it."""

    driver: str
    """A name of `anycastle.io.routers.DRIVERS`: `bird` or `embedded`."""
    router_id: IPv4Address
    options: Mapping[str, str] = field(default_factory=dict)
    """What this driver needs, such as the path of BIRD's control socket."""


@dataclass(frozen=True, slots=True)
class PoP:
    """A point of presence: one place, one router, its upstreams."""

    name: str
    city: str
    location: Location
    region: str
    router: Router
    upstreams: tuple[Upstream, ...]
    capacity: float = 1.0
    """What the PoP can serve, in the operator's unit; floors by capacity add these up."""

    def upstream(self, name: str) -> Upstream:
        """Give the upstream of that name; the fleet's loader has checked that it exists."""
        return next(upstream for upstream in self.upstreams if upstream.name == name)
