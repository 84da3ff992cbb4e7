"""What the API says of what was promised and what was kept."""

from datetime import datetime

from pydantic import BaseModel, Field


class BudgetShape(BaseModel):
    """One budget: of an objective as a whole, or in one region."""

    service: str
    objective: str
    region: str | None = Field(description="null for the whole")
    indicator: str
    definition: str = Field(description="what counts as good, and of what")
    source: str = Field(description="where it is measured")
    excludes: list[str] = Field(description="what does not count, and why")
    target: float
    window: str
    state: str = Field(description="`ok`, `burning`, `exhausted` or `no data`")
    left: float | None = Field(description="share that is left; below 0 where more was spent")
    good: float | None = Field(description="share of good events over the window")
    burn: dict[str, float] = Field(description="span -> rate; 1 spends the budget in just its window")
    events: float | None = Field(description="of the last three days")
    exhausted_in_s: float | None = Field(description="at the rate of the last hour; null where it lasts")
    words: str
    alerts: list[str] = Field(description="severities and tiers of alerts that fire")


class ReadingShape(BaseModel):
    """An indicator as a collector of telemetry has it over the last hour."""

    indicator: str
    name: str
    scope: str = Field(description="a region, or `global`")
    of: str = Field(description="what of the indicator: `p95`, `bits`; empty where there is one alone")
    unit: str
    value: float | None = Field(description="null where too little was measured to say")
    low: float | None = Field(description="lower end of the interval of 95 %")
    high: float | None
    count: float
    counts: str = Field(description="what `count` counts")
    definition: str
    source: str = Field(description="where it is measured")
    excludes: list[str] = Field(description="what does not count, and why")


class TrafficShape(BaseModel):
    """What filters were offered over the last hour: sums, of all collectors."""

    unit: str = Field(description="`bits`, `packets` or `requests`")
    offered: float
    scrubbed: float = Field(description="dropped as an attack")


class BudgetsShape(BaseModel):
    """What was promised, and what is left."""

    asked: bool = Field(description="whether this controller asks a Prometheus")
    every_s: float | None = Field(description="how often it asks; what is older than a few times that is stale")
    at: datetime | None = Field(description="when it answered last; null for not yet")
    trouble: str | None = Field(description="why nothing newer is known")
    budgets: list[BudgetShape]
    readings: list[ReadingShape] = Field(description="of all services together; none for a limited role")
    traffic: list[TrafficShape] = Field(description="none for a limited role")


class CourseShape(BaseModel):
    """A series over time."""

    labels: dict[str, str]
    points: list[tuple[datetime, float | None]]


class ChartShape(BaseModel):
    """A chart's series."""

    name: str
    unit: str
    how: str
    asked: bool
    items: list[CourseShape]
