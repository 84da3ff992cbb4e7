"""PRE002: each region is seen by enough networks from outside."""

from typing import Final

from anycastle.rollout.readiness.row import Asked, Row, answered, unknown

CODE: Final = "PRE002"
TITLE: Final = "Vantage points cover the target regions"

NETWORKS_MIN: Final = 5
"""Networks that must see a region: those of one network share its routes, and are one opinion."""


def coverage(asked: Asked) -> Row:
    """Count the networks that a region's PoPs answer."""
    if asked.heard_from is None:
        lacks = "no vantage point's results were given"
        return unknown(CODE, TITLE, lacks, "give --catchments FILE: `anycastle probe catchments ... -o ndjson`")
    regions: dict[str, set[int]] = {pop.region: set() for pop in asked.fleet.pops}
    for pop in asked.fleet.pops:
        regions[pop.region] |= asked.heard_from.get(pop.name, frozenset())
    told = {region: f"{region}: {len(networks)} networks" for region, networks in sorted(regions.items())}
    few = [region for region, networks in regions.items() if len(networks) < NETWORKS_MIN]
    good = [text for region, text in told.items() if region not in few]
    wrong = [f"{told[region]}, and {NETWORKS_MIN} are the fewest" for region in sorted(few)]
    return answered(CODE, TITLE, good, wrong, "place vantage points where those regions' users are")
