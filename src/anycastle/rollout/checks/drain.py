"""PLN006: a drain of a service that the plan changes is under way. Two hands on one service pull apart."""

from collections.abc import Iterator

from anycastle.model.stance import DrainStep
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def drain(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the drains of services that change: an error while one moves, a warning once it has come to its end."""
    touched = seen.difference.services
    for pop, report in sorted(seen.live.reports.items()):
        for name in sorted(touched & report.services.keys()):
            told = report.services[name]
            if told.drain is DrainStep.NORMAL:
                continue
            ended = told.drain is DrainStep.STOPPED
            severity = Severity.WARNING if ended else Severity.ERROR
            text = f"is drained at {pop} ({told.drain.value}), by {told.drain_owner}"
            yield PlanFinding("PLN006", severity, name, text + ("" if ended else "; wait for it, or undrain"))
