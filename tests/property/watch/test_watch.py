"""The filter equals asking one by one; whatever comes, nothing undeclared is raised and no finding is told twice."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import parse_community
from anycastle.model.event import Event, FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.prefix import Family, Prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.convergence import percentile
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import (
    Fact,
    FeedGap,
    OwnAction,
    OwnChange,
    OwnDrain,
    Peer,
    PeerDown,
    PeerUp,
    RouteGone,
    RouteSeen,
    SeedEnd,
    TableSize,
)
from anycastle.watch.intent import Intent, Told, WatchedPrefix
from anycastle.watch.ris_live import RISLiveReader
from anycastle.watch.table import Concern, WatchedTable
from anycastle.wire.bgp.as_path import ASPath

OWN = ASN(64500)
NETWORK = 192 << 24 | 2 << 8
OURS = Prefix(Family.IPV4, NETWORK, 24)


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    """Give prefixes that are close to one another, so that they often contain one another."""
    family = draw(st.sampled_from(Family))
    length = draw(st.integers(0, 12))
    return Prefix(family, draw(st.integers(0, 2**12 - 1)) >> (12 - length) << (family.bits - length), length)


@given(st.sets(prefixes(), max_size=40), st.lists(prefixes(), max_size=40))
def test_the_table_equals_asking_one_by_one(watched: set[Prefix], asked: list[Prefix]) -> None:
    table = WatchedTable([WatchedPrefix(prefix, frozenset({OWN})) for prefix in watched])
    for prefix in asked:
        containing = sorted((each for each in watched if each.contains(prefix)), key=lambda each: -each.length)
        within = [each for each in sorted(watched) if prefix.contains(each) and each != prefix and prefix.length]
        assert [each.prefix for each in table.containing(prefix)] == containing
        assert [each.prefix for each in table.within(prefix)] == within
        found = table.concern(prefix)
        expected = containing[0] if containing else within[0] if within else None
        assert (found and found.watched.prefix) == expected
        if found is not None:
            assert (found.concern is Concern.COVERING) == (not containing)
        assert table.concern_of_text(str(prefix)) == found == table.concern_of_text(str(prefix))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
DATA = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": st.floats(0, 1e10) | JSON,
        "peer": st.sampled_from(["203.0.113.1", "203.0.113.2"]) | JSON,
        "peer_asn": st.integers(0, 2**33).map(str) | JSON,
        "host": st.just("rrc00") | JSON,
        "type": st.sampled_from(["UPDATE", "RIS_PEER_STATE", "KEEPALIVE"]) | JSON,
        "state": st.sampled_from(["connected", "down"]) | JSON,
        "path": st.lists(st.integers(-1, 2**32) | st.lists(st.integers(0, 2**32), max_size=3), max_size=5) | JSON,
        "community": st.lists(st.lists(st.integers(-1, 2**33), max_size=3), max_size=3) | JSON,
        "raw": st.binary(max_size=40).map(bytes.hex) | JSON,
        "announcements": st.just([{"prefixes": ["192.0.2.0/24", "192.0.2.0/25"]}]) | JSON,
        "withdrawals": st.lists(st.sampled_from(["192.0.2.0/24", "x", "::/0"]), max_size=3) | JSON,
    },
)


def reader_and_engine() -> tuple[RISLiveReader, WatchEngine]:
    engine = WatchEngine(Intent((WatchedPrefix(OURS, frozenset({OWN})),), frozenset({OWN})))
    return RISLiveReader(engine.table), engine


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_counted(octets: bytes) -> None:
    reader, _ = reader_and_engine()
    assert reader.read(octets) == []
    assert reader.speaker is None or isinstance(reader.speaker, Peer)


@settings(max_examples=200)
@given(st.lists(DATA, max_size=8))
def test_any_message_is_read_or_counted_and_its_facts_are_taken(messages: list[dict[str, Any]]) -> None:
    reader, engine = reader_and_engine()
    for data in messages:
        for fact in reader.read(msgspec.json.encode({"type": "ris_message", "data": data})):
            engine.take(fact)
    assert reader.messages == len(messages)


def peer(number: int) -> Peer:
    return Peer(f"rrc{number % 3:02}", ASN(OWN if number == 9 else 1000 + number // 2), f"203.0.113.{number}")


PEERS = st.integers(0, 9).map(peer)
NEAR = st.sampled_from([OURS, OURS, Prefix(Family.IPV4, NETWORK, 25), Prefix(Family.IPV4, NETWORK, 16 + 7)])
PATHS = st.lists(st.sampled_from([174, 666, 3356, 64496, 64500, 65010]), max_size=5)
MARKS = st.frozensets(st.sampled_from([parse_community("64496:1"), parse_community("no-export")]), max_size=2)
STEPS = st.tuples(
    st.sampled_from([0.0, 0.5, 5.0, 59.0, 61.0, 400.0, 1000.0, -30.0]),
    st.one_of(
        st.builds(lambda p, n, path, marks: ("seen", p, n, path, marks), PEERS, NEAR, PATHS, MARKS),
        st.tuples(st.just("gone"), PEERS, NEAR),
        st.tuples(st.sampled_from(["up", "down", "size", "seed", "gap", "drain", "undrain"]), PEERS),
        st.tuples(st.just("own"), st.sampled_from(OwnAction)),
    ),
)


def fact_of(at: Timestamp, step: tuple[Any, ...]) -> Fact:
    match step:
        case ("seen", who, prefix, path, marks):
            return RouteSeen(at, who, prefix, ASPath.sequence(who.asn, *path), marks)
        case ("gone", who, prefix):
            return RouteGone(at, who, prefix)
        case ("up", who):
            return PeerUp(at, who)
        case ("down", who):
            return PeerDown(at, who)
        case ("size", who):
            return TableSize(at, who, Family.IPV4, 1000 * (1 + int(who.asn) % 2))
        case ("own", action):
            return OwnChange(at, OURS, action, "fra1", "transit-a")
        case ("drain" | "undrain" as what, _):
            return OwnDrain(at, "fra1", (OURS,), what == "drain", "because")
        case ("gap", _):
            return FeedGap(at, "ris-live", 1.0)
        case _:
            return SeedEnd(at)


def intent() -> Intent:
    told = (Told("fra1", "transit-a", ASN(64496), 1, frozenset({parse_community("no-export")})),)
    ours = WatchedPrefix(OURS, frozenset({OWN}), frozenset({ASN(64496)}), told=told, pops=("fra1",), services=("dns",))
    return Intent((ours,), frozenset({OWN}), {ASN(3356): frozenset({ASN(174)})}, Thresholds(2, 2, 1))


def check_lives(events: list[Event]) -> set[str]:
    """Give the findings that are open; each opens once, is updated only while open, and clears once."""
    opened: set[str] = set()
    over: set[str] = set()
    for event in events:
        match event.body:
            case FindingOpened(finding=name):
                assert name not in opened | over
                opened.add(name)
            case FindingUpdated(finding=name):
                assert name in opened
            case FindingCleared(finding=name):
                assert name in opened
                opened.remove(name)
                over.add(name)
            case _:
                pass
    return opened


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=60), st.lists(st.floats(0, 1), max_size=60))
def test_lives_of_findings_and_that_waking_in_between_changes_nothing(
    steps: list[tuple[float, tuple[Any, ...]]], wakes: list[float]
) -> None:
    plain, woken = WatchEngine(intent()), WatchEngine(intent())
    events: list[Event] = []
    others: list[Event] = []
    at = 1_700_000_000.0
    for number, (passed, step) in enumerate(steps):
        if number < len(wakes) and passed > 0:
            others += woken.advance(Timestamp(at + passed * wakes[number]))
        at += passed
        fact = fact_of(Timestamp(at), step)
        events += plain.take(fact)
        others += woken.take(fact)
        assert plain.views.collectors == {
            name: sum(view.up and not view.own and each.collector == name for each, view in plain.views.peers.items())
            for name in plain.views.collectors
        }
    assert msgspec.json.encode([event.body for event in events]) == msgspec.json.encode([e.body for e in others])
    open_now = check_lives(events)
    assert len(open_now) == len(list(plain.book.open_findings()))
    check_lives(events + plain.advance(Timestamp(at + 1e6)))
    assert plain.deadline is None or open_now


@given(st.lists(st.floats(0, 900), max_size=30), st.sampled_from([0.5, 0.9, 0.95]))
def test_without_censoring_a_percentile_is_the_usual_one(times: list[float], share: float) -> None:
    found = percentile(times, (), share)
    if not times:
        assert found is None
        return
    below = sum(time <= found + 1e-5 for time in times)
    assert below >= share * len(times) - 1e-6
    assert sum(time < found - 1e-5 for time in times) < share * len(times) + 1e-6
