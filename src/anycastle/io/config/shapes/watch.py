"""`watch` of `fleet.yaml`: what the Internet may show of the fleet's prefixes."""

import re
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import shown
from anycastle.io.config.scalars import ASNText, PrefixText, Run, Text, integer, read_text, refuse
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.model.watch import Thresholds

_THRESHOLDS: Final = Thresholds()

ASNs = Annotated[tuple[ASNText, ...], ITEMS]
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
