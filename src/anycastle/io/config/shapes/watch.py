"""`watch` of `fleet.yaml`: what the Internet may show of the fleet's prefixes."""

import re
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import shown
from anycastle.io.config.scalars import (
    AddressText,
    ASNText,
    Boolean,
    HoldTime,
    Hops,
    Name,
    Port,
    PositiveCount,
    PrefixText,
    Run,
    SecretPath,
    SettlingSpan,
    Text,
    integer,
    read_text,
    refuse,
    word,
)
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, parse_address
from anycastle.model.watch import Settling, Thresholds, WatchSession

_SETTLING: Final = Settling()
_THRESHOLDS: Final = Thresholds()
_SESSION: Final = WatchSession(parse_address("192.0.2.1"), ASN(1))
"""For its defaults."""

ASNs = Annotated[tuple[ASNText, ...], ITEMS]
FamilyText = Annotated[
    Family,
    PlainValidator(word({str(family): family for family in Family})),
    WithJsonSchema({"enum": [str(family) for family in Family]}),
]
Length = Annotated[int, PlainValidator(integer(1, 128)), WithJsonSchema({"type": "integer"})]


def _read_pattern(node: Any) -> str:
    text = read_text(node)
    try:
        re.compile(text)
    except re.error as error:
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not a regular expression: {error}") from None
    return text


Pattern = Annotated[
    str, PlainValidator(_read_pattern), WithJsonSchema({"type": "string", "examples": [r"\b64666\b", r"64496 64500$"]})
]


class MoreSpecificShape(Shape):
    """More-specifics that are meant, such as those of a scrubber."""

    prefix: PrefixText = Field(description="They lie within this prefix.")
    longest: Length = Field(description="Longest length that is meant, such as 24, or 32 for a blackhole.")
    origins: ASNs | None = Field(None, description="Who may originate them. Default: who may originate the prefix.")
    through: ASNs | None = Field(None, description="One of these must stand in the path. Default: any path.")

    def review(self, findings: Findings) -> None:
        """The length lies between the prefix's and an address's."""
        low, high = self.prefix.value.length + 1, self.prefix.value.family.bits
        if not low <= self.longest <= high:
            message = f"a more-specific of {self.prefix.value} has a length of {low} to {high}, not {self.longest}"
            self.add(findings, FindingKind.BAD_VALUE, "longest", message)


class LockedShape(Shape):
    """A network that is nobody's customer (Peerlock): between two of them nobody else may stand."""

    asn: ASNText = Field(description="AS number of the network.")
    behind: ASNs | None = Field(
        None, description="The only networks that may hand on its routes to us. Default: its customers, all of them."
    )


class PathRuleShape(Shape):
    """A path that is not wanted."""

    match: Pattern = Field(description="Regular expression over the path's ASNs, single spaces between them.")
    unless: Pattern | None = Field(None, description="A path that this matches as well is wanted.")
    shortest: Run | None = Field(None, description="A path that matches is wanted from this length on.")
    longest: Run | None = Field(None, description="A path that matches is wanted up to this length.")
    reason: Text | None = Field(None, description="Why, for the finding.")


class ThresholdsShape(Shape):
    """How many distinct observers a finding needs. What the feeds do not have is not asked for."""

    peers: Run = Field(_THRESHOLDS.peers, description="Peers of collectors.")
    asns: Run = Field(_THRESHOLDS.asns, description="ASes of those peers.")
    collectors: Run = Field(_THRESHOLDS.collectors, description="Collectors.")


class SettlingShape(Shape):
    """How long the Internet is given to follow a change of ours."""

    quiet: SettlingSpan = Field(
        _SETTLING.quiet_s, description="Silence after which a change is over.", json_schema_extra={"default": "60s"}
    )
    horizon: SettlingSpan = Field(
        _SETTLING.horizon_s,
        description="When peers that have not converged are counted as such.",
        json_schema_extra={"default": "15m"},
    )
    toggle: SettlingSpan = Field(
        _SETTLING.toggle_s,
        description="How long a toggle is given; what moves for as long before it is its control.",
        json_schema_extra={"default": "15m"},
    )

    def review(self, findings: Findings) -> None:
        """A change is not given up before it could be over."""
        if self.horizon < self.quiet and not self.misread("quiet", "horizon"):
            key = "horizon" if "horizon" in self.model_fields_set else "quiet"
            message = f"the horizon of {self.horizon:g} s ends before {self.quiet:g} s of quiet could pass"
            self.add(findings, FindingKind.BAD_VALUE, key, message)


class SessionShape(Shape):
    """A router that tells the watch its routes by BGP. The watch announces nothing to it."""

    neighbour: AddressText = Field(description="Address of the router.")
    asn: ASNText = Field(description="AS number of the router.")
    port: Port = Field(_SESSION.port, description="TCP port that is dialled.")
    local_asn: ASNText | None = Field(
        None, description="AS number that the watch has on this session. Default: the fleet's own."
    )
    families: Annotated[tuple[FamilyText, ...], ITEMS] = Field(
        _SESSION.families,
        description="Families that are asked for. Default: `ipv4` and `ipv6`.",
        json_schema_extra={"default": [str(family) for family in _SESSION.families]},
    )
    add_path: Boolean = Field(_SESSION.add_path, description="Ask for all paths, not for the best only (RFC 7911).")
    hold_time: HoldTime = Field(
        _SESSION.hold_time_s,
        description="BGP hold time in whole seconds.",
        json_schema_extra={"default": f"{_SESSION.hold_time_s}s"},
    )
    passive: Boolean = Field(_SESSION.passive, description="Wait for the router to dial.")
    route_server: Boolean = Field(
        _SESSION.route_server, description="It is a route server, whose ASN does not stand in the paths."
    )
    password_file: SecretPath | None = Field(
        None, description="Absolute path of the file that holds the TCP-MD5 key (RFC 2385)."
    )
    ttl_security_hops: Hops | None = Field(None, description="GTSM (RFC 5082): hops to the router.")
    max_prefixes: PositiveCount | None = Field(
        None, description="Routes of one family, each path apart, beyond which the session is ended."
    )


class RegionShape(Shape):
    """Peers that stand for a part of the Internet."""

    name: Name = Field(description="Name of the region.")
    collectors: Annotated[tuple[Text, ...], ITEMS] | None = Field(
        None,
        description="Collectors whose peers belong to it, such as `rrc00`, or a router by its BMP name.",
    )
    asns: ASNs | None = Field(
        None, description="ASes whose peers belong to it, wherever they are heard; before what the collector says."
    )

    def review(self, findings: Findings) -> None:
        """Somebody belongs to it."""
        if self.collectors is None and self.asns is None and not self.misread("collectors", "asns"):
            message = "nobody belongs to it: name collectors, asns or both"
            self.add(findings, FindingKind.MISSING_KEY, "name", message)


class WatchShape(Shape):
    """What the Internet may show of the fleet's prefixes, beyond what PoPs and services say."""

    origins: ASNs | None = Field(
        None, description="ASNs that may originate the services' prefixes besides the fleet's own (MOAS)."
    )
    neighbours: ASNs | None = Field(
        None, description="ASNs that may stand next to our origin besides the upstreams, such as a scrubber's."
    )
    more_specifics: Annotated[tuple[MoreSpecificShape, ...], ITEMS] | None = Field(
        None, description="More-specifics that are meant."
    )
    unannounced: Annotated[tuple[PrefixText, ...], ITEMS] | None = Field(
        None, description="Own prefixes that nobody is to announce."
    )
    locked: Annotated[tuple[LockedShape, ...], ITEMS] | None = Field(
        None, description="Networks that are nobody's customers."
    )
    path_rules: Annotated[tuple[PathRuleShape, ...], ITEMS] | None = Field(
        None, description="Paths that are not wanted."
    )
    thresholds: ThresholdsShape | None = Field(None, description="Observers that a finding needs.")
    settling: SettlingShape | None = Field(None, description="How long the Internet is given to follow a change.")
    sessions: Annotated[tuple[SessionShape, ...], ITEMS] | None = Field(
        None, description="Routers that tell `watch run --bgp` their routes."
    )
    regions: Annotated[tuple[RegionShape, ...], ITEMS] | None = Field(
        None, description="Which peers stand for which part of the Internet. Default: RIPE RIS's collectors by place."
    )

    def review(self, findings: Findings) -> None:
        """Each session and region, and each member of a region, is named once."""
        seen: dict[object, int] = {}
        for number, session in enumerate(self.sessions or ()):
            first = seen.setdefault((session.neighbour, session.port, session.local_asn), number)
            if first != number:
                message = f"{session.neighbour} port {session.port} is already sessions[{first}]"
                session.add(findings, FindingKind.SESSION_CLASH, "neighbour", message)
        for region in self.regions or ():
            for key, names in _members(region):
                for name in names:
                    owner = seen.setdefault((key, name), id(region))
                    if owner != id(region):
                        message = f"{shown(str(name))} is in another region, or names one, already"
                        region.add(findings, FindingKind.REPEATED, key, message)


def _members(region: RegionShape) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return ("name", (region.name,)), ("collectors", region.collectors or ()), ("asns", region.asns or ())
