"""Archives as one stream: tables first, updates by time over all files; and the real ones."""

import gzip
import json
import os
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from anycastle.io.feeds.replay import Replay, collector_of
from anycastle.io.watch_replay import WatchReplay
from anycastle.model.asn import ASN
from anycastle.model.event import FindingCleared, FindingOpened
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact, RouteSeen, SeedEnd, TableSize
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds
from anycastle.wire.mrt.codec import encode_content
from anycastle.wire.mrt.table_dump import TableDumpRoute
from tests.unit.watch.scene import OURS, OWN, watched

REPOSITORY = Path(__file__).parents[4]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data"))
HERE, THERE = parse_address("203.0.113.1"), parse_address("203.0.113.2")


def route(*path: int) -> PathAttributes:
    return PathAttributes(Origin.IGP, ASPath.sequence(*path), IPv4Address("203.0.113.1"))


def update(seconds: float, *path: int) -> bytes:
    message = BGPMessage(SessionEnds(HERE, ASN(path[0]), THERE, ASN(12654)), Update((), route(*path), (NLRI(OURS),)))
    return encode_content(int(seconds * 1e6), message, microseconds=True)


def ris(seconds: float, *path: int) -> str:
    data = {"timestamp": seconds, "peer": "203.0.113.9", "peer_asn": str(path[0]), "host": "rrc09.ripe.net",
            "type": "UPDATE", "path": path, "announcements": [{"next_hop": "", "prefixes": [str(OURS)]}]}  # fmt: skip
    return json.dumps({"type": "ris_message", "data": data})


def replayed(*files: Path) -> tuple[list[Fact], Replay]:
    replay = Replay(WatchedTable([watched()]), [str(file) for file in files])
    return list(replay.facts()), replay


@pytest.mark.mission("I2", "C6")
def test_tables_come_first_and_updates_in_the_order_of_their_times(tmp_path: Path) -> None:
    table = encode_content(50_000_000, TableDumpRoute(OURS, HERE, ASN(3000), 10, route(3000, 64496, OWN)))
    (tmp_path / "rrc00.bview.gz").write_bytes(gzip.compress(table))
    (tmp_path / "rrc00.updates").write_bytes(update(40, 3000, 1) + update(60, 3000, 2) + update(80, 3000, 3))
    (tmp_path / "live.jsonl").write_text(f"{ris(70, 4000, 4)}\n\n{ris(90, 4000, 5)}", encoding="utf-8")
    facts, replay = replayed(tmp_path / "rrc00.updates", tmp_path / "live.jsonl", tmp_path / "rrc00.bview.gz")
    assert [type(fact) for fact in facts[:3]] == [RouteSeen, TableSize, SeedEnd]
    later = [(fact.at, fact.peer.collector, fact.path.origin) for fact in facts[3:] if isinstance(fact, RouteSeen)]
    assert later == [(60, "rrc00", 2), (70, "rrc09", 4), (80, "rrc00", 3), (90, "rrc09", 5)], (
        "the first is in the table"
    )
    assert replay.problems == []


def test_damage_and_garbage_are_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(update(60, 3000, 2) + update(80, 3000, 3)[:-5])
    (tmp_path / "odd.jsonl").write_text(f"{ris(70, 4000, 4)}\n{{nonsense\n", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    facts, replay = replayed(tmp_path / "cut", tmp_path / "odd.jsonl", tmp_path / "empty")
    assert len(facts) == 2
    assert [problem.partition(": ")[0].rpartition("/")[2] for problem in replay.problems] == [
        "empty",
        "cut",
        "odd.jsonl",
    ]


@pytest.mark.parametrize(
    ("name", "collector"),
    [
        ("/data/rrc12/2016.08/updates.20160811.1600.gz", "rrc12"),
        ("route-views.sydney/rib.bz2", "route-views.sydney"),
        ("route-views2/updates", "route-views2"),
        ("updates.20160811.1600.gz", "updates"),
        ("-", "-"),
    ],
)
def test_the_collector_is_in_the_path(name: str, collector: str) -> None:
    assert collector_of(name) == collector


@pytest.mark.mission("C6", "M4", "I2", "F2")
def test_a_real_table_through_the_engine() -> None:
    """Two prefixes of 2014 as if they were ours; of one, a second origin was in the table all along."""
    path = DATA / "mrt" / "rib.20140523.0600_firstMB.bz2"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    calm, torn = parse_prefix("1.8.1.0/24"), parse_prefix("1.2.4.0/24")
    ours = (WatchedPrefix(calm, frozenset({ASN(38345)})), WatchedPrefix(torn, frozenset({ASN(24151)})))
    engine = WatchEngine(Intent(ours, frozenset()))
    replay = Replay(engine.table, [str(path)])
    events = [event for fact in replay.facts() for event in engine.take(fact)]
    survey = engine.views.survey(calm, engine.now)
    assert survey.visibility.able > 25
    assert survey.visibility.share > 0.95
    assert {origin for _, state in survey.holders for origin in state.origins} == {38345}
    opened = [event.body for event in events if isinstance(event.body, FindingOpened)]
    assert [(each.finding_kind, each.subject, each.at_start) for each in opened] == [("origin_change", "AS24409", True)]
    assert len(replay.problems) == 1, "the file was cut on purpose"


def elsewhere(message: str) -> str:
    return message.replace(str(OURS), "203.0.113.0/24")


def test_it_ends_with_the_last_message_whomever_that_concerns(tmp_path: Path) -> None:
    (tmp_path / "live.jsonl").write_text(f"{ris(70, 4000, 4)}\n{elsewhere(ris(95, 4000, 4))}\n", encoding="utf-8")
    last = update(80, 3000, 3).replace(b"\xc0\x00\x02", b"\xcb\x00\x71")
    (tmp_path / "updates").write_bytes(update(40, 3000, 1) + last)
    assert replayed(tmp_path / "updates")[1].ended_at == 80.0
    assert replayed(tmp_path / "live.jsonl", tmp_path / "updates")[1].ended_at == 95.0


@pytest.mark.mission("C6", "F2")
def test_a_hijack_that_ended_is_cleared_though_nothing_more_is_told_of_the_prefix(tmp_path: Path) -> None:
    told = [ris(60, 4000, 666), ris(61, 4000, 64496, OWN), elsewhere(ris(600, 4000, 1))]
    (tmp_path / "live.jsonl").write_text("\n".join(told), encoding="utf-8")
    engine = WatchEngine(Intent((watched(),), frozenset({OWN}), thresholds=Thresholds(1, 1, 1)))
    events = list(WatchReplay(engine, Replay(engine.table, [str(tmp_path / "live.jsonl")])).events())
    (opened,) = (event.at for event in events if isinstance(event.body, FindingOpened))
    (cleared,) = (event.at for event in events if isinstance(event.body, FindingCleared))
    assert opened == 60.0
    assert 61.0 <= cleared <= 600.0
