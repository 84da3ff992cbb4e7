"""PLN005: a PoP would end a service without holding a permit to withdraw it.

The agent will refuse the files. The others rely on it: those that hold permits may use them at the same moment, and
then the floor does not stand. The way is to let the permit move there first: put the PoP first in the service's `pops`,
have that read everywhere, and take it out of the list then.
"""

from collections.abc import Iterator

from anycastle.model.permit import PermitState
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def permit(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the ends of announcements that no permit stands behind."""
    for service, before, after in seen.announcing():
        for pop in before:
            report = seen.live.reports[pop].services.get(service.name)
            if pop in after or (report is not None and report.permit is not PermitState.NONE):
                continue
            holders = [
                name
                for name, each in sorted(seen.live.reports.items())
                if service.name in each.services and each.services[service.name].permit is not PermitState.NONE
            ]
            text = f"ends at {pop}, which holds no permit to withdraw it; put it first in the service's pops before"
            yield PlanFinding(
                "PLN005", Severity.ERROR, service.name, text, tuple(f"held by {name}" for name in holders)
            )
