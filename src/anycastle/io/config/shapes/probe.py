"""A prober's file: who it is, its modules (what is asked), and its targets (whom, how often)."""

from typing import Annotated, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.scalars import (
    ASNText,
    Interval,
    Name,
    NameReference,
    Port,
    Text,
    parsed,
)
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.io.config.shapes.pop import LocationShape
from anycastle.io.config.shapes.probe_modules import ModuleShape, whole
from anycastle.io.config.units import format_duration
from anycastle.probe.site import SiteRule, parse_site_rule

INTERVAL_DEFAULT_S: Final = 60.0
TIMEOUT_DEFAULT_S: Final = 4.0
UNDER_WAY_DEFAULT: Final = 2_000

_PLACES: Final = whole(1, 50_000)
Places = Annotated[int, _PLACES[0], _PLACES[1]]


def _rule(text: str) -> SiteRule:
    return parse_site_rule(text)


Pattern = Annotated[
    SiteRule,
    PlainValidator(parsed(_rule, "a pattern with one group")),
    WithJsonSchema({"type": "string", "examples": ["(fra|ams)"]}),
]


class SitesShape(Shape):
    """How the PoP that answers is found in what a server says of itself."""

    pattern: Pattern = Field(description="Regular expression whose one group is the PoP's name.")
    authorised: Annotated[tuple[Text, ...], ITEMS] | None = Field(
        None, description="PoPs that may answer; an answer of another one is a failure. Default: any may."
    )

    def rule(self) -> SiteRule:
        """Give the rule."""
        return SiteRule(self.pattern.pattern, frozenset(self.authorised or ()))


class TargetShape(Shape):
    """Whom to ask, what, and how often."""

    name: Name = Field(description="Name of the target, as results and metrics carry it.")
    host: Text = Field(description="Address, or a name that is resolved for each probe.")
    port: Port | None = Field(None, description="Port. Default: that of the module's kind.")
    module: NameReference = Field(description="A name of `modules`.")
    interval: Interval = Field(
        INTERVAL_DEFAULT_S, description="Time from one probe to the next.", json_schema_extra={"default": "1m"}
    )
    timeout: Interval | None = Field(
        None, description="How long a probe may take, at most `interval`. Default: `4s`, or `interval` if shorter."
    )
    source_port: Port | None = Field(
        None,
        description="One UDP port to ask from, so that a load balancer's hash stays. Default: another one each time.",
    )
    sites: SitesShape | None = Field(None, description="How the PoP is found. Default: `sites` of the file.")

    def review(self, findings: Findings) -> None:
        """The timeout is within the interval."""
        if self.timeout is not None and self.timeout > self.interval:
            message = f"{format_duration(self.timeout)} is longer than the interval of {format_duration(self.interval)}"
            self.add(findings, FindingKind.TIMING, "timeout", message)


class ProberShape(Shape):
    """A prober's file."""

    passes_over_x = True

    name: Name = Field(description="Who measures: one name a prober, unique among all whose results are joined.")
    asn: ASNText | None = Field(None, description="AS that the prober is in; probers of one AS share its routes.")
    country: Text | None = Field(None, description="ISO 3166-1 code of two letters.")
    location: LocationShape | None = Field(None, description="Where it is.")
    under_way: Places = Field(UNDER_WAY_DEFAULT, description="Probes that may be under way at a time.")
    sites: SitesShape | None = Field(None, description="How the PoP is found, where a target says nothing else.")
    modules: Annotated[tuple[ModuleShape, ...], ITEMS] = Field(description="What is asked.")
    targets: Annotated[tuple[TargetShape, ...], ITEMS] | None = Field(
        None, description="Whom; none where the prober only serves `/probe`, or probes a fleet."
    )
