"""Shares and loads as quantiles, and what does not fit.

Every member of an ensemble is one way in which an announcement may turn out. A figure is given as its mean and its 5th,
50th and 95th percentile over the members. Means add up (the shares of all PoPs and of no route are 1); percentiles do
not, for what is high at one PoP is low at another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.members import weigh
from anycastle.twin.ensemble import Members

PERCENTILES: Final = (5, 50, 95)


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all members."""

    mean: float
    p5: float
    p50: float
    p95: float

    def times(self, factor: float) -> "Spread":
        """Give the spread of the figure times `factor`, 0 or more."""
        return Spread(self.mean * factor, self.p5 * factor, self.p50 * factor, self.p95 * factor)


def spread(values: NDArray[np.float64]) -> Spread:
    """Give the spread of one figure, float64[member]."""
    low, middle, high = np.percentile(values, PERCENTILES)
    return Spread(float(values.mean()), float(low), float(middle), float(high))


def shares_by_pop(members: Members, of_node: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each PoP's weight in each member, float64[member, pop + 1]; the last column has no route.

    Rows add up to the sum of `of_node`.
    """
    return weight_at(members.pops(), members.weights_of_rows(of_node), len(members.deployment.pops) + 1)


def shares_by_group(members: Members, of_node: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each session group's weight in each member, float64[member, group + 1]; the last column has no route."""
    return weight_at(members.group, members.weights_of_rows(of_node), len(members.deployment.groups) + 1)


def weight_at(place: NDArray[np.uint16], weight: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Add up the weight of rows by where each is in each member: float64[member, place] from uint16[row, member].

    Numbers beyond count at the last place.
    """
    summed = np.empty((place.shape[1], places))
    weigh(place, weight, summed)
    return summed


def overload_chance(load: NDArray[np.float64], capacity: float | None) -> float:
    """Give the part of the members, float64[member], whose load is above the capacity; 0 where none is stated."""
    return 0.0 if capacity is None else float((load > capacity).mean())


def room_of(capacity: Sequence[float | None]) -> NDArray[np.float64]:
    """Give each PoP's capacity, float64[pop]: infinite where none is stated."""
    return np.array([np.inf if each is None else each for each in capacity], np.float64)


def beyond(load: NDArray[np.float64], capacity: Sequence[float | None]) -> NDArray[np.float64]:
    """Give the load above each PoP's capacity, like `load` float64[..., pop]; 0 where no capacity is stated."""
    lost: NDArray[np.float64] = np.maximum(0.0, load - room_of(capacity))
    return lost
