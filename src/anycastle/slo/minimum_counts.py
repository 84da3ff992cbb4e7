"""How many events a burn rate must be made of before it means anything, worked out and not guessed.

Theory of operation. A rule compares the shares of bad events in two windows with `factor x budget`. The long one
decides whether it means anything; the short one only ends the alert. Of few events the share is coarse: at 99.9 % and a
factor of 14.4 the mark is 1.44 %, and one bad event of 60 is 1.67 %. So ask: of `n` events of a *healthy* service in
the long window, how likely is it that as many are bad as the mark needs? Healthy is a service that spends `HEALTHY` of
its budget. The number of bad ones is binomial; `k = ceil(n x mark)` of them pass the mark. A month has as many looks as
short windows (long ones overlap), and `FALSE_PAGES` of them may pass. For each `k` the likeliest case is the largest
`n` that still needs `k`; the least `k` for which even that is unlikely enough gives the minimum.

Events that fail together (one AS, one PoP) are fewer than they seem: the minimum is for events that stand for
themselves, and a floor, not a promise.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, floor, lgamma, log, log1p
from typing import Final

from anycastle.base.errors import MisuseError

HEALTHY: Final = 0.5
"""Part of its budget that a healthy service spends."""

FALSE_PAGES: Final = 0.1
"""False alarms a month that one rule and scope may raise by chance: one in ten months."""

MONTH_S: Final = 30 * 86_400.0

_BAD_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class MinimumCount:
    """The arithmetic, to be shown."""

    mark: float
    """Share of bad events that the rule asks for."""
    looks: float
    """Short windows a month: long ones overlap, and are not so many looks less."""
    chance: float
    """What chance may do at each look."""
    bad: int
    """Bad events that the mark needs at the minimum, `k`."""
    events: int
    """The minimum, `n`."""
    chance_of_bad: float
    """Of `k` bad ones among the most events that still need only `k`."""


@lru_cache(maxsize=1024)
def minimum_count(budget: float, factor: float, short_s: float, false_pages: float = FALSE_PAGES) -> MinimumCount:
    """Give the minimum. Raises `MisuseError` where the mark is no share of events, or what is healthy passes it."""
    mark = budget * factor
    looks = MONTH_S / short_s
    chance = min(1.0, false_pages / looks)
    if not 0 < budget < 1 or not factor > HEALTHY:
        raise MisuseError(f"a budget of {budget:g} and a factor of {factor:g} give no minimum")
    if mark >= 1:
        raise MisuseError(f"{factor:g} times a budget of {budget:g} is more than all events: the rule can never fire")
    for bad in range(1, _BAD_MAX):
        most = floor(bad / mark + 1e-9)
        if most >= bad:
            likely = binomial_tail(bad, most, HEALTHY * budget)
            if likely <= chance:
                least = floor((bad - 1) / mark + 1e-9) + 1
                return MinimumCount(mark, looks, chance, bad, max(least, bad), likely)
    raise MisuseError(f"a factor of {factor:g} is too near to what is healthy to be told from it")


def binomial_tail(least: int, trials: int, share: float) -> float:
    """Give the chance of at least so many of `trials`, each with chance `share`."""
    if least <= 0:
        return 1.0
    if least > trials or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    term = exp(
        lgamma(trials + 1)
        - lgamma(least + 1)
        - lgamma(trials - least + 1)
        + least * log(share)
        + (trials - least) * log1p(-share)
    )
    total, number = 0.0, least
    while number <= trials and term > total * 1e-17:
        total += term
        term *= (trials - number) / (number + 1) * share / (1 - share)
        number += 1
    return min(1.0, total)


def bad_needed(events: float, mark: float) -> int:
    """Give how many of so many events pass the mark."""
    return max(1, ceil(events * mark - 1e-9))
