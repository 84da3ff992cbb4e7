"""Addresses of the namespaces backend, and the policies that its routers are told."""

from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.config import load_fleet
from anycastle.io.config.write import write_fleet
from anycastle.lab.bird_node import network_config, pop_config
from anycastle.lab.faults import wrong_checks
from anycastle.lab.fleet import fleet_of
from anycastle.lab.topology import Link, Relation
from anycastle.lab.topology_file import find_topology
from anycastle.lab.wiring import NamespacesWiring
from anycastle.model.prefix import parse_address, parse_prefix

RUN_DIR = Path("/run/anycastle-lab/x")


@pytest.mark.parametrize("name", ["three-pops", "world"])
def test_the_fleet_of_every_pop_is_one_fleet_that_can_be_written(name: str, tmp_path: Path) -> None:
    topology = find_topology(name)
    wiring = NamespacesWiring(topology, RUN_DIR)
    fleets = [fleet_of(topology, wiring, pop) for pop in topology.services[0].pops]
    assert all(fleet == fleets[0] for fleet in fleets)
    write_fleet(fleets[0], tmp_path)
    by_name = sorted(fleets[0].pops, key=lambda pop: pop.name)  # as a folder's files are read
    assert load_fleet(tmp_path).fleet == replace(fleets[0], pops=tuple(by_name))


def test_the_two_ends_of_a_link_share_a_network_and_no_other_link_has_it() -> None:
    topology = find_topology("world")
    wiring = NamespacesWiring(topology, RUN_DIR)
    ends = [(wiring.interface(link, link.first), wiring.interface(link, link.second)) for link in topology.links]
    assert all(first.network == second.network and first != second for first, second in ends)
    assert len({first.network for first, _ in ends}) == len(topology.links)


def test_a_client_without_networks_gets_one_of_its_own() -> None:
    topology = find_topology("world")
    wiring = NamespacesWiring(topology, RUN_DIR)
    addresses = {str(wiring.client_address(node)) for node in topology.nodes if node.name in ("berlin", "bogota")}
    assert len(addresses) == 2
    three = find_topology("three-pops")
    assert str(NamespacesWiring(three, RUN_DIR).client_address(three.node("c1"))) == "10.101.0.1"


def test_what_cannot_be_built_is_refused() -> None:
    topology = find_topology("three-pops")
    twice = (*topology.links, Link("t1", "pop1", Relation.PEER))
    with pytest.raises(MisuseError, match="same two nodes"):
        NamespacesWiring(replace(topology, links=twice), RUN_DIR)
    service = replace(topology.services[0], prefix=parse_prefix("2001:db8::/48"), address=parse_address("2001:db8::53"))
    with pytest.raises(MisuseError, match="IPv4 only"):
        NamespacesWiring(replace(topology, services=(service,)), RUN_DIR)


def test_a_transit_prefers_customers_and_tells_its_peer_of_customers_only() -> None:
    topology = find_topology("three-pops")
    text = network_config(topology, NamespacesWiring(topology, RUN_DIR), topology.node("t1"))
    sessions = {block.split(" ", 1)[0]: block for block in text.split("protocol bgp ")[1:]}
    assert "bgp_local_pref = 200" in sessions["bgp_pop1"]
    assert "bgp_local_pref = 100" in sessions["bgp_t2"]
    only_customers = "if source = RTS_BGP && !((64496, 1, 1) ~ bgp_large_community) then reject"
    assert only_customers in sessions["bgp_t2"]
    assert only_customers not in sessions["bgp_c1"]


def test_a_collector_is_told_all_and_says_nothing() -> None:
    topology = find_topology("world")
    wiring = NamespacesWiring(topology, RUN_DIR)
    text = network_config(topology, wiring, topology.node("transit-west"))
    session = text.split("protocol bgp bgp_collector ")[1]
    assert "import none" in session
    assert "local role" not in session.split("protocol bgp")[0]


def test_a_pop_has_the_snippet_and_exports_by_its_functions() -> None:
    topology = find_topology("three-pops")
    wiring = NamespacesWiring(topology, RUN_DIR)
    fleet = fleet_of(topology, wiring, "pop3")
    text = pop_config(topology, wiring, topology.node("pop3"), fleet.pop("pop3"), RUN_DIR / "announcements.conf")
    for upstream in ("t1", "t2", "c3"):
        assert f"export where anycastle_export_{upstream}()" in text


def test_wrong_checks_fail_and_are_a_fleet_all_the_same(tmp_path: Path) -> None:
    topology = find_topology("three-pops")
    fleet = wrong_checks(fleet_of(topology, NamespacesWiring(topology, RUN_DIR), "pop1"))
    write_fleet(fleet, tmp_path)
    assert load_fleet(tmp_path).fleet == fleet
    assert fleet.services[0].checks[0].target.identity == "nobody"  # type: ignore[union-attr]
