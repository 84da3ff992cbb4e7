"""How the time that a change takes is told, in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anycastle.twin.convergence import Overlay


def arrivals(each: "Overlay", who: str = "of users move") -> str:
    """Tell when half, nine tenths and nearly all of the users that move are there; `who` says how they are counted."""
    told = [f"{100 * arrival.users:.0f} % {_when(arrival.seconds)}" for arrival in each.arrivals]
    return f"{100 * each.moved:.1f} % {who}; of these " + ", ".join(told) if told else "nobody moves"


def _when(seconds: tuple[float | None, ...]) -> str:
    """Tell the quantiles of a time; None is later than anybody measured."""
    good, middle, bad = ("" if value is None else f"{value:.0f}" for value in seconds)
    if not good:
        return "later than was measured"
    if not middle:
        return f"after {good} s or more (later than was measured)"
    return f"after {middle} s ({good} to {bad})" if bad else f"after {middle} s ({good} or more)"
