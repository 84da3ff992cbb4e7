"""The engine's clock, and that a replay gives what was seen live, byte for byte."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.event import Alarm, Event
from anycastle.model.prefix import Prefix
from anycastle.watch import engine as engine_module
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact, FeedGap, FeedSilence, OwnAction, OwnChange
from anycastle.watch.intent import Intent
from anycastle.watch.ris_live import RISLiveReader
from tests.unit.watch.scene import OURS, OWN, START, UPSTREAMS, Scene, peer, watched


def messages(seed: int) -> Iterator[bytes]:
    """Give a stormy hour: usual routes, hijacks, withdrawals, resets, each message in its time."""
    chance = random.Random(seed)
    at = START
    for _ in range(3000):
        at += chance.expovariate(1.0)
        who = peer(chance.randrange(30))
        data: dict[str, Any] = {"timestamp": round(at, 3), "peer": who.address, "peer_asn": str(who.asn),
                                "host": f"{who.collector}.ripe.net", "type": "UPDATE"}  # fmt: skip
        prefix = chance.choice(["192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/25", "192.0.0.0/16", "10.0.0.0/8"])
        match chance.randrange(10):
            case 0:
                data |= {"type": "RIS_PEER_STATE", "state": chance.choice(["down", "connected"])}
            case 1 | 2:
                data |= {"withdrawals": [prefix]}
            case kind:
                tail = [[174, 666], [UPSTREAMS[0], OWN], [UPSTREAMS[1], OWN], [777, OWN]][min(kind - 3, 3)]
                data |= {"path": [who.asn, 3356, *tail], "announcements": [{"next_hop": "", "prefixes": [prefix]}]}
        yield json.dumps({"type": "ris_message", "data": data}).encode()


def played(step: Callable[[WatchEngine, Fact], list[Event]], seed: int) -> bytes:
    engine = WatchEngine(Intent((watched(),), frozenset({OWN})))
    reader = RISLiveReader(engine.table)
    events = [event for octets in messages(seed) for fact in reader.read(octets) for event in step(engine, fact)]
    events += engine.advance(Timestamp(START + 20_000))
    return msgspec.json.encode([(event.at, type(event.body).__name__, event.body) for event in events])


@pytest.mark.mission("C6", "F2")
@pytest.mark.parametrize("seed", range(3))
def test_replay_equals_live_byte_for_byte(seed: int) -> None:
    def replay(engine: WatchEngine, fact: Fact) -> list[Event]:
        return engine.take(fact)

    chance = random.Random(1000 + seed)

    def live(engine: WatchEngine, fact: Fact) -> list[Event]:
        """Wake the engine in between, at moments that have nothing to do with its facts."""
        before = max(engine.now, START)
        events: list[Event] = []
        for _ in range(chance.randrange(3)):
            before = before + (max(before, fact.at) - before) * chance.random()
            events += engine.advance(Timestamp(before))
        return events + engine.take(fact)

    assert len(json.loads(played(replay, seed))) > 20
    assert played(replay, seed) == played(live, seed)


def test_a_timer_runs_at_its_own_time_however_late_the_engine_is_woken() -> None:
    scene = Scene()
    scene.see([1, 2], 666)
    scene.lose([1, 2])
    scene.wait(86_400)
    times = [event.at for event in scene.events if event.body in scene.cleared("origin_change")]
    assert times == [START + 60]
    assert scene.engine.deadline is None, "nothing goes on any more"


def test_a_fact_that_comes_late_is_taken_as_of_now_and_counted() -> None:
    scene = Scene()
    scene.see([1], 666)
    scene.at -= 100
    (event,) = scene.see([2], 666)
    assert (event.at, scene.engine.late) == (START, 1)


@pytest.mark.mission("I2")
def test_feeds_own_health_is_told() -> None:
    scene = Scene()
    scene.take(FeedGap(scene.now(), "ris-live", 12.4, "reset by peer"))
    scene.take(FeedSilence(scene.now(), "ris-live", None, 61.0, silent=True))
    scene.take(FeedSilence(scene.now(), "ris-live", peer(1), 99.0, silent=False))
    assert [event.body for event in scene.events] == [
        Alarm("feed_gap", "ris-live", "cut off for 12 s: what happened meanwhile is not known. reset by peer"),
        Alarm("feed_silent", "ris-live", "silent for 61 s"),
        Alarm("feed_speaks", "ris-live: rrc00 AS1001 203.0.113.1", "speaks again after 99 s"),
    ]


def test_what_is_wrong_in_the_tables_was_so_at_the_start_and_what_comes_later_was_not() -> None:
    scene = Scene()
    scene.see([1, 2], 666, seeded=True)
    scene.seed(10)
    scene.wait(10)
    scene.see([1, 2], 777)
    assert [(each.subject, each.at_start) for each in scene.opened("origin_change")] == [
        ("AS666", True),
        ("AS777", False),
    ]


def test_what_concerns_nobody_costs_no_memory() -> None:
    scene = Scene()
    other = Prefix(OURS.family, 10 << 24, 8)
    scene.see([1], 666, prefix=other)
    scene.lose([1], prefix=other)
    scene.take(OwnChange(scene.now(), other, OwnAction.WITHDRAW, "fra1"))
    assert scene.engine.views.peers == {}


def test_a_flood_of_more_specifics_is_bounded_told_once_and_room_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "RELATED_MAX", 10)
    scene = Scene()
    within = [Prefix(OURS.family, OURS.network + number, 32) for number in range(30)]
    for prefix in within[:20]:
        scene.see([1, 2], 666, prefix=prefix)
    scene.see([1, 2], 666)
    assert scene.engine.refused == 20
    assert [event.body.code for event in scene.events if isinstance(event.body, Alarm)] == ["routes_refused"]
    assert len(scene.opened("origin_change")) == 1, "a watched prefix always has room"
    for prefix in within[:10]:
        scene.lose([1, 2], prefix=prefix)
    scene.wait(61)
    scene.see([1, 2], 666, prefix=within[29])
    assert scene.engine.refused == 20
