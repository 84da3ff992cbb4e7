"""How long a predicted move takes: measured times laid over who moves.

Theory of operation. The twin says who moves, not when; when is measured (`watch`, or a table of one's own). Networks
that choose the same next hop hear of a change together: they are one *branch*, and each branch draws one time from
what was measured for that kind of change. Sorting the branches by their times gives, for one draw, when half of the
moved users have their new PoP; many draws give the quantiles of that. A few heavy branches make it uncertain, many
light ones do not, as in reality.

A measurement is a list of times, or the percentiles of an event. Times beyond the last percentile, and of peers that
had not converged, are *beyond*: later than what was seen, and shown as such. Nobody is taken to be faster than zero. A
branch that is slow is taken to be as far up in the distribution of unreachable time: the careful way to pair the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError

USER_SHARES: Final = (0.50, 0.90, 0.95)
"""Shares of the moved users whose arrival is told."""
SPREAD: Final = (0.10, 0.50, 0.90)
"""Quantiles over draws: a good case, the median, a bad case."""
DRAWS: Final = 500


@dataclass(frozen=True, slots=True)
class Times:
    """What one measurement says of one kind of time: seconds at levels, and `inf` beyond."""

    level: tuple[float, ...]
    seconds: tuple[float, ...]

    @staticmethod
    def of_samples(seconds: Sequence[float]) -> "Times":
        """Give the times of single observations; `inf` for one that had not ended."""
        if not seconds or any(not value >= 0 for value in seconds):
            raise MisuseError("times are 0 or more, and at least one")
        ascending = sorted(seconds)
        return Times(tuple((at + 1) / len(ascending) for at in range(len(ascending))), tuple(ascending))

    def at(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the seconds at each level, straight between what was measured; `inf` beyond the last."""
        finite = [(lev, sec) for lev, sec in zip(self.level, self.seconds, strict=True) if isfinite(sec)]
        if not finite:
            return np.full(len(level), inf)
        levels, seconds = zip((0.0, 0.0 if finite[0][0] < 1 else finite[0][1]), *finite, strict=True)
        between = np.interp(level, levels, seconds)
        beyond: NDArray[np.float64] = np.where(level > levels[-1] + 1e-12, inf, between)
        return beyond


@dataclass(frozen=True, slots=True)
class Observed:
    """One measurement of one change."""

    action: str
    """As `watch` names it: `announce`, `withdraw`, or another way to steer."""
    converged: Times
    unreachable: Times
    weight: float = 1.0
    """Peers, or other observers, behind it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a share of the moved users has its new PoP. None: later than what was measured."""

    users: float
    """The share, 0 to 1."""
    seconds: tuple[float | None, ...]
    """At each of `SPREAD`."""
    unreachable_s: tuple[float | None, ...]
    """At each of `SPREAD`: this share of the moved users is without an answer for no longer."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The time that a change takes."""

    action: str
    moved: float
    """Weight that moves."""
    branches: int
    observed: int
    """Measurements that it stands on."""
    arrivals: tuple[Arrival, ...]
    """One for each of `USER_SHARES`; empty where nobody moves."""


def overlay(
    action: str,
    moved: NDArray[np.float64],
    branch: NDArray[np.int64],
    observed: Sequence[Observed],
    randomness: np.random.Generator,
    draws: int = DRAWS,
) -> Overlay:
    """Lay measured times over a change.

    `moved` is the weight of each AS that moves (float64[n]), `branch` any number that those share which hear of it
    together, such as the next hop (int64[n]). Raises `MisuseError` where nothing was measured of such an action.
    """
    known = [each for each in observed if each.action == action]
    if not known:
        names = ", ".join(sorted({each.action for each in observed})) or "nothing"
        raise MisuseError(f"no convergence of {action!r} was measured; there is: {names}")
    _, of_branch = np.unique(branch, return_inverse=True)
    weight = np.bincount(of_branch, moved).astype(np.float64) if len(moved) else np.zeros(0)
    if not weight.sum() > 0:
        return Overlay(action, 0.0, 0, len(known), ())
    converged, unreachable = _draw(known, (draws, len(weight)), randomness)
    arrivals = [
        Arrival(share, _spread(_reached(converged, weight, share)), _spread(_reached(unreachable, weight, share)))
        for share in USER_SHARES
    ]
    return Overlay(action, float(weight.sum()), len(weight), len(known), tuple(arrivals))


def _draw(
    known: Sequence[Observed], shape: tuple[int, int], randomness: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give a time of each branch in each draw. One draw is one change: all of its branches follow one measurement."""
    weights = np.array([each.weight for each in known])
    chosen = randomness.choice(len(known), shape[0], p=weights / weights.sum())
    level = randomness.random(shape)
    converged, unreachable = np.empty(shape), np.empty(shape)
    for at, each in enumerate(known):
        mine = chosen == at
        flat = level[mine].ravel()
        converged[mine] = each.converged.at(flat).reshape(-1, shape[1])
        unreachable[mine] = each.unreachable.at(flat).reshape(-1, shape[1])
    return converged, unreachable


def _reached(seconds: NDArray[np.float64], weight: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Give, in each draw, the time at which at least a share of the weight is through, float64[draw]."""
    order = np.argsort(seconds, axis=1, kind="stable")
    through = np.cumsum(weight[order], axis=1)
    at = (through < share * weight.sum() * (1 - 1e-12)).sum(axis=1)
    reached: NDArray[np.float64] = np.take_along_axis(np.take_along_axis(seconds, order, 1), at[:, None], 1)[:, 0]
    return reached


def _spread(seconds: NDArray[np.float64]) -> tuple[float | None, ...]:
    at = np.quantile(seconds, SPREAD, method="inverted_cdf")
    return tuple(round(float(value), 3) if isfinite(value) else None for value in at)
