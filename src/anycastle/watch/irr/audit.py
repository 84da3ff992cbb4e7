"""The fleet's own objects in registries, held against what it announces and keeps ready."""

from collections.abc import Callable, Iterator
from typing import Final

from anycastle.model.fleet import Fleet
from anycastle.watch.irr.checks.as_sets import as_sets
from anycastle.watch.irr.checks.maintainers import maintainers
from anycastle.watch.irr.checks.missing_routes import missing_routes
from anycastle.watch.irr.checks.networks import networks
from anycastle.watch.irr.checks.other_routes import other_routes
from anycastle.watch.irr.checks.rpki import rpki
from anycastle.watch.irr.finding import SEVERITIES, AuditInput, IRRFinding, RegistryView
from anycastle.watch.roas import VRPs, planned_routes

CHECKS: Final[tuple[Callable[[AuditInput], Iterator[IRRFinding]], ...]] = (
    missing_routes,
    other_routes,
    maintainers,
    as_sets,
    rpki,
    networks,
)
"""All checks."""


def audit(
    fleet: Fleet, view: RegistryView, vrps: VRPs | None = None, maintained_by: frozenset[str] = frozenset()
) -> tuple[IRRFinding, ...]:
    """Give what is wrong, the worst first, then by code and subject."""
    seen = AuditInput(fleet, planned_routes(fleet), view, vrps, maintained_by)
    found = {finding for check in CHECKS for finding in check(seen)}
    return tuple(sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.code, each.subject, each.text)))
