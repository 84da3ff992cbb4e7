"""Which networks from outside see a region's PoPs."""

from collections.abc import Mapping
from typing import Final

from anycastle.model.fleet import Fleet

HeardFrom = Mapping[str, frozenset[int]]
"""PoP -> ASNs of the vantage points that it answered."""

NETWORKS_MIN: Final = 5
"""Networks that must see a region: those of one network share its routes, and are one opinion."""


def networks_by_region(fleet: Fleet, heard_from: HeardFrom) -> dict[str, set[int]]:
    """Give region -> the networks that its PoPs answer; a region that none sees has an empty set."""
    found: dict[str, set[int]] = {pop.region: set() for pop in fleet.pops}
    for pop in fleet.pops:
        found[pop.region] |= heard_from.get(pop.name, frozenset())
    return found
