"""What the API says and is asked of incidents, and of the messages about them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from anycastle.web.shapes import Asked, Reason

# -- incidents and deliveries ------------------------------------------------------------------------------------------

StatusName = Literal["open", "acknowledged", "cleared"]


class IncidentShape(BaseModel):
    """An incident, as lists show it."""

    id: int
    title: str
    kind: str = Field(description="of the alert that opened it")
    status: StatusName
    urgency: Literal["page", "ticket"]
    severity: Literal["critical", "major", "minor"]
    opened: datetime
    cleared: datetime | None
    acknowledged_by: str | None
    flapping: bool
    pops: list[str]
    services: list[str]
    prefixes: list[str]
    regions: list[str]
    alerts: int


class Incidents(BaseModel):
    """A page of incidents, the newest first."""

    items: list[IncidentShape]
    next: int | None


class LineShape(BaseModel):
    """A line of a timeline."""

    at: datetime
    lane: str = Field(
        description="alert, cleared, notified, acknowledged, note; or what an event is about: bgp, finding, change,"
        " automation, check, alarm, probe, burn, runbook"
    )
    text: str
    where: str = Field(description="controller:N is event N of the log; empty of what the response itself noted")


class CauseShape(BaseModel):
    """A likely or possible cause, with its evidence."""

    number: int
    name: str
    state: Literal["likely", "possible"]
    weight: float = Field(description="how much of what the cause predicts is seen, 0 to 1; no probability")
    symptom: str
    cause: str
    evidence: list[str]
    against: list[str]
    missing: list[str]
    confirm: str
    refute: str
    fix: str
    runbook: str | None


class RunbookShape(BaseModel):
    """The runbook for an incident's kind."""

    name: str
    title: str
    playbook: str
    command: str


class DeliveryShape(BaseModel):
    """A message to a notifier that was not taken: it waits, or it is a dead letter."""

    key: str
    state: Literal["waiting", "dead"]
    notifier: str
    notice: str
    incident: int | None
    at: datetime
    title: str
    attempts: int
    why: str


class WholeIncident(IncidentShape):
    """All of an incident."""

    timeline: list[LineShape]
    timeline_beyond: int = Field(description="lines for which there was no room")
    causes: list[CauseShape] = Field(description="the likeliest first")
    not_given: list[str] = Field(description="sources that would tell more")
    runbook: RunbookShape
    deliveries: list[DeliveryShape] = Field(description="of its notices, those that were not taken")


class Deliveries(BaseModel):
    """What was not taken, the dead letters first."""

    items: list[DeliveryShape]
    next: str | None


class NoteAsked(Asked):
    """Words for a timeline."""

    text: Reason


class RetryAsked(Asked):
    """Which dead letters are to be sent again."""

    keys: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] | None = Field(
        default=None, min_length=1, max_length=1_000, description="as GET /deliveries has them; with `all`, none"
    )
    all: bool = Field(default=False, description="all that there are")


class Responded(BaseModel):
    """It is done."""

    again: list[str] = Field(description="keys of the letters that wait to be sent again")
