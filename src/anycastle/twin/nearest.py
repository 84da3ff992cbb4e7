"""Which of its own sessions with us an upstream uses: that of the nearest PoP, where it is known where users are.

Theory of operation. A transit that hears us alike at several PoPs holds several equal routes, and hands each packet to
the exit that is nearest to where the packet entered (hot potato). A graph of ASes has one route an AS and cannot show
that. But whoever comes by way of that transit would come, all else being equal, by any of these sessions. So among
sessions of one neighbour that are treated alike, each AS is put at the PoP nearest to its region. How near is in doubt
(regions are wide, and cables are not great circles), so each member of an ensemble draws an error of each PoP's
distance. An AS whose region is not known stays where the member's order of sessions put it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.members import settle
from anycastle.model.pop import Location
from anycastle.twin.deployment import Configuration, Deployment
from anycastle.twin.regions import from_middles_km
from anycastle.twin.synthetic import REGIONS

DISTANCE_ERROR: Final = 0.35
"""Standard deviation of the logarithm of a distance as a member draws it. Assumed, not measured: about what lies
between a region's middle and its edge."""
LEAST_KM: Final = 1000.0
"""Distances within a region do not count as less."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where ASes and PoPs are."""

    region: NDArray[np.int8]
    """int8[node]: a place in `REGIONS`, -1 where it is not known."""
    location: Mapping[str, Location]
    """Of every PoP."""


@dataclass(frozen=True, slots=True)
class NearestExit:
    """Distances as each member draws them; the same for every configuration."""

    region: NDArray[np.int8]
    distance: NDArray[np.float64]
    """float64[member, region, pop]."""

    @staticmethod
    def of(where: Whereabouts, deployment: Deployment, members: int, randomness: np.random.Generator) -> "NearestExit":
        """Draw the distances."""
        plain = from_middles_km([where.location[pop] for pop in deployment.pops])
        error = randomness.normal(0.0, DISTANCE_ERROR, (members, 1, len(deployment.pops)))
        return NearestExit(where.region, np.maximum(LEAST_KM, plain)[None] * np.exp(error))

    def settle(
        self,
        group: NDArray[np.uint16],
        row_of_node: NDArray[np.int32],
        deployment: Deployment,
        configuration: Configuration,
    ) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
        """Put each AS of a known region at the nearest of the groups that are alike.

        Rows, uint16[row, member], are parted by region; gives the new ones, and each node's.
        """
        key = row_of_node.astype(np.int64) * (len(REGIONS) + 1) + self.region + 1
        unique, inverse = np.unique(key, return_inverse=True)
        old, region = np.divmod(unique, len(REGIONS) + 1)
        settled = np.empty((len(old), group.shape[1]), np.uint16)
        best = self._best(deployment, configuration)
        settle(group, old.astype(np.int32), (region - 1).astype(np.int8), best, settled)
        return settled, inverse.astype(np.int32)

    def _best(self, deployment: Deployment, configuration: Configuration) -> NDArray[np.uint16]:
        """Give the nearest of those alike for every group, uint16[member, region, group]."""
        alike, pop_of_group = sets_alike(deployment, configuration), deployment.pop_of_group()
        members, regions, _ = self.distance.shape
        best = np.broadcast_to(np.arange(len(alike), dtype=np.uint16), (members, regions, len(alike))).copy()
        for each in sorted(set(alike)):
            mine = np.array([at for at, other in enumerate(alike) if other == each])
            if len(mine) > 1:
                nearest = self.distance[:, :, pop_of_group[mine]].argmin(axis=2)
                best[:, :, mine] = mine.astype(np.uint16)[nearest][:, :, None]
        return best


def sets_alike(deployment: Deployment, configuration: Configuration) -> tuple[int, ...]:
    """Give a number for each group; groups of the same neighbours that are treated alike have the same one."""
    first: dict[object, int] = {}
    found = []
    for at, group in enumerate(deployment.groups):
        how = configuration.announced.get(group.name)
        key: object = at if how is None or not group.sessions else (group.asn, group.sessions, how)
        found.append(first.setdefault(key, at))
    return tuple(found)
