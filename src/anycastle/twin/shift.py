"""What a prepend or community would move, from the configurations that were measured already.

Theory of operation. A configuration is a kind (prepends, or a set of communities) at one PoP. Every /24 votes for the
site that it had under each other round of the same announced set, and a round's vote weighs as much as its
configuration is like the one asked about: same PoP and one prepend more or less, most; the same communities at the
other PoP, or some of the same communities, less; the plain announcement, little, which is what counts where nothing is
alike. The mean of the votes is the prediction. Beside it stands the error of predicting no shift at all, which a
prediction must beat to be of use.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.catchment import Round

Floats = NDArray[np.float64]
_PREPEND: Final = re.compile(r"(\d+)x([A-Za-z0-9-]+)")
_COMMUNITY: Final = re.compile(r"community-(.+)x([A-Za-z0-9-]+)")
PLAIN_WEIGHT: Final = 0.1
"""Of the plain announcement, beside 1 for a configuration that is the same."""
OTHER_POP: Final = 0.15
"""Of the same configuration at another PoP: what a community does, it does there to others."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a configuration changes."""

    pop: str
    prepends: int
    communities: frozenset[str]

    @property
    def plain(self) -> bool:
        """Tell whether nothing is changed."""
        return not self.prepends and not self.communities


def parse_change(configuration: str) -> Change:
    """Parse a round's name: `2xLHR`, `community-20473-6001xCDG`, `baseline`. Raises `MisuseError`."""
    if configuration.endswith("baseline"):
        return Change("", 0, frozenset())
    prepend = _PREPEND.fullmatch(configuration)
    if prepend is not None:
        return Change(prepend[2], int(prepend[1]), frozenset())
    community = _COMMUNITY.fullmatch(configuration)
    if community is not None:
        return Change(community[2], 0, frozenset(community[1].split("_")))
    raise MisuseError(f"{configuration!r} is no configuration: 2xLHR, community-64500-1_64500-2xCDG or baseline")


def likeness(one: Change, other: Change) -> float:
    """Give how much one configuration tells of another, 0 to 1."""
    if one.plain or other.plain:
        return 1.0 if one == other else PLAIN_WEIGHT
    at = 1.0 if one.pop == other.pop else OTHER_POP
    if one.prepends and other.prepends:
        return at / (1 + abs(one.prepends - other.prepends)) if one.pop == other.pop else 0.0
    both = len(one.communities & other.communities)
    return at * both / len(one.communities | other.communities) if one.communities and other.communities else 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """One configuration: shares without it, as predicted, and as measured."""

    configuration: str
    announced: tuple[str, ...]
    before: Floats
    """float64[site]: under the plain announcement."""
    predicted: Floats
    measured: Floats
    right: float
    """Part of the /24s whose likeliest site was right."""
    alike: tuple[str, ...]
    """Configurations that told something, the most alike first."""

    @property
    def error_points(self) -> float:
        """Give the mean error of a site's share, in points."""
        return 100 * float(np.abs(self.predicted - self.measured).mean())

    @property
    def unmoved_error_points(self) -> float:
        """Give the same for the prediction that nothing moves."""
        return 100 * float(np.abs(self.before - self.measured).mean())


def predict_shifts(rounds: Sequence[Round]) -> tuple[Shift, ...]:
    """Predict each configuration from the others of the same announced set, where there is a plain round of it."""
    found = []
    for each in rounds:
        change = parse_change(each.configuration)
        others = [other for other in rounds if other is not each and other.announced == each.announced]
        plain = next((other for other in others if parse_change(other.configuration).plain), None)
        if not change.plain and plain is not None:
            found.append(_shift(each, change, plain, others))
    return tuple(found)


def _shift(asked: Round, change: Change, plain: Round, others: Sequence[Round]) -> Shift:
    sites = len(asked.announced)
    votes = np.zeros((len(asked.block), sites))
    told: list[tuple[float, str]] = []
    for other in others:
        weight = likeness(change, parse_change(other.configuration))
        if weight > 0:
            _, mine, its = np.intersect1d(asked.block, other.block, assume_unique=True, return_indices=True)
            votes[mine, other.site[its]] += weight
            told.append((weight, other.configuration))
    known = votes.sum(axis=1) > 0
    chance = np.where(known[:, None], votes / np.maximum(votes.sum(axis=1), 1e-9)[:, None], plain.shares)
    _, mine, its = np.intersect1d(asked.block, plain.block, assume_unique=True, return_indices=True)
    return Shift(
        asked.configuration,
        asked.announced,
        np.bincount(plain.site[its], minlength=sites) / max(1, len(its)),
        chance[mine].mean(axis=0),
        np.bincount(asked.site[mine], minlength=sites) / max(1, len(mine)),
        float((chance[mine].argmax(axis=1) == asked.site[mine]).mean()),
        tuple(name for weight, name in sorted(told, key=lambda each: (-each[0], each[1])) if weight > PLAIN_WEIGHT),
    )
