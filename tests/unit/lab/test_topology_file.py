"""Topology files: the packaged ones, and every error of a bad one at its place."""

from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.lab.topology import Relation
from anycastle.lab.topology_file import find_topology, packaged, read_topology
from anycastle.lab.world import world

BAD = b"""\
name: bad
asn: 64500
pops:
  - {name: pop1, city: A, location: {latitude: 1, longitude: 2}}
  - {name: pop1, city: B, location: {latitude: 1, longitude: 200}}
clients:
  - {name: a-name-of-17-chars, asn: 65536, city: C, location: {latitude: 1, longitude: 2}, router: brid}
links:
  - {first: pop1, second: pop2, relation: customer}
  - {first: pop1, second: pop1, relation: friend}
services:
  - {name: dns, prefix: 192.0.2.0/24, address: 192.0.3.53, pops: [pop2], flor: {pops: 1}}
timers: {bfd: 100}
"""
TOO_LONG = "'a-name-of-17-chars' is longer than 15 characters, and interfaces are called after nodes"


def test_the_packaged_world_is_that_of_the_demo() -> None:
    assert find_topology("world") == world()


@pytest.mark.mission("C17")
def test_the_three_pops_are_linked_as_drawn() -> None:
    topology = find_topology("three-pops")
    assert packaged() == ("three-pops", "world")
    assert [node.name for node in topology.nodes] == ["pop1", "pop2", "pop3", "t1", "t2", "c1", "c2", "c3"]
    prepended = {(link.first, link.second) for link in topology.links if link.prepend}
    assert prepended == {("pop3", "t1"), ("pop3", "t2")}
    peers = {(link.first, link.second) for link in topology.links if link.relation is Relation.PEER}
    assert peers == {("t1", "t2"), ("pop3", "c3")}


def test_all_errors_come_at_once_each_with_its_place() -> None:
    result = read_topology("bad.yaml", BAD)
    assert result.topology is None
    text = "\n".join(str(finding) for finding in result.findings)
    for expected in (
        "bad.yaml:5:62: pops[1].location.longitude: 200 is outside -180 to 180",
        "bad.yaml:10:43: links[1].relation: 'friend' is not one of customer, peer, monitor",
        "bad.yaml:12:48: services[0].address: 192.0.3.53 is outside 192.0.2.0/24",
        "bad.yaml:12:74: services[0].flor: unknown key 'flor'; did you mean 'floor'?",
        "did you mean 'bird'?",
        "bad.yaml:13:15: timers.bfd: ",
    ):
        assert expected in text, text


def test_names_that_are_not_there_and_names_given_twice() -> None:
    text = (
        BAD.replace(b"longitude: 200", b"longitude: 20")
        .replace(b", flor: {pops: 1}", b"")
        .replace(b"192.0.3.53", b"192.0.2.53")
        .replace(b"bfd: 100", b"bfd: 100ms")
        .replace(b"brid", b"bird")
        .replace(b"friend", b"peer")
    )
    result = read_topology("bad.yaml", text)
    assert result.topology is None
    assert [str(finding).split(" [")[0] for finding in result.findings] == [
        "bad.yaml:5:12: pops[1].name: 'pop1' is given twice; another node of this name is at bad.yaml:4:12",
        f"bad.yaml:7:12: clients[0].name: {TOO_LONG}",
        "bad.yaml:9:27: links[0].second: there is no node 'pop2'; did you mean 'pop1'?",
        "bad.yaml:10:27: links[1].second: a node is not linked to itself",
        "bad.yaml:12:67: services[0].pops[0]: there is no PoP 'pop2'; did you mean 'pop1'?",
    ]


def test_a_topology_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="did you mean 'three-pops'"):
        find_topology("three-pop")
    with pytest.raises(MisuseError, match="No such file"):
        find_topology(str(tmp_path / "none.yaml"))
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(BAD)
    with pytest.raises(MisuseError, match=r"bad\.yaml:12:48: services"):
        find_topology(str(bad))
