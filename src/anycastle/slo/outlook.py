"""What is left of each budget and how fast it goes, as the exported rules record it (`slo.export.prometheus`).

The rules know no calendar: a calendar window is told as a rolling one of its length. A series that is not there is no
data, which is neither good nor bad.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf, isfinite
from typing import Final, NamedTuple

from anycastle.model.objective import Objective
from anycastle.slo.budget import words_of
from anycastle.slo.export.prometheus import BURN, COUNTED, ERROR, LEFT

SPANS: Final = ("5m", "1h", "6h", "3d")
"""Whose burn rates are told: those of the rules that page, and of the slowest."""

UNKNOWN_REGION: Final = "unknown"
"""Of events whose network tells none."""

SLOWEST: Final = SPANS[-1]

QUERY: Final = f'{{__name__=~"{LEFT}|{ERROR}({"|".join(SPANS)})|{COUNTED}{SLOWEST}"}}'
"""Gives all that is needed of every objective at once."""


class Recorded(NamedTuple):
    """A series' value of now, by its labels; its name is among them."""

    labels: Mapping[str, str]
    value: float


class Standing(Enum):
    """How a budget stands."""

    OK = "ok"
    BURNING = "burning"
    """An alert of its rules fires."""
    EXHAUSTED = "exhausted"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Outlook:
    """One budget: of an objective as a whole, or in one region."""

    objective: Objective
    region: str
    """'' for the whole."""
    left: float | None
    """Share that is left; below 0 where more was spent."""
    burn: Mapping[str, float] = field(default_factory=dict)
    """Span -> rate: 1 spends the budget in just its window."""
    events: float | None = None
    """Of the last three days: what the slowest rate rests on."""
    alerts: tuple[str, ...] = ()
    """Severities and tiers that fire, such as `page 5m/1h`."""

    @property
    def bad(self) -> float | None:
        """Give the share of bad events over the window."""
        return None if self.left is None else (1 - self.left) * self.objective.budget

    @property
    def exhausted_in_s(self) -> float:
        """Give when it is spent at the rate of the last hour; 0 where it is, infinity where it will not be."""
        if self.left is None:
            return inf
        if self.left <= 0:
            return 0.0
        burn = self.burn.get("1h", 0.0)
        return self.left * self.objective.window.length_s / burn if burn > 0 else inf

    @property
    def standing(self) -> Standing:
        """Tell how it stands."""
        if self.left is None:
            return Standing.NO_DATA
        if self.left <= 0:
            return Standing.EXHAUSTED
        return Standing.BURNING if self.alerts else Standing.OK

    @property
    def words(self) -> str:
        """Give the outlook in words."""
        return words_of(self.left, self.exhausted_in_s)


Key = tuple[str, str, str]
"""Service, objective, region."""


def outlooks(
    objectives: Iterable[Objective], recorded: Sequence[Recorded], firing: Iterable[Mapping[str, str]]
) -> list[Outlook]:
    """Give the outlook of each objective, and of each region in which something of it is recorded.

    `firing` has the labels of alerts that fire.
    """
    values: dict[Key, dict[str, float]] = defaultdict(dict)
    for each in recorded:
        if isfinite(each.value):  # 0 / 0: nothing happened, so there is no share
            values[_key(each.labels)][each.labels.get("__name__", "")] = each.value
    alerts: dict[Key, set[str]] = defaultdict(set)
    for labels in firing:
        if labels.get("alertname") == BURN:
            alerts[_key(labels)].add(f"{labels.get('severity', '')} {labels.get('burnrate_tier', '')}".strip())
    found = []
    for objective in objectives:
        regions = {""} | {key[2] for key in values if key[:2] == (objective.service, objective.name)}
        for region in sorted(regions):
            key = (objective.service, objective.name, region)
            found.append(_outlook(objective, region, values.get(key, {}), sorted(alerts.get(key, ()))))
    return found


def _key(labels: Mapping[str, str]) -> Key:
    """Give what a series is of. Events without a region have one series among the regions: it is not the whole."""
    region = labels.get("region") or UNKNOWN_REGION if labels.get("scope") == "region" else ""
    return labels.get("service", ""), labels.get("objective", ""), region


def _outlook(objective: Objective, region: str, values: Mapping[str, float], alerts: list[str]) -> Outlook:
    burn = {span: values[ERROR + span] / objective.budget for span in SPANS if ERROR + span in values}
    return Outlook(objective, region, values.get(LEFT), burn, values.get(COUNTED + SLOWEST), tuple(alerts))
