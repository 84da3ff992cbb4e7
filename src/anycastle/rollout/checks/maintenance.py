"""PLN008: the plan changes a PoP within its maintenance window: it may go away in the middle of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def maintenance(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the PoPs that are changed within a window of a service."""
    changed = set(seen.difference.pops)
    for service in seen.changed():
        for window in service.windows:
            for pop in window.pops if window.start <= seen.now < window.end else ():
                if pop in changed:
                    end = datetime.fromtimestamp(window.end, UTC).strftime("%Y-%m-%dT%H:%MZ")
                    text = f"{pop} is in a maintenance window until {end}: {window.reason}"
                    yield PlanFinding("PLN008", Severity.WARNING, service.name, text)
