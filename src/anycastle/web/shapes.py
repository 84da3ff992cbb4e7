"""What requests and answers look like, as the OpenAPI document says it. Times are RFC 3339, UTC."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""A PoP's, service's or token's name, as the fleet folder has it."""

Name = Annotated[str, StringConstraints(pattern=NAME)]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,80}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Seconds = Annotated[float, Field(ge=0.0, le=30 * 86400.0, allow_inf_nan=False)]
RoleName = Literal["viewer", "operator", "approver", "admin", "prober", "watch"]


class Asked(BaseModel):
    """A request's body: what it does not know is refused, for it may have been meant."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong (RFC 9457), and what to do next."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str
    next: str
    instance: str


class WhoAmI(BaseModel):
    """Who asks."""

    name: str
    principal: str
    role: RoleName
    services: list[str] | None = Field(description="null stands for all")


# -- the fleet ---------------------------------------------------------------------------------------------------------


class FleetShape(BaseModel):
    """What is desired, and who leads."""

    revision: str | None
    exceptions: int = Field(description="units that are at another revision: a rollout is on its way")
    leader: str | None
    term: int | None
    services: list[str]
    frozen: bool
    leads: bool = Field(description="whether it is this controller that leads")
    mitigations: list[str] = Field(description="what is announced against hijacks")


class RevisionShape(BaseModel):
    """A revision of the fleet folder."""

    revision: str
    who: str
    at: datetime
    files: int
    octets: int


class Revisions(BaseModel):
    """A page of revisions, the newest first."""

    items: list[RevisionShape]
    next: str | None


class RevisionFiles(BaseModel):
    """The files of a revision."""

    revision: str
    files: dict[str, str]


class Upload(Asked):
    """A fleet folder: path within it -> text."""

    files: dict[str, str] = Field(min_length=1, max_length=100_000)


class Uploaded(BaseModel):
    """What the folder is called from now on."""

    revision: str
    files: int
    octets: int


class AdoptAsked(Asked):
    """Desire what the agents live by already."""

    revision: Revision
    reason: Reason


class PoPShape(BaseModel):
    """A PoP, and what is known of its agent."""

    name: str
    city: str | None = None
    region: str | None
    latitude: float | None = None
    longitude: float | None = None
    services: list[str]
    connected: bool | None = Field(description="null where another controller leads: it has the sessions")
    since: datetime | None
    version: str | None
    assignment: str | None
    refused: str | None
    unsettled: str | None


class PoPs(BaseModel):
    """A page of PoPs, by name."""

    items: list[PoPShape]
    next: str | None


class PoPReport(BaseModel):
    """What a PoP's agent said last."""

    pop: str
    at: datetime
    report: dict[str, Any] = Field(description="as `anycastle agent status -o json` prints it at the PoP")


class FailingCheck(BaseModel):
    """A check that does not hold."""

    name: str
    verdict: Literal["pending", "unhealthy"]
    evidence: str


class DrainShape(BaseModel):
    """A drain that is on."""

    step: str
    owner: str
    reason: str
    expires: float | None = Field(description="seconds since 1970; null where somebody must end it")


class ServiceStanding(BaseModel):
    """How a service stands at a PoP."""

    name: str
    stance: Literal["announce", "steer", "withdraw"]
    reason: str
    condition: str
    permit: str
    suppressed: bool = Field(description="held back for changing too often")
    drain: DrainShape | None
    checks: int
    failing: list[FailingCheck]
    routes_wanted: int
    routes_exported: int = Field(description="as the router itself says")


class PoPStanding(BaseModel):
    """How services stand at a PoP, as its agent said last."""

    pop: str
    capacity: float | None
    problems: list[str]
    sessions: int | None = Field(description="BGP sessions; null for whoever is limited to services")
    sessions_up: int | None
    services: list[ServiceStanding]
    well: list[int] = Field(
        default=[], description="in brief: for each of `names` the routes of a service that is well here; else -1"
    )


class Serving(BaseModel):
    """A page of PoPs whose agents have a session, by name. Of a PoP that is missing nothing is known now."""

    names: list[str] = Field(default=[], description="in brief: the services that `well` is about")
    items: list[PoPStanding]
    next: str | None


class ObjectiveShape(BaseModel):
    """What was promised."""

    name: str
    indicator: str
    target: float
    threshold_ms: float | None
    window: str
    by_region: bool


class ServiceShape(BaseModel):
    """A service, as it is desired by default."""

    name: str
    prefixes: list[str]
    pops: list[str]
    floor_pops: int
    floor_capacity: float
    objectives: list[ObjectiveShape] = []


class Services(BaseModel):
    """A page of services, by name."""

    items: list[ServiceShape]
    next: str | None


# -- rollouts ----------------------------------------------------------------------------------------------------------


class PolicyShape(BaseModel):
    """How careful a rollout is."""

    bake_s: float
    patience_s: float
    gates: list[str]


class StepShape(BaseModel):
    """A step of a rollout."""

    number: int
    units: int
    pops: list[str]


class RolloutShape(BaseModel):
    """A rollout."""

    number: int
    revision: str
    before: list[str] = Field(default=[], description="the revisions that it comes from")
    who: str
    reason: str
    approved_by: str | None
    state: Literal["waiting", "applying", "baking", "rolling back", "finished", "rolled back", "aborted"]
    step: int
    since: datetime
    paused_by: str | None
    why: str = Field(description="why it came to its state")
    waits_for: str = Field(description="what it waits for; empty where nothing holds it")
    marks: list[str] = Field(description="why a second person must approve; none where nobody must")
    steps: list[StepShape]
    prefixes: list[str]
    mitigations: list[str] = Field(description="what it begins, or ends, to announce against a hijack")
    policy: PolicyShape


class Rollouts(BaseModel):
    """A page of rollouts, the newest first."""

    items: list[RolloutShape]
    next: int | None


class PolicyAsked(Asked):
    """How careful a rollout is to be."""

    bake_s: Seconds = 60.0
    patience_s: Seconds = 600.0
    gates: list[Annotated[str, StringConstraints(max_length=300)]] = Field(default=[], max_length=50)


class FolderAsked(Asked):
    """Which files a plan was made from."""

    commit: str | None = Field(default=None, max_length=100)
    dirty: bool = False
    digest: str = Field(max_length=100)


Digests = Annotated[dict[str, Annotated[str, StringConstraints(max_length=100)]], Field(max_length=10_000)]


class BasisAsked(Asked):
    """What a plan rests on: `basis` of the file that `anycastle plan --out` writes."""

    folder: FolderAsked
    live: str = Field(max_length=100)
    pops: Digests
    inputs: Digests


class RollOutAsked(Asked):
    """Roll a stored revision out."""

    revision: Revision
    reason: Reason
    policy: PolicyAsked = PolicyAsked()
    canary_upstreams: list[Name] = Field(default=[], max_length=100)
    retiring: list[Name] = Field(default=[], max_length=10_000, description="services whose end is meant")
    basis: BasisAsked | None = Field(default=None, description="of a plan; what has moved since refuses the order")


class MitigationAsked(Asked):
    """Announce what is approved against a hijack, or end that."""

    prefix: str = Field(max_length=60, description="what is hijacked: a prefix of the fleet, or one within it")
    reason: Reason


class ReasonAsked(Asked):
    """Why."""

    reason: Reason


class NothingAsked(Asked):
    """An empty object."""


class Taken(BaseModel):
    """An order was taken, and is durable."""

    number: int = Field(description="of the rollout or order that it made, or 0")


# -- holding -----------------------------------------------------------------------------------------------------------


class FrozenShape(BaseModel):
    """Whether the controller holds still."""

    frozen: bool
    who: str | None = None
    reason: str | None = None
    since: datetime | None = None


class GlassShape(BaseModel):
    """Whether somebody wants, or may, go on in spite of freezes and gates."""

    asked: bool
    who: str | None = None
    reason: str | None = None
    since: datetime | None = Field(default=None, description="when it was asked for")
    lasts_s: float | None = None
    approved_by: str | None = None
    until: datetime | None = None


class GlassAsked(Asked):
    """Ask for the glass to be broken."""

    reason: Reason
    lasts_s: Seconds


class UndrainAsked(Asked):
    """Which PoPs are to serve what again. An empty list never means all."""

    pops: list[Name] = Field(min_length=1, max_length=10_000)
    services: list[Name] = Field(min_length=1, max_length=10_000)
    reason: Reason


class DrainAsked(UndrainAsked):
    """Which PoPs are to drain what."""

    soak_s: Seconds = 5.0
    wait_s: Seconds = 5.0
    lasts_s: Seconds | None = Field(default=None, description="when it ends by itself; null for not")


class AgentOrderShape(BaseModel):
    """What a PoP was told, and what it said to it."""

    number: int
    pop: str
    kind: Literal["drain", "undrain"]
    services: list[str]
    who: str
    reason: str
    soak_s: float
    wait_s: float
    expires: datetime | None
    answer: str | None = Field(description="empty where it obeyed, else why it did not; null until it has answered")


class AgentOrders(BaseModel):
    """A page of orders to PoPs, the newest first."""

    items: list[AgentOrderShape]
    next: int | None


# -- the log, tokens, the audit ----------------------------------------------------------------------------------------


class EventShape(BaseModel):
    """An event of the log."""

    sequence: int
    at: datetime
    pop: str
    kind: str
    fields: dict[str, Any]
    hash: str


class Events(BaseModel):
    """A page of events, the oldest first. `next` is the cursor to go on from, also where nothing is there yet."""

    items: list[EventShape]
    next: int


class LoginAsked(Asked):
    """A login to begin."""

    redirect_uri: str = Field(max_length=500, description="where the browser comes back: http://127.0.0.1:PORT/")


class LoginBegun(BaseModel):
    """A login that began."""

    login: str = Field(description="a secret, for /logins/finish")
    url: str = Field(description="where to send the browser")
    state: str = Field(description="what must come back with the code")


class LoginFinished(Asked):
    """What came back."""

    login: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=4_000)


class SessionMade(BaseModel):
    """A session, with its text: the only time that it is told."""

    token: str
    name: str
    role: RoleName
    services: list[str] | None
    expires: datetime


class TokenAsked(Asked):
    """A token to be made."""

    name: Name
    role: RoleName
    services: list[Name] | None = Field(default=None, max_length=1_000, description="null for all that you may")
    lasts_s: float = Field(default=90 * 86400.0, ge=60.0, le=366 * 86400.0, allow_inf_nan=False)
    principal: Reason | None = Field(default=None, description="who answers for it; you, where nothing is said")


class TokenShape(BaseModel):
    """What is known of a token."""

    name: str
    role: RoleName
    services: list[str] | None
    principal: str
    created: datetime
    created_by: str
    expires: datetime
    last_used: datetime | None
    revoked: datetime | None
    revoked_by: str | None


class TokenMade(BaseModel):
    """A new token. Its text is shown this once: an answer that is repeated has null."""

    name: str
    token: str | None
    expires: datetime


class Tokens(BaseModel):
    """A page of tokens, by name."""

    items: list[TokenShape]
    next: str | None


class AuditShape(BaseModel):
    """Who asked for what, from where, and what came of it."""

    number: int
    at: datetime
    who: str
    address: str
    action: str
    subject: str
    result: str


class Audit(BaseModel):
    """A page of the audit, the newest first."""

    items: list[AuditShape]
    next: int | None


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """It can answer for the fleet."""

    status: Literal["ready"]
    leads: bool
    leader: str | None


class ProblemType(BaseModel):
    """A type of problem, explained."""

    name: str
    status: int
    title: str
    next: str
