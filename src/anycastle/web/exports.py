"""What PoPs' routers export, as their agents said last."""

from collections.abc import Mapping
from typing import Any

from anycastle.base.errors import ParseError
from anycastle.io.agent_report import report_of
from anycastle.model.announcement import RouteAttributes
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.live import routes_of

Exports = Mapping[RouteKey, RouteAttributes]


def exports_of(pop: str, said: Mapping[str, Any]) -> Exports | None:
    """Give what a report says that is exported; None where the router was not read yet, or the report is none."""
    try:
        report = report_of(dict(said), pop)
    except ParseError:
        return None
    return routes_of([report]) if report.booted else None
