"""`objectives` of a service."""

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.base.errors import ParseError
from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import shown
from anycastle.io.config.scalars import (
    Boolean,
    Name,
    PositiveCount,
    PositiveSpan,
    Span,
    one_of,
    parsed,
    refuse,
    scalar,
    word,
    words_schema,
)
from anycastle.io.config.shape import Shape
from anycastle.model.objective import INDICATOR_NAMES, TIMED, Planned, Window, parse_share, parse_window

_WINDOW_SCHEMA: Final = {"type": "string", "pattern": "^([0-9]+(d|w)|week|month|quarter)$",
                         "examples": ["30d", "week", "month", "quarter"]}  # fmt: skip


def _read_target(node: Any) -> float:
    """Read a share of events as a percentage; a bare number would leave open what is meant."""
    text = scalar(node, "a share such as 99.9%").text
    if not text.endswith("%"):
        raise refuse(FindingKind.UNIT, f"{shown(text)} has no %; write 99.9%")
    try:
        share = parse_share(text)
    except ParseError as error:
        raise refuse(FindingKind.BAD_VALUE, str(error)) from None
    if not 0 < share < 1:
        message = f"a target lies between 0% and 100%, both excluded: of {text} nothing could ever be spent"
        raise refuse(FindingKind.BAD_VALUE, message)
    return share


Target = Annotated[
    float, PlainValidator(_read_target), WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"})
]
IndicatorName = Annotated[
    str,
    PlainValidator(word({name: name for name in INDICATOR_NAMES})),
    WithJsonSchema({"enum": list(INDICATOR_NAMES)}),
]
WindowText = Annotated[
    Window, PlainValidator(parsed(parse_window, "a window such as 30d or month")), WithJsonSchema(_WINDOW_SCHEMA)
]
PlannedWord = Annotated[Planned, PlainValidator(one_of(Planned)), words_schema(Planned)]


class ObjectiveShape(Shape):
    """What is promised of a service."""

    name: Name = Field(description="Name of the objective, unique in the service.")
    indicator: IndicatorName = Field(description="What is measured; `anycastle slo indicators` tells all about each.")
    target: Target = Field(description="Share of good events, such as `99.9%`.")
    threshold: PositiveSpan | None = Field(
        None, description="Of `edge_latency` and `convergence`: an event is good up to this time."
    )
    window: WindowText = Field(
        Window(),
        description="Over which the target holds: so many days up to now, or the calendar's week, month or quarter "
        "(UTC).",
        json_schema_extra={"default": "30d"},
    )
    by_region: Boolean = Field(False, description="Each region has a budget of its own, beside the global one.")
    maintenance: PlannedWord = Field(
        Planned.COUNTED,
        description="What becomes of events in maintenance windows: `counted`, or `excluded` and told.",
        json_schema_extra={"default": "counted"},
    )
    convergence: Span = Field(
        0.0,
        description="For so long after a change of our own bad events spend budget and page nobody.",
        json_schema_extra={"default": "0s"},
    )
    minimum_events: PositiveCount | None = Field(
        None,
        description="Events that a burn rate's long window needs. Default: worked out (`anycastle slo minimum`).",
    )

    def review(self, findings: Findings) -> None:
        """A threshold goes with indicators of time."""
        if self.indicator in TIMED and self.threshold is None:
            message = f"{self.indicator} needs a threshold: up to which time an event is good"
            self.add(findings, FindingKind.MISSING_KEY, "indicator", message)
        if self.indicator not in TIMED and self.threshold is not None:
            message = f"`threshold` only matters for {' and '.join(sorted(TIMED))}"
            self.add(findings, FindingKind.NO_EFFECT, "threshold", message)
