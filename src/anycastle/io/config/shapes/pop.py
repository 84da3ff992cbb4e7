"""`pops/*.yaml`."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings, did_you_mean
from anycastle.io.config.scalars import (
    AddressText,
    ASNText,
    Boolean,
    Capacity,
    HoldTime,
    Hops,
    Latitude,
    LiteralCommunity,
    Longitude,
    Name,
    Port,
    PositiveCount,
    RouterId,
    SecretPath,
    Text,
    one_of,
    refuse,
    vocabulary_word,
    word,
    words_schema,
)
from anycastle.io.config.shape import ENTRIES, ITEMS, SECRET_KEYS, Shape
from anycastle.model.asn import is_private
from anycastle.model.prefix import family_of
from anycastle.model.upstream import UpstreamKind

OPTIONS: Final = {
    "bird": ("control_socket", "include_dir"),
    "embedded": ("families", "graceful_restart", "listen", "port"),
}
"""Driver -> the options that it knows."""
DRIVERS: Final = tuple(OPTIONS)
HOLD_TIME_DEFAULT_S: Final = 30
_HOLD_TIME_LONG_S: Final = 30  # with 90 s, clients of a silently dead PoP wait 71 s (docs/design/failover)

Driver = Annotated[
    str, PlainValidator(word({driver: driver for driver in DRIVERS})), WithJsonSchema({"enum": list(DRIVERS)})
]
Kind = Annotated[UpstreamKind, PlainValidator(one_of(UpstreamKind)), words_schema(UpstreamKind)]


def _option(key: Any) -> str:
    if str(key).lower() in SECRET_KEYS:
        raise refuse(FindingKind.SECRET, "a secret is never written into the fleet; drivers read it from a file")
    return str(key)


class LocationShape(Shape):
    """A point on the earth."""

    latitude: Latitude = Field(description="Degrees north, -90 to 90.")
    longitude: Longitude = Field(description="Degrees east, -180 to 180.")


class RouterShape(Shape):
    """The router that the PoP announces through."""

    driver: Driver = Field(description="How the router is driven: `bird`, or `embedded` for the speaker of our own.")
    router_id: RouterId = Field(description="BGP identifier: an IPv4 address, different for each router of the fleet.")
    options: Annotated[dict[Annotated[str, AfterValidator(_option)], Text], ENTRIES] | None = Field(
        None, description="What this driver needs, such as `control_socket: /run/bird/bird.ctl`. Values are text."
    )

    def review(self, findings: Findings) -> None:
        """Every option is one that the driver knows."""
        known = OPTIONS[self.driver]
        for option in self.options or {}:
            if option not in known:
                message = f"the driver {self.driver} has no option {option!r}{did_you_mean(option, known)}"
                self.add(findings, FindingKind.UNKNOWN_KEY, "options", f"{message}; it has: {', '.join(known)}")


class NeighbourShape(Shape):
    """One BGP session."""

    address: AddressText = Field(description="Address of the neighbour.")
    local_address: AddressText | None = Field(
        None, description="Our address of the session, of the same family; the router chooses where it is not given."
    )
    port: Port = Field(179, description="TCP port of the neighbour.")

    def review(self, findings: Findings) -> None:
        """The two ends are of one family and differ."""
        if self.local_address is None:
            return
        if family_of(self.address) is not family_of(self.local_address):
            message = f"{self.local_address} and the neighbour {self.address} are of different families"
            self.add(findings, FindingKind.FAMILY, "local_address", message)
        elif self.address == self.local_address:
            message = "the neighbour has the same address"
            self.add(findings, FindingKind.SESSION_CLASH, "local_address", message)


class UpstreamShape(Shape):
    """A network that the PoP announces to."""

    name: Name = Field(description="Name of the upstream, unique within the PoP; policies refer to it.")
    kind: Kind = Field(description="What the neighbour is to us: `transit`, `peer`, `ix` or `route-server`.")
    asn: ASNText = Field(description="AS number of the neighbour; the fleet's own makes the session iBGP.")
    neighbours: Annotated[tuple[NeighbourShape, ...], ITEMS] = Field(
        description="The BGP sessions; a dual-stack upstream has two."
    )
    vocabulary: Annotated[dict[Annotated[str, AfterValidator(vocabulary_word)], LiteralCommunity], ENTRIES] | None = (
        Field(
            None,
            description="Your word for an action -> the community that the upstream acts on, such as "
            "`no-asia: 64496:3`. Policies use the word.",
        )
    )
    capacity: Capacity | None = Field(None, description="Capacity of the link in bit/s, such as `10G`.")
    hold_time: HoldTime = Field(
        HOLD_TIME_DEFAULT_S,
        description="BGP hold time in whole seconds: `0s`, or `3s` and more.",
        json_schema_extra={"default": f"{HOLD_TIME_DEFAULT_S}s"},
    )
    password_file: SecretPath | None = Field(
        None, description="Absolute path, on the PoP, of the file that holds the TCP-MD5 key (RFC 2385)."
    )
    ttl_security_hops: Hops | None = Field(
        None, description="GTSM (RFC 5082): hops to the neighbour, 1 for a direct one. Off where it is not given."
    )
    bfd: Boolean = Field(True, description="Watch the session with BFD.")
    max_prefixes: PositiveCount | None = Field(
        None, description="Prefixes accepted from the neighbour before the session is ended."
    )

    def review(self, findings: Findings) -> None:
        """Warn of a private transit and of slow detection."""
        if self.kind is UpstreamKind.TRANSIT and is_private(self.asn):
            self.add(findings, FindingKind.PRIVATE_TRANSIT, "asn", f"AS {self.asn} is private; is it a transit?")
        if self.bfd or 3 <= self.hold_time <= _HOLD_TIME_LONG_S or self.misread("bfd", "hold_time"):
            return
        wait = f"after {self.hold_time} s" if self.hold_time else "by nobody"
        message = f"without BFD a silently dead PoP is noticed {wait}"
        self.add(findings, FindingKind.SLOW_DETECTION, "hold_time", message)


class PoPShape(Shape):
    """A point of presence."""

    passes_over_x: ClassVar[bool] = True

    name: Name = Field(description="Name of the PoP, unique in the fleet, such as `fra1`.")
    city: Text = Field(description="City, for people.")
    location: LocationShape = Field(description="Where the PoP is.")
    region: Name = Field(description="One of the fleet's `regions`.")
    router: RouterShape = Field(description="The router and its driver.")
    capacity: Capacity | None = Field(
        None,
        description="What the PoP can serve, such as `10G` or `400k`, in a unit that is the same for all PoPs; "
        "floors by capacity add it up.",
    )
    upstreams: Annotated[tuple[UpstreamShape, ...], ITEMS] = Field(
        description="The networks that the PoP announces to."
    )
