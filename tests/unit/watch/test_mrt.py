"""MRT records as facts: tables with their sizes, updates, state changes."""

from ipaddress import IPv4Address

import pytest

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix, parse_address, parse_prefix
from anycastle.watch.fact import PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.mrt import MRTReader
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds, StateChange
from anycastle.wire.mrt.codec import Content, Record
from anycastle.wire.mrt.record import Damaged, Unknown
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, PeerEntry, PeerIndexTable, RIBEntry
from tests.unit.watch.scene import OURS, OWN, watched

HERE, THERE = parse_address("203.0.113.1"), parse_address("203.0.113.2")
OTHER = parse_prefix("198.51.100.0/24")
ROUTE = PathAttributes(Origin.IGP, ASPath.sequence(3000, 64496, OWN), IPv4Address("203.0.113.1"))
SESSION = SessionEnds(HERE, ASN(3000), THERE, ASN(12654))


def reader() -> MRTReader:
    return MRTReader(WatchedTable([watched()]), "rrc00")


def record(value: Content | Damaged | Unknown, seconds: float = 100.0) -> Record:
    return Record(0, int(seconds * 1_000_000), value)


def rib(prefix: Prefix, *peers: int) -> RIB:
    return RIB(0, 1, 1, prefix, tuple(RIBEntry(peer, 40, ROUTE) for peer in peers))


@pytest.mark.mission("I2", "M4")
def test_a_table_gives_its_routes_since_when_they_were_there_and_its_size() -> None:
    mrt = reader()
    entries = tuple(PeerEntry(IPv4Address(number), HERE, ASN(3000 + number)) for number in range(2))
    assert mrt.read(record(PeerIndexTable(IPv4Address(1), "", entries))) == []
    (one, two) = mrt.read(record(rib(OURS, 0, 1, 7)))
    assert isinstance(one, RouteSeen)
    assert (one.seeded, one.since, one.at, one.peer.asn, two.peer.asn) == (True, 40.0, 100.0, 3000, 3001)  # type: ignore[union-attr]
    assert mrt.read(record(rib(OTHER, 1))) == []
    sizes = {fact.peer.asn: fact.routes for fact in mrt.finish() if isinstance(fact, TableSize)}
    assert sizes == {3000: 1, 3001: 2}


@pytest.mark.mission("I2")
def test_an_old_table_and_updates_and_states() -> None:
    mrt = reader()
    (seeded,) = mrt.read(record(TableDumpRoute(OURS, HERE, ASN(3000), 40, ROUTE)))
    assert isinstance(seeded, RouteSeen)
    both = Update((NLRI(OTHER), NLRI(OURS)), ROUTE, (NLRI(OTHER), NLRI(OURS)))
    gone, seen = mrt.read(record(BGPMessage(SESSION, both)))
    assert (type(gone), type(seen)) == (RouteGone, RouteSeen)
    assert gone.peer == seeded.peer  # type: ignore[union-attr]
    assert mrt.read(record(BGPMessage(SESSION, both, sent=True))) == []
    (down,) = mrt.read(record(StateChange(SESSION, 6, 1)))
    (up,) = mrt.read(record(StateChange(SESSION, 5, 6)))
    assert (type(down), type(up)) == (PeerDown, PeerUp)
    assert mrt.read(record(StateChange(SESSION, 1, 3))) == []


def test_damage_and_the_unknown_are_counted() -> None:
    mrt = reader()
    assert mrt.read(record(Damaged("cut", 12))) == []
    assert mrt.read(record(Unknown(99, 1))) == []
    assert (mrt.records, len(mrt.damaged), mrt.unknown) == (2, 1, 1)
