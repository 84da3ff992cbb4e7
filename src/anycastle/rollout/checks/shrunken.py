"""PLN003: half of the PoPs are gone, from the folder or from a service.

What was deleted by mistake looks like what was deleted on purpose, so half of it is never taken for a purpose. A fleet
that shall shrink so far does so in several plans.
"""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity, bounded


def shrunken(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give a folder that lost half of the PoPs that are heard, and services that would."""
    known = {pop.name for pop in seen.intent.fleet.pops}
    heard = sorted(seen.live.reports)
    lost = [pop for pop in heard if pop not in known]
    if _half(lost, heard):
        text = f"the folder has lost {len(lost)} of the {len(heard)} PoPs that announce; this is refused"
        yield PlanFinding("PLN003", Severity.ERROR, seen.intent.fleet.name, text, _would_do(seen, lost))
    for service, before, after in seen.announcing():
        ended = [pop for pop in before if pop not in after]
        if after and _half(ended, before):
            text = f"would leave {len(ended)} of the {len(before)} PoPs that announce it"
            yield PlanFinding("PLN003", Severity.ERROR, service.name, text, _would_do(seen, ended))


def _half(lost: list[str], of: list[str]) -> bool:
    """Tell whether half or more is lost; one is no half of anything, for one at a time is how fleets shrink."""
    return len(lost) > 1 and 2 * len(lost) >= len(of)


def _would_do(seen: CheckInput, pops: list[str]) -> tuple[str, ...]:
    return bounded([f"- {change.service} {change.key}" for change in seen.withdrawn() if change.key.pop in pops])
