"""From the fleet to what is meant to be seen."""

from pathlib import Path

from anycastle.base.ports import Timestamp
from anycastle.io.config import load_fleet
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.watch.intent import intent_of
from tests.unit.io.config.folders import SMALL, write

OURS = parse_prefix("192.0.2.0/24")


def test_the_fleet_as_detectors_ask_it(tmp_path: Path) -> None:
    files = dict(SMALL)
    files["fleet.yaml"] += """\
watch:
  origins: [64501]
  neighbours: [64999]
  unannounced: [198.51.100.0/24]
  more_specifics: [{prefix: 192.0.2.0/24, longest: 32}]
  locked: [{asn: 64496, behind: [64497]}]
"""
    files["services/dns.yaml"] += """\
announcement:
  prepend: 1
  pops: {fra1: {upstreams: {transit-b: {announce: false}}}}
maintenance:
  - {start: 2026-01-01T00:00:00Z, end: 2026-01-01T01:00:00Z, pops: [fra1], reason: new switch}
"""
    fleet = load_fleet(write(tmp_path, files)).fleet
    assert fleet is not None
    intent = intent_of(fleet)
    by_prefix = {str(each.prefix): each for each in intent.prefixes}

    assert set(by_prefix) == {"192.0.2.0/24", "2001:db8:80::/48", "198.51.100.0/24"}
    dns = by_prefix["192.0.2.0/24"]
    assert dns.origins == {ASN(64500), ASN(64501)}
    assert dns.neighbours == {ASN(64496), ASN(64497), ASN(64999)}
    assert (dns.services, dns.pops) == (("dns",), ("fra1", "lon1", "nrt1"))
    assert len(dns.more_specifics) == 1
    assert [(told.pop, told.asn, told.prepend) for told in dns.told] == [
        ("fra1", 64496, 1), ("lon1", 64496, 1), ("lon1", 64497, 1), ("nrt1", 64496, 1), ("nrt1", 64497, 1),
    ]  # fmt: skip
    assert not by_prefix["198.51.100.0/24"].announced
    assert by_prefix["2001:db8:80::/48"].more_specifics == ()
    assert intent.locked == {ASN(64496): frozenset({ASN(64497)})}
    start = 1_767_225_600.0
    assert [window.reason for window in intent.planned(OURS, Timestamp(start))] == ["new switch"]
    assert intent.planned(OURS, Timestamp(start + 3600)) == ()
    assert intent.planned(parse_prefix("2001:db8:80::/48"), Timestamp(start)) == ()
