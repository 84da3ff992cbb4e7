"""PLN016: what an agent said is old. Routers may have changed since, and nothing here would show it."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity

AGE_MAX_S = 300.0
"""Long enough to gather reports from all PoPs by hand; an agent reads its router every second."""


def age(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the reports that are older than `AGE_MAX_S`, or said to be from the future."""
    for pop, report in sorted(seen.live.reports.items()):
        if report.at is None or abs(seen.now - report.at) <= AGE_MAX_S:
            continue
        minutes = (seen.now - report.at) / 60
        text = (
            f"its report is {minutes:.0f} minutes old"
            if minutes > 0
            else "its report is from the future: see the clocks"
        )
        yield PlanFinding("PLN016", Severity.WARNING, pop, text)
