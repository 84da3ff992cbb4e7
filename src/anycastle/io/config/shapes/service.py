"""`services/*.yaml`."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import Placed, Scalar, Sequence, described, shown
from anycastle.io.config.scalars import (
    ALL,
    NAME_PATTERN,
    Boolean,
    Capacity,
    CommunityText,
    Count,
    FourOctets,
    LiteralCommunity,
    Name,
    Penalty,
    PlacedAddress,
    PositiveSpan,
    PrefixText,
    Prepend,
    Span,
    Text,
    TimestampText,
    one_of,
    read_text,
    refuse,
    words_schema,
)
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.shapes.check import CheckShape
from anycastle.io.config.shapes.objective import ObjectiveShape
from anycastle.io.config.units import format_duration
from anycastle.model.service import Dampening, Lease, LeaseEnd, OnExit, WhenAlone

_LEASE: Final = Lease()
_DAMPENING: Final = Dampening()
_QUORUM: Final = re.compile(r"([0-9]{1,4}) of ([0-9]{1,4})")

OnExitWord = Annotated[OnExit, PlainValidator(one_of(OnExit)), words_schema(OnExit)]
WhenAloneWord = Annotated[WhenAlone, PlainValidator(one_of(WhenAlone)), words_schema(WhenAlone)]
LeaseEndWord = Annotated[LeaseEnd, PlainValidator(one_of(LeaseEnd)), words_schema(LeaseEnd)]


def _read_pops(node: Any, info: ValidationInfo) -> tuple[Placed[str], ...] | None:
    """Read a list of names, or `all` as None."""
    if isinstance(node, Scalar) and node.text == ALL:
        return None
    if not isinstance(node, Sequence):
        kind = FindingKind.EMPTY if described(node) == "nothing" else FindingKind.WRONG_TYPE
        raise refuse(kind, f"a list of PoPs or the word `all` is needed here, not {described(node)}")
    if not node.items:
        message = "the list is empty, and an empty list never means all; name the PoPs, or write `all`"
        raise refuse(FindingKind.EMPTY, message)
    names = []
    for item in node.items:
        try:
            names.append(Placed(read_text(item), item))
        except PydanticCustomError as error:
            context = error.context or {}
            assert isinstance(info.context, Findings)
            info.context.add(context["kind"], item.place, item.path(), context["message"])
    if not names:
        raise PydanticCustomError("reported", "reported")
    return tuple(names)


@dataclass(frozen=True, slots=True)
class QuorumText:
    """A quorum as written: `need` None for all, `total` None for `any` and `all`."""

    need: int | None
    total: int | None


def _read_quorum(node: Any) -> QuorumText:
    text = read_text(node)
    if text in ("all", "any"):
        return QuorumText(None if text == "all" else 1, None)
    match = _QUORUM.fullmatch(text)
    if match is None:
        raise refuse(FindingKind.QUORUM, f"{shown(text)} is not a quorum; write all, any or 2 of 3")
    need, total = int(match[1]), int(match[2])
    if not 1 <= need <= total:
        raise refuse(FindingKind.QUORUM, f"{text} cannot be; write a number from 1 to {max(total, 1)} before `of`")
    return QuorumText(need, total)


PoPNames = Annotated[
    tuple[Placed[str], ...] | None,
    PlainValidator(_read_pops),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": ALL},
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": NAME_PATTERN}},
            ]
        }
    ),
]
Quorum = Annotated[
    QuorumText,
    PlainValidator(_read_quorum),
    WithJsonSchema({"type": "string", "pattern": "^(all|any|[0-9]+ of [0-9]+)$", "examples": ["all", "any", "2 of 3"]}),
]
Communities = Annotated[tuple[CommunityText, ...], ITEMS]


class AttributesShape(Shape):
    """What an upstream is told about a route while it is steered."""

    prepend: Prepend | None = Field(None, description="Own AS number repeated this many times beyond the usual one.")
    med: FourOctets | None = Field(None, description="Multi-exit discriminator, 0 to 4294967295.")
    local_preference: FourOctets | None = Field(
        None, description="Local preference, 0 to 4294967295; only iBGP neighbours are told it."
    )
    communities: Communities | None = Field(
        None,
        description="Communities: `64500:1`, `64500:1:2`, `rt:64500:1`, a well-known name such as "
        "`graceful-shutdown`, or a word of the upstream's vocabulary.",
    )


class PolicyShape(AttributesShape):
    """How a service is announced; a key that is not given keeps the value of the wider scope."""

    announce: Boolean | None = Field(None, description="Announce, or not. Default: `true`.")
    steered: AttributesShape | None = Field(
        None,
        description="What changes while a soft check fails and while a drain shuts down gracefully: a key given here "
        "takes the place of the usual one, and communities are added to the usual ones. Default: the community "
        "`graceful-shutdown` is added.",
    )


class PoPPolicyShape(PolicyShape):
    """Overrides at one PoP."""

    upstreams: Annotated[dict[str, PolicyShape], ENTRIES] | None = Field(
        None, description="Overrides per upstream of this PoP."
    )


class AnnouncementShape(PolicyShape):
    """The announcement policy. The narrower wins: PoP and upstream, then PoP, then upstream, then these keys."""

    upstreams: Annotated[dict[str, PolicyShape], ENTRIES] | None = Field(
        None, description="Overrides per upstream, at every PoP of the service that has an upstream of that name."
    )
    pops: Annotated[dict[str, PoPPolicyShape], ENTRIES] | None = Field(None, description="Overrides per PoP.")


class FloorShape(Shape):
    """What must keep announcing, whatever happens."""

    pops: Count = Field(1, description="PoPs that must keep announcing; 0 needs `allow_no_floor: true`.")
    capacity: Capacity | None = Field(
        None, description="Sum of the PoPs' capacities that must keep announcing, in the same unit as theirs."
    )
    allow_no_floor: Boolean = Field(
        False, description="Confirms that `pops: 0` is meant: every PoP may withdraw, also all at once."
    )

    def review(self, findings: Findings) -> None:
        """A floor of no PoP is asked for by name."""
        if self.misread("pops", "allow_no_floor"):
            return
        if not self.pops and not self.allow_no_floor:
            message = "a floor of 0 lets all PoPs withdraw at once; write `allow_no_floor: true` beside it if so meant"
            self.add(findings, FindingKind.NO_FLOOR, "pops", message)
        if self.pops and self.allow_no_floor:
            message = f"the floor is {self.pops}; `allow_no_floor` only matters with `pops: 0`"
            self.add(findings, FindingKind.NO_EFFECT, "allow_no_floor", message)


class LeaseShape(Shape):
    """How long an announcement outlives the agent that made it."""

    end: LeaseEndWord = Field(
        _LEASE.end,
        description="What the watchdog does when the agent dies or hangs: `withdraw`, `hold` (keep for `hold`, then "
        "withdraw) or `keep`.",
        json_schema_extra={"default": _LEASE.end.value},
    )
    duration: PositiveSpan = Field(
        _LEASE.duration_s,
        description="Silence of the agent after which the lease has lapsed.",
        json_schema_extra={"default": format_duration(_LEASE.duration_s)},
    )
    hold: Span = Field(
        _LEASE.hold_s,
        description="With `end: hold`, how long the announcement is kept.",
        json_schema_extra={"default": format_duration(_LEASE.hold_s)},
    )

    def review(self, findings: Findings) -> None:
        """`hold` goes with `end: hold`."""
        if "hold" in self.node.entries and self.end is not LeaseEnd.HOLD and not self.misread("end"):
            message = f"`hold` only matters with `end: hold`; the end is {self.end.value}"
            self.add(findings, FindingKind.NO_EFFECT, "hold", message)


class DampeningShape(Shape):
    """Flap dampening (RFC 2439 §4.2): a penalty per withdrawal that decays by half in each half-life."""

    penalty: Penalty = Field(_DAMPENING.penalty, description="Added by each withdrawal.")
    suppress: Penalty = Field(_DAMPENING.suppress, description="Above it the service stays withdrawn.")
    reuse: Penalty = Field(_DAMPENING.reuse, description="Below it the service is announced again.")
    half_life: PositiveSpan = Field(
        _DAMPENING.half_life_s,
        description="Time in which the penalty decays by half.",
        json_schema_extra={"default": format_duration(_DAMPENING.half_life_s)},
    )
    max_suppress: PositiveSpan = Field(
        _DAMPENING.max_suppress_s,
        description="Longest suppression.",
        json_schema_extra={"default": format_duration(_DAMPENING.max_suppress_s)},
    )

    def review(self, findings: Findings) -> None:
        """Reuse below suppress, and a ceiling that lets the penalty reach suppress."""
        if self.misread("suppress", "reuse", "max_suppress", "half_life"):
            return
        if self.reuse >= self.suppress:
            message = f"reuse {self.reuse:g} is not below suppress {self.suppress:g}"
            self.add(findings, FindingKind.DAMPENING, "reuse", message)
        elif self.max_suppress / self.half_life < math.log2(self.suppress / self.reuse):
            message = (
                f"with max_suppress {format_duration(self.max_suppress)} the penalty is capped below suppress "
                f"{self.suppress:g}: nothing would ever be suppressed"
            )
            self.add(findings, FindingKind.DAMPENING, "max_suppress", message)


class SlowStartShape(Shape):
    """After a recovery the service is announced with these attributes for a while, then as usual."""

    duration: Span = Field(description="How long; `0s` turns slow start off.")
    prepend: Prepend = Field(0, description="Own AS number repeated this many times beyond the usual one.")
    med: FourOctets | None = Field(None, description="Multi-exit discriminator, 0 to 4294967295.")
    local_preference: FourOctets | None = Field(None, description="Local preference; only iBGP neighbours are told it.")
    communities: Annotated[tuple[LiteralCommunity, ...], ITEMS] | None = Field(
        None,
        description="Communities, in place of the usual ones: numbers or well-known names, as vocabularies differ.",
    )


class WindowShape(Shape):
    """A span of time in which PoPs may be withdrawn without alarm."""

    start: TimestampText = Field(description="RFC 3339 with its zone, such as `2026-03-01T02:00:00Z`.")
    end: TimestampText = Field(description="RFC 3339 with its zone, after `start`.")
    pops: PoPNames = Field(description="PoPs of the service, or `all`.")
    reason: Text = Field(description="Why, for the log.")

    def review(self, findings: Findings) -> None:
        """The end is after the start."""
        if self.end <= self.start:
            self.add(findings, FindingKind.WINDOW, "end", "the window ends before it begins")


class ServiceShape(Shape):
    """An anycast service."""

    passes_over_x: ClassVar[bool] = True

    name: Name = Field(description="Name of the service, unique in the fleet.")
    prefixes: Annotated[tuple[PrefixText, ...], ITEMS] = Field(
        description="Prefixes that are announced: /24 or shorter (IPv4), /48 or shorter (IPv6)."
    )
    mitigations: Annotated[tuple[PrefixText, ...], ITEMS] | None = Field(
        None,
        description="More-specifics of `prefixes` that may be announced against a hijack, by `anycastle mitigate` and "
        "never else. Each needs a ROA. Default: none, so nothing can be mitigated.",
    )
    addresses: Annotated[tuple[PlacedAddress, ...], ITEMS] = Field(
        description="Addresses that the service answers at, each within one of `prefixes`."
    )
    pops: PoPNames = Field(
        description="PoPs that serve it, or `all`. The order matters: permits to withdraw are dealt from the first, "
        "and the last gives way last. `all` takes the order of the PoPs' names."
    )
    checks: Annotated[tuple[CheckShape, ...], ITEMS] = Field(description="Health checks, at least one of them hard.")
    quorum: Quorum = Field(
        QuorumText(None, None),
        description="Hard checks that must pass: `all`, `any` or `n of m` with m the number of hard checks.",
        json_schema_extra={"default": "all"},
    )
    announcement: AnnouncementShape | None = Field(None, description="How it is announced, per PoP and upstream.")
    floor: FloorShape | None = Field(None, description="What must keep announcing. Default: one PoP.")
    on_exit: OnExitWord = Field(
        OnExit.WITHDRAW,
        description="When the agent stops in good order: `withdraw`, or `hold` the announcement.",
        json_schema_extra={"default": "withdraw"},
    )
    when_alone: WhenAloneWord = Field(
        WhenAlone.ANNOUNCE,
        description="On a hard failure without a permit and without a controller: go on to `announce`, or `withdraw`, "
        "which can cross the floor.",
        json_schema_extra={"default": "announce"},
    )
    lease: LeaseShape | None = Field(None, description="How long an announcement outlives the agent.")
    dampening: DampeningShape | None = Field(None, description="Flap dampening (RFC 2439).")
    slow_start: SlowStartShape | None = Field(None, description="How a recovered service comes back. Default: at once.")
    maintenance: Annotated[tuple[WindowShape, ...], ITEMS] | None = Field(None, description="Maintenance windows.")
    objectives: Annotated[tuple[ObjectiveShape, ...], ITEMS] | None = Field(
        None, description="What is promised to clients, and how it is measured."
    )
    manage_addresses: Boolean = Field(
        True, description="Add `addresses` to the loopback before announcing, and remove them after withdrawing."
    )

    def review(self, findings: Findings) -> None:
        """A hard check there is, the quorum fits, and each objective has a name of its own."""
        names: set[str] = set()
        for objective in self.objectives or ():
            if objective.name in names:
                message = f"the service has an objective {objective.name!r} already"
                objective.add(findings, FindingKind.DUPLICATE_NAME, "name", message)
            names.add(objective.name)
        hard = sum(check.severity.value == "hard" for check in self.checks)
        written = self.node.entries.get("checks")
        if not isinstance(written, Sequence) or len(written.items) != len(self.checks):
            return  # some checks could not be read, so nothing can be counted
        if not hard:
            message = "no check is hard: the service would be announced when it is dead"
            self.add(findings, FindingKind.NO_HARD_CHECK, "checks", message)
        elif self.quorum.total is not None and self.quorum.total != hard:
            message = f"{self.quorum.need} of {self.quorum.total}: the service has {hard} hard checks"
            self.add(findings, FindingKind.QUORUM, "quorum", message)
