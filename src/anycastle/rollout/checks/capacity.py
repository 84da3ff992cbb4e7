"""PLN013 and PLN014: no PoP gets more than it can serve, after the shift and after one more PoP is lost."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity

OVERLOAD_CHANCE_MAX = 0.2
"""Part of the ways in which ties may fall that may overload a PoP before a warning: one in five."""


def capacity(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the PoPs that would be overloaded."""
    for shift in seen.evidence.foreseen or ():
        subject = f"{shift.service} {shift.prefix}"
        for pop in shift.pops:
            if pop.load is None or not pop.capacity:
                continue
            if pop.load > pop.capacity:
                grows = pop.after > pop.now
                text = f"{pop.name} gets {100 * pop.load / pop.capacity:.0f} % of what it can serve"
                severity = Severity.ERROR if grows else Severity.WARNING
                yield PlanFinding("PLN013", severity, subject, text if grows else f"{text}, as before or less")
            elif pop.overload_chance > OVERLOAD_CHANCE_MAX:
                text = f"{pop.name} is overloaded in {100 * pop.overload_chance:.0f} of 100 ways in which ties may fall"
                yield PlanFinding("PLN013", Severity.WARNING, subject, text)


def capacity_after_loss(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the PoPs whose loss after the plan would overload another."""
    for shift in seen.evidence.foreseen or ():
        for loss in shift.losses:
            if loss.load > loss.capacity:
                share = 100 * loss.load / loss.capacity
                text = f"with {loss.lost} lost as well, {loss.fullest} gets {share:.0f} % of what it can serve"
                yield PlanFinding("PLN014", Severity.WARNING, f"{shift.service} {shift.prefix}", text)
