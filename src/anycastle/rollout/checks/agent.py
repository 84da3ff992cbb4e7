"""PLN012: an agent that the plan needs would not carry it out: it only observes, or has problems."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def agent(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the agents of changed PoPs that would not act, and the sessions that additions wait for."""
    waiting = _waiting(seen)
    for pop in seen.difference.pops:
        report = seen.live.reports[pop]
        if report.observe_only:
            text = "its agent only observes: it would not carry the plan out"
            yield PlanFinding("PLN012", Severity.ERROR, pop, text)
        if report.problems:
            text = f"its agent is not ready: {report.problems[0]}"
            yield PlanFinding("PLN012", Severity.WARNING, pop, text, report.problems)
        if pop in waiting:
            names = ", ".join(sorted(waiting[pop]))
            text = f"no session is up with {names}: what is announced there counts for nothing yet"
            yield PlanFinding("PLN012", Severity.WARNING, pop, text)


def _waiting(seen: CheckInput) -> dict[str, set[str]]:
    """Give the sessions that changes wait for: PoP -> upstreams and families."""
    found: dict[str, set[str]] = {}
    for change in seen.difference.changes:
        if change.after is not None and not seen.live.carries(change.key):
            found.setdefault(change.key.pop, set()).add(f"{change.key.upstream} {change.key.prefix.family}")
    return found
