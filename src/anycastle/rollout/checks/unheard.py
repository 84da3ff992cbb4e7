"""PLN011: a PoP of the fleet was not heard. Unknown is not 'announces nothing': nothing is planned there."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def unheard(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the PoPs that were not heard."""
    for pop in seen.difference.unheard:
        count = sum(key.pop == pop for key in seen.intent.routes)
        text = f"not heard: what it announces is not known, nothing is planned there ({count} routes are meant)"
        yield PlanFinding("PLN011", Severity.WARNING, pop, text)
