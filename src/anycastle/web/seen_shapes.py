"""What the API says of what is seen from outside: the watch's findings and routes, catchments, traceroutes."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from anycastle.web.shapes import Asked, Name, Reason

# -- what the watch sees -----------------------------------------------------------------------------------------------


class SeenRoute(BaseModel):
    """A route that is evidence."""

    at: datetime
    prefix: str
    peer: str
    path: list[int]


class FindingShape(BaseModel):
    """What a watch found."""

    finding: str
    watch: str = Field(description="which watch on another machine told it; empty for one on the controller's own")
    kind: str
    subject: str
    opened: datetime
    cleared: datetime | None
    severity: str
    prefixes: list[str]
    reasons: list[str]
    score: int = 0
    peers: int = Field(default=0, description="the most that saw it")
    asns: int = 0
    collectors: int = 0
    validity: str = ""
    evidence: list[str]
    routes: list[SeenRoute] = Field(description="those that the evidence tells")


class WatchShape(BaseModel):
    """A watch on another machine."""

    name: str
    heard: datetime = Field(description="when it told something last, were it that it lives")
    silent: bool = Field(description="whether that is so long ago that no news is no good news")
    sequence: int = Field(description="up to which row of its log it told")
    beyond: int = Field(description="events of findings for which there was no room")


class FindingsShape(BaseModel):
    """What watches find, the open ones first."""

    watched: bool = Field(description="whether a watch tells this controller anything")
    watches: list[WatchShape] = Field(description="those on other machines, by name")
    items: list[FindingShape]


class EventsTaken(BaseModel):
    """How far a watch's log is told, for good."""

    log: str
    sequence: int
    hash: str = Field(description="of that row, as the watch told it")
    events: int = Field(description="that were new")
    repeated: int


class RouteSource(BaseModel):
    """A peer that tells a watch its routes."""

    id: str
    asn: int
    collector: str


class OriginShape(BaseModel):
    """A network that originated the prefix, and when it was first seen to."""

    asn: int
    first: datetime


class RouteChange(BaseModel):
    """A peer's route became another; without a path it is gone."""

    at: datetime
    source: str
    path: list[int] | None


class RoutesShape(BaseModel):
    """What peers saw of a prefix over time."""

    model_config = ConfigDict(populate_by_name=True)
    prefix: str
    since: datetime | None = Field(alias="from")
    to: datetime | None
    sources: list[RouteSource]
    origins: list[OriginShape]
    changes: list[RouteChange] = Field(description="the oldest first")


# -- what probers saw, and the twin foretold -------------------------------------------------------------------------


class ResultsTaken(BaseModel):
    """What became of a prober's lines. They are on the disk."""

    results: int
    repeated: int = Field(description="known already, or older than what is known")
    passed_over: int = Field(description="of probes that could not ask, or that do not tell who answered")
    garbage: list[int] = Field(description="numbers of the first lines that are no results")


class TurnShape(BaseModel):
    """One PoP answered, from a first time to a last."""

    pop: str
    first: datetime
    last: datetime
    rtt_ms: float | None


class VantageShape(BaseModel):
    """Which PoP a vantage point reached at a target, over time."""

    vantage_point: str
    target: str
    service: str | None
    asn: int | None
    country: str
    latitude: float | None
    longitude: float | None
    predicted: str | None = Field(description="where the twin says that its AS lands; null where it does not say")
    lost: int = Field(description="probes without an answer since one came last")
    turns: list[TurnShape] = Field(description="the oldest first")


class PredictionShape(BaseModel):
    """What was foretold of a service."""

    service: str
    at: datetime
    who: str
    source: str
    networks: int


class CatchmentsShape(BaseModel):
    """All catchments, by target and vantage point."""

    items: list[VantageShape]
    predictions: list[PredictionShape]


class WayShape(BaseModel):
    """The routers that answered were the same, from a first time to a last. A hop that kept silent is empty."""

    hops: list[str]
    rtts_ms: list[float | None]
    reached: bool
    first: datetime
    last: datetime


class TracerouteShape(BaseModel):
    """The ways of packets from a vantage point to a target, the oldest first."""

    vantage_point: str
    target: str
    service: str | None
    asn: int | None
    ways: list[WayShape]


class Traceroutes(BaseModel):
    """All ways, by target and vantage point."""

    items: list[TracerouteShape]


class PredictionAsked(Asked):
    """Where the twin says that each AS lands: `anycastle twin predict --export`."""

    service: Name
    source: Reason
    pop_of: dict[Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,9}$")], Name] = Field(
        min_length=1, max_length=200_000, description="ASN -> PoP"
    )
