import pytest

from anycastle.model.asn import ASN
from anycastle.model.watch import Region
from anycastle.watch.fact import Peer
from anycastle.watch.region import RegionMap


def of(regions: RegionMap, collector: str, asn: int) -> str | None:
    return regions.of(Peer(collector, ASN(asn), "192.0.2.1"))


@pytest.mark.mission("M4")
def test_an_as_counts_before_its_collector() -> None:
    regions = RegionMap((Region("asia", ("rrc23",), (ASN(64610),)), Region("europe", ("rrc01", "edge1"))))
    assert of(regions, "rrc23", 64601) == "asia"
    assert of(regions, "rrc01", 64610) == "asia"
    assert of(regions, "edge1", 64601) == "europe"
    assert of(regions, "rrc19", 64601) is None, "where regions are named, no others are guessed"


def test_without_regions_the_collectors_of_ris_have_theirs() -> None:
    assert of(RegionMap(), "rrc19", 64601) == "africa"
    assert of(RegionMap(), "rrc00", 64601) is None, "it peers with the whole world"
