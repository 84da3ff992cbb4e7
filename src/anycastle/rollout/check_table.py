"""All checks of a plan, in the order in which they are told within one severity."""

from collections.abc import Callable, Iterable
from typing import Final

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.checks.age import age
from anycastle.rollout.checks.agent import agent
from anycastle.rollout.checks.blast_radius import blast_radius
from anycastle.rollout.checks.capacity import capacity, capacity_after_loss
from anycastle.rollout.checks.community import community
from anycastle.rollout.checks.drain import drain
from anycastle.rollout.checks.floor import floor
from anycastle.rollout.checks.human_edit import human_edit
from anycastle.rollout.checks.irr import irr
from anycastle.rollout.checks.maintenance import maintenance
from anycastle.rollout.checks.no_data import no_data
from anycastle.rollout.checks.outside_view import outside_view
from anycastle.rollout.checks.permit import permit
from anycastle.rollout.checks.prefix_limit import prefix_limit
from anycastle.rollout.checks.roa import roa
from anycastle.rollout.checks.service_end import service_end
from anycastle.rollout.checks.shrunken import shrunken
from anycastle.rollout.checks.unheard import unheard
from anycastle.rollout.finding import PlanFinding, Severity

CHECKS: Final[tuple[Callable[[CheckInput], Iterable[PlanFinding]], ...]] = (
    floor,
    blast_radius,
    shrunken,
    service_end,
    permit,
    drain,
    human_edit,
    maintenance,
    roa,
    irr,
    community,
    prefix_limit,
    unheard,
    age,
    agent,
    capacity,
    capacity_after_loss,
    outside_view,
    no_data,
)

_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


def examine(seen: CheckInput) -> tuple[PlanFinding, ...]:
    """Give what all checks find, the worst first."""
    found = [finding for check in CHECKS for finding in check(seen)]
    return tuple(sorted(found, key=lambda finding: _RANK[finding.severity]))
