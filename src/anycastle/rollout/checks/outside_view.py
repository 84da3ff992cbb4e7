"""PLN019: what a plan does in a region is seen by enough networks from outside."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity
from anycastle.rollout.vantage import NETWORKS_MIN, networks_by_region


def outside_view(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the regions whose PoPs change and whose users nobody, or too few, can speak for."""
    heard_from = seen.evidence.heard_from
    if heard_from is None:
        return
    fleet = seen.intent.fleet
    pops = {change.key.pop for change in seen.difference.changes}
    touched = {pop.region for pop in fleet.pops if pop.name in pops}
    for region, networks in sorted(networks_by_region(fleet, heard_from).items()):
        if region in touched and len(networks) < NETWORKS_MIN:
            many = f"{len(networks)} network{'' if len(networks) == 1 else 's'}"
            text = f"is seen by {many} from outside, and {NETWORKS_MIN} are the fewest: a fault there may go unseen"
            yield PlanFinding("PLN019", Severity.WARNING, region, text)
