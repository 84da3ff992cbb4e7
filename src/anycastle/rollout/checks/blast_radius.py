"""PLN002: no step puts more at risk than the blast radius."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.difference import ChangeKind
from anycastle.rollout.finding import PlanFinding, Severity, bounded
from anycastle.rollout.presence import Presence
from anycastle.rollout.staging import Step


def blast_radius(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give each step that is too wide, and how."""
    presence = Presence(seen.live)
    touched = seen.touched()
    for step in seen.steps:
        ended = {change.key.prefix for change in step.changes if change.kind is ChangeKind.WITHDRAWN}
        services = [service for service in touched if not ended.isdisjoint(service.prefixes)]
        before = {service.name: set(presence.announcing(service)) for service in services}
        presence.apply(step.changes)
        leaving = sorted({pop for each in services for pop in before[each.name] - set(presence.announcing(each))})
        for text in (*_of_pops(seen, step), *_of_capacity(seen, step, leaving), *_of_regions(seen, step)):
            yield PlanFinding("PLN002", Severity.ERROR, f"step {step.number}", text, bounded(list(step.pops)))


def _of_pops(seen: CheckInput, step: Step) -> Iterator[str]:
    limits, count = seen.evidence.limits, len(step.pops)
    most = limits.pops_max(seen.extent)
    if count > most:
        yield f"touches {count} PoPs at once; at most {most} of {seen.extent.pops} may be"


def _of_capacity(seen: CheckInput, step: Step, leaving: list[str]) -> Iterator[str]:
    limits = seen.evidence.limits
    allowed = f"at most {100 * limits.capacity_share:g} % may be"
    if leaving and not limits.capacity_fits(leaving, seen.extent):
        yield f"ends {', '.join(leaving)}, {100 * seen.extent.share(leaving):.0f} % of the capacity, at once; {allowed}"
    elif len(step.pops) > 1 and not limits.capacity_fits(list(step.pops), seen.extent):
        yield f"touches {100 * seen.extent.share(list(step.pops)):.0f} % of the capacity at once; {allowed}"


def _of_regions(seen: CheckInput, step: Step) -> Iterator[str]:
    limits = seen.evidence.limits
    regions = sorted({seen.extent.regions.get(pop, "") for pop in step.pops})
    for region in regions:
        pops = [pop for pop in step.pops if seen.extent.regions.get(pop, "") == region]
        most = limits.region_max(region, seen.extent)
        if region and len(pops) > most:
            yield f"touches {len(pops)} PoPs of {region} at once; at most {most} may be"
        ended = {c.key.prefix for c in step.changes if c.kind is ChangeKind.WITHDRAWN and c.key.pop in pops}
        if len(ended) > limits.region_prefixes:
            where = region or "PoPs that the files do not have"
            yield f"withdraws {len(ended)} prefixes in {where} at once; at most {limits.region_prefixes} may be"
