"""What a question to the twin, and its answer, look like."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from anycastle.base.errors import ParseError
from anycastle.io.config.units import parse_capacity
from anycastle.model.prefix import parse_prefix
from anycastle.web.shapes import Asked, Name

PLACES_MAX = 2_000
"""PoPs and upstreams that one question may name."""

PREPENDS_MAX = 20
"""Beyond that many, networks drop a path as too long."""

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"

Place = Annotated[str, StringConstraints(pattern=rf"^{_PART}(/{_PART})?$")]
Link = Annotated[str, StringConstraints(pattern=rf"^{_PART}/{_PART}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


def _load(text: str) -> str:
    try:
        if parse_capacity(text) <= 0:
            raise ValueError("a load is more than nothing")
    except ParseError as error:
        raise ValueError("this is no load; write 38G, 400M or 50k") from error
    return text


def _prefix(text: str) -> str:
    try:
        parse_prefix(text)
    except ParseError as error:
        raise ValueError("this is no prefix; write 192.0.2.0/24") from error
    return text


class ShiftAsked(Asked):
    """What is tried on what a service announces now."""

    service: Name
    prefix: Annotated[str, StringConstraints(max_length=50), AfterValidator(_prefix)] | None = Field(
        default=None, description="Of the service; its first one where none is named."
    )
    off: list[Name] = Field(default=[], max_length=PLACES_MAX, description="PoPs that announce nothing.")
    on: list[Name] = Field(default=[], max_length=PLACES_MAX, description="PoPs that announce as their files say.")
    prepends: dict[Place, Annotated[int, Field(ge=0, le=PREPENDS_MAX)]] = Field(
        default={}, max_length=PLACES_MAX, description="PoP or POP/UPSTREAM -> prepends."
    )
    communities: dict[Link, Annotated[list[Word], Field(max_length=20)]] = Field(
        default={}, max_length=PLACES_MAX,
        description="POP/UPSTREAM -> all communities that go with the route, or words of the upstream's vocabulary.",
    )  # fmt: skip
    load: Annotated[str, StringConstraints(max_length=20), AfterValidator(_load)] | None = Field(
        default=None, description="What all users offer together, such as 38G; as capacities are."
    )


class Spread(BaseModel):
    """A figure over the ways in which ties may fall."""

    mean: float
    p5: float
    p50: float
    p95: float


class UpstreamShifted(BaseModel):
    """A session group, before and after."""

    name: str
    now: Spread
    after: Spread
    load: Spread | None
    capacity: float | None
    overload_chance: float


class PoPShifted(BaseModel):
    """A PoP, before and after. Shares are of all users, 0 to 1."""

    name: str
    city: str
    location: dict[str, float]
    now: Spread
    announces: bool = Field(description="after the change")
    after: Spread
    change: Spread
    capacity: float | None
    load_now: Spread | None
    load: Spread | None
    headroom: float | None
    overload_chance: float
    upstreams: list[UpstreamShifted]


class RouteTold(BaseModel):
    """How a route is told."""

    prepend: int
    communities: list[str]


class RouteTried(BaseModel):
    """What an upstream of a PoP is told, now and after; null: nothing."""

    pop: str
    upstream: str
    asn: int
    now: RouteTold | None
    after: RouteTold | None


class ShiftShape(BaseModel):
    """What a change moves: as `anycastle twin predict -o json` tells it, with the routes that were asked about."""

    service: str
    prefix: str
    graph: dict[str, str]
    weights: dict[str, Any]
    members: int
    pops: list[PoPShifted]
    no_route: dict[str, Spread]
    moved: Spread
    moved_though_kept: Spread = Field(description="of these: both their PoPs announce as before")
    ases_moved: Spread
    ases_moved_though_kept: Spread
    flows: list[dict[str, Any]]
    doubt: float = Field(description="share of users that land elsewhere than at their AS's likeliest PoP")
    provenance: dict[str, float]
    corrected_by_rules: bool
    offered_load: float | None
    cascade: list[dict[str, Any]] | None
    convergence: None
    remarks: list[dict[str, str]]
    routes: list[RouteTried]
    unheard: list[str] = Field(description="PoPs that are taken as their files say, for their agents were not heard")
