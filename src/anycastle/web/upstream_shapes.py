"""What upstreams look like."""

from pydantic import BaseModel, Field


class UpstreamBrief(BaseModel):
    """A network that PoPs announce to."""

    asn: int
    names: list[str] = Field(description="as PoPs' files call it")
    kinds: list[str]
    pops: int
    heard: int = Field(description="PoPs whose agents told of their sessions")
    sessions: int
    sessions_up: int
    routes_missing: int = Field(description="prefixes that it is told otherwise than it should be")


class Upstreams(BaseModel):
    """All upstreams, by their ASNs."""

    items: list[UpstreamBrief]


class AttributesTold(BaseModel):
    """How a route is told."""

    prepend: int
    med: int | None
    communities: list[str]


class UpstreamRoute(BaseModel):
    """A prefix: what the agent wants of the router, and what the router says that it exports."""

    prefix: str
    service: str | None
    wanted: AttributesTold | None
    exported: AttributesTold | None


class UpstreamSession(BaseModel):
    """A BGP session."""

    neighbour: str
    state: str
    families: list[str]
    detail: str
    graceful_restart: bool | None


class UpstreamPlace(BaseModel):
    """The upstream at one PoP."""

    pop: str
    city: str
    upstream: str
    asn: int
    kind: str
    heard: bool
    hold_time_s: int
    bfd: bool
    max_prefixes: int | None = Field(description="prefixes of a family that the PoP takes from it")
    takes_prefixes: int | None = Field(description="prefixes of a family that it takes from the PoP")
    capacity_bps: float | None
    sessions: list[UpstreamSession]
    routes: list[UpstreamRoute]


class UpstreamShape(BaseModel):
    """An upstream over all PoPs."""

    asns: list[int]
    names: list[str]
    places: list[UpstreamPlace]
