"""How patient, and how loud."""

from dataclasses import dataclass, replace

from anycastle.model.notify import NotifyPlan


@dataclass(frozen=True, slots=True)
class Policy:
    """All times in seconds."""

    page_after_s: float = 5.0
    """A page's alert must have fired for so long: what comes with it arrives meanwhile, and one glitch wakes nobody."""
    ticket_after_s: float = 60.0
    clear_after_s: float = 300.0
    """An alert is over when it was quiet for so long: hysteresis."""
    join_s: float = 900.0
    """An incident takes alerts that are related for so long after its last one was raised, and after it was cleared."""
    tail_s: float = 300.0
    """A cause explains for so long after its end: what it left behind needs to converge back."""
    remind_s: float = 1800.0
    """An incident that nobody acknowledged pages again."""
    flaps: int = 3
    """An incident that comes back so often within `flap_s` pages once more, as flapping, and then only when it was over
    for `flap_s`."""
    flap_s: float = 3600.0
    storm_pages: int = 5
    """Pages within `storm_s` after which further ones are folded into one that counts them."""
    storm_s: float = 600.0


def policy_of(plan: NotifyPlan | None, usual: Policy = Policy()) -> Policy:
    """Give the policy of a fleet: the usual one, but for what its files say; without them, the usual one."""
    if plan is None or plan.clear_after_s is None:
        return usual
    return replace(usual, clear_after_s=plan.clear_after_s)
