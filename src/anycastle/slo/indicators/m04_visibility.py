"""M4: how much of the Internet has a route to us."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M4",
    "visibility",
    "Full-table ASes that see the exact prefix with a valid origin, over full-table ASes; per address family.",
    "route collectors, by `anycastle watch`",
    "ratio",
    (
        ("peers without a full table", "that they lack our prefix says nothing"),
        ("further peers of one AS", "an AS has one vote, or large networks would have twenty"),
        ("sessions that are down", "their silence says nothing"),
    ),
    "full-table ASes",
    20,
    "Below 20 one AS is more than five percent.",
    higher_is_better=True,
    target="99 % of full-table ASes",
    gotcha="Collectors' coverage varies by region and changes from day to day: the ratio is of those that could see"
    " the prefix now, never a count of ASes.",
)


@dataclass(frozen=True, slots=True)
class View:
    """What one collector peer sees."""

    asn: int
    full_table: bool
    sees: bool
    origin_valid: bool = True
    up: bool = True


def count(tally: Tally, views: Iterable[View]) -> None:
    """Count peers, one vote an AS; an AS whose peers disagree sees the prefix where any of them does."""
    votes: dict[int, bool] = {}
    for view in views:
        if not view.up:
            tally.exclude("session down")
        elif not view.full_table:
            tally.exclude("no full table")
        else:
            if view.asn in votes:
                tally.exclude("further peer of one AS")
            votes[view.asn] = votes.get(view.asn, False) or (view.sees and view.origin_valid)
    for asn, sees in votes.items():
        tally.add(f"AS{asn}", good=sees)
