"""How much one step of a rollout may put at risk."""

from dataclasses import dataclass
from math import floor, fsum

from anycastle.model.fleet import Fleet
from anycastle.rollout.live import Live

UNSTATED_CAPACITY = 1.0
"""What `PoP.capacity` is where its file states none; a stated one has a unit, and is 1000 at least."""


@dataclass(frozen=True, slots=True)
class BlastLimits:
    """The blast radius of one step. The defaults of the first two are the fleet-wide cap on automatic withdrawals."""

    pops_share: float = 0.2
    """Of the PoPs that were heard; one PoP is always allowed."""
    capacity_share: float = 0.25
    """Of the capacity of the PoPs that were heard. Of more than one PoP that is changed, and of any that leaves."""
    region_share: float = 0.5
    """Of a region's PoPs; one is always allowed. A region does not change as a whole before half of it has."""
    region_prefixes: int = 100
    """Prefixes that are withdrawn in one region: an empty value that was read as 'all' once withdrew 1,000."""

    def pops_max(self, extent: "Extent") -> int:
        """Give how many PoPs one step may touch."""
        return max(1, floor(self.pops_share * extent.pops))

    def region_max(self, region: str, extent: "Extent") -> int:
        """Give how many PoPs of a region one step may touch."""
        return max(1, floor(self.region_share * extent.of_region.get(region, 0)))

    def capacity_fits(self, pops: "list[str]", extent: "Extent") -> bool:
        """Tell whether some PoPs together are within the share of capacity; so they are where none is stated."""
        return extent.capacity is None or extent.share(pops) <= self.capacity_share


@dataclass(frozen=True, slots=True)
class Extent:
    """What the shares of the limits are shares of: the PoPs that were heard."""

    pops: int
    of_region: dict[str, int]
    of_pop: dict[str, float]
    """PoP -> capacity. One that the files do not have counts as 0."""
    regions: dict[str, str]
    """PoP -> region; '' for one that the files do not have."""
    capacity: float | None
    """In all; None where a PoP's file states none, since these cannot be added up."""

    def share(self, pops: list[str]) -> float:
        """Give the share that some PoPs have of the capacity."""
        if not self.capacity:
            return 0.0
        return fsum(self.of_pop.get(pop, 0.0) for pop in pops) / self.capacity


def extent_of(fleet: Fleet, live: Live) -> Extent:
    """Give what the shares are shares of."""
    known = {pop.name: pop for pop in fleet.pops}
    heard = [known[name] for name in live.reports if name in known]
    of_region: dict[str, int] = {}
    for pop in heard:
        of_region[pop.region] = of_region.get(pop.region, 0) + 1
    stated = all(pop.capacity != UNSTATED_CAPACITY for pop in fleet.pops)
    return Extent(
        pops=len(live.reports),
        of_region=of_region,
        of_pop={pop.name: pop.capacity for pop in heard},
        regions={name: known[name].region if name in known else "" for name in live.reports},
        capacity=fsum(pop.capacity for pop in heard) if stated else None,
    )
