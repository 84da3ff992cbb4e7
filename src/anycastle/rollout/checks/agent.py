"""PLN012: an agent that the plan needs would not carry it out: it only observes, or has problems."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def agent(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the agents of changed PoPs that would not act, and the sessions that additions wait for."""
    for pop in seen.difference.pops:
        report = seen.live.reports[pop]
        if report.observe_only:
            text = "its agent only observes: it would not carry the plan out"
            yield PlanFinding("PLN012", Severity.ERROR, pop, text)
        if report.problems:
            text = f"its agent is not ready: {report.problems[0]}"
            yield PlanFinding("PLN012", Severity.WARNING, pop, text, report.problems)
        waiting = sorted(
            {
                f"{each.key.upstream} {each.key.prefix.family}"
                for each in seen.difference.changes
                if each.key.pop == pop and each.after is not None and not seen.live.carries(each.key)
            }
        )
        if waiting:
            text = f"no session is up with {', '.join(waiting)}: what is announced there counts for nothing yet"
            yield PlanFinding("PLN012", Severity.WARNING, pop, text)
