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
    """PoP -> capacity. One that the files do not have counts as its agent says, else as 0."""
    regions: dict[str, str]
    """PoP -> region; as its agent says for one that the files do not have."""
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
    of_pop, regions, of_region = dict[str, float](), dict[str, str](), dict[str, int]()
    for name, report in live.reports.items():
        of_pop[name] = known[name].capacity if name in known else report.capacity or 0.0
        regions[name] = known[name].region if name in known else report.region
        of_region[regions[name]] = of_region.get(regions[name], 0) + 1
    stated = UNSTATED_CAPACITY not in {*of_pop.values(), *(pop.capacity for pop in fleet.pops)}
    return Extent(len(of_pop), of_region, of_pop, regions, fsum(of_pop.values()) if stated else None)
