"""What the API tells the public: the shape of Statuspage's `summary.json`, API v2, with two fields of ours."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

ComponentStatus = Literal[
    "operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"
]  # fmt: skip


class PageShape(BaseModel):
    """Whose page it is."""

    id: str
    name: str
    url: str
    time_zone: str
    updated_at: datetime = Field(description="of when all of it is")


class OverallShape(BaseModel):
    """The worst of it."""

    indicator: Literal["none", "maintenance", "minor", "major", "critical"]
    description: str


class ComponentShape(BaseModel):
    """A component, or with `group_id` a part of one."""

    id: str
    name: str
    description: str | None
    status: ComponentStatus
    known: bool = Field(description="ours: whether any PoP has told; where none has, `status` is no measurement")
    position: int
    group_id: str | None
    group: bool
    components: list[str]
    showcase: bool
    only_show_if_degraded: bool
    page_id: str
    created_at: datetime | None
    updated_at: datetime | None


class UpdateShape(BaseModel):
    """A step of an incident."""

    id: str
    incident_id: str
    status: str
    body: str
    created_at: datetime
    updated_at: datetime
    display_at: datetime


class ConcernedShape(BaseModel):
    """A component that is concerned."""

    id: str


class PublicIncidentShape(BaseModel):
    """An incident, in words for everybody."""

    id: str
    name: str
    status: Literal["investigating", "identified", "resolved"]
    impact: Literal["none", "minor", "major"]
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    shortlink: str | None
    page_id: str
    incident_updates: list[UpdateShape]
    components: list[ConcernedShape]


class MaintenanceShape(BaseModel):
    """Planned maintenance."""

    id: str
    name: str
    impact: Literal["maintenance"]
    status: Literal["scheduled", "in_progress"]
    scheduled_for: datetime
    scheduled_until: datetime
    created_at: datetime | None
    updated_at: datetime | None
    monitoring_at: datetime | None
    resolved_at: datetime | None
    shortlink: str | None
    page_id: str
    incident_updates: list[UpdateShape]
    components: list[ConcernedShape]


class SummaryShape(BaseModel):
    """What the public is told."""

    page: PageShape
    status: OverallShape
    components: list[ComponentShape]
    incidents: list[PublicIncidentShape]
    scheduled_maintenances: list[MaintenanceShape]
    past_incidents: list[PublicIncidentShape] = Field(description="ours: those that are over")
