"""A watch's log told to a controller's store: nothing is lost and nothing doubled, whatever ends between two writes.

Both sides are real: the log and its file, and the store. A telling is lost, comes twice, or its answer does; each side
is begun anew from its files wherever it could have been killed.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io import told_findings
from anycastle.io.event_log import EventLog
from anycastle.io.findings_lines import parse_telling
from anycastle.io.findings_outbox import HEARTBEAT_S, FindingsOutbox
from anycastle.io.store import open_store
from anycastle.io.told_findings import ToldFindings
from anycastle.io.watched import FoundLog
from anycastle.model.event import Alarm, Body, Event, FindingCleared, FindingOpened, FindingUpdated

OCTETS = 1500
"""Of a batch: a few rows."""


def opened(name: str, prefix: str = "192.0.2.0/24", peers: int = 2) -> FindingOpened:
    return FindingOpened(
        name, "origin_change", "critical", "AS64666", (prefix,), 90, ("only AS64500 may",), peers, peers, 1, "invalid",
        False, (f"{peers}.0 {prefix} rrc00 AS64601 path 64601 64666",),
    )  # fmt: skip


def updated(name: str, peers: int) -> FindingUpdated:
    body = opened(name, "198.51.100.0/24", peers)
    return FindingUpdated(**{field: getattr(body, field) for field in FindingUpdated.__slots__})


def cleared(name: str) -> FindingCleared:
    return FindingCleared(name, "origin_change", "critical", "AS64666", ("192.0.2.0/24",), ("gone",), 20.0)


class Rig:
    """A watch's folder and a controller's store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = 0.0
        self.at = 100.0
        self.runner = asyncio.Runner()
        self.restart_controller()
        self.restart_watch()

    def append(self, *bodies: Body) -> None:
        self.at += 1
        with EventLog(self.folder / "events.db") as log:
            log.append([Event(Timestamp(self.at), "watch", body) for body in bodies])

    def restart_watch(self) -> None:
        self.outbox = FindingsOutbox(self.folder / "events.db", self.folder / "told.json", "w1", lambda: self.clock)

    def restart_controller(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
        self.store = self.runner.run(open_store(f"sqlite:///{self.folder}/store.db"))
        self.term = self.runner.run(self.store.lead("c1"))
        self.told = ToldFindings(self.store)

    def post(self, octets: bytes, principal: str = "p") -> told_findings.Taken:
        telling = parse_telling(octets)
        assert telling.problems == []
        return self.runner.run(self.told.take(telling, principal, Timestamp(self.clock), self.term))

    def turn(self) -> bool:
        """Tell one batch, and take the answer; tell whether there was one."""
        batch = self.outbox.batch(OCTETS)
        if batch is None:
            return False
        self.outbox.take(batch, msgspec.json.encode(self.post(batch.octets).far))
        return True

    def all_told(self) -> None:
        for _ in range(200):
            try:
                if not self.turn():
                    return
            except WorldError:
                continue
        raise AssertionError("there is no end of it")

    def seen(self) -> list[dict[str, Any]]:
        return by_name(self.runner.run(self.told.findings()))

    def local(self) -> list[dict[str, Any]]:
        """Give what a controller on the watch's own machine reads of the log."""
        return by_name(FoundLog(self.folder / "events.db").read())


def by_name(found: Any) -> list[dict[str, Any]]:
    plain = msgspec.to_builtins(list(found))
    return sorted(({**each, "watch": ""} for each in plain), key=lambda each: (each["finding"], each["opened"]))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.runner.run(made.store.close())
    made.runner.close()


def test_what_is_told_is_what_the_log_says_and_other_events_are_passed_over(rig: Rig) -> None:
    rig.append(Alarm("x", "y", "z"), opened("f1"), opened("f2", "203.0.113.0/24"), Alarm("x", "y", "z"))
    rig.append(updated("f1", 5), cleared("f2"), *[Alarm("x", "y", "z")] * 3)
    rig.all_told()
    assert rig.seen() == rig.local()
    assert len(rig.seen()) == 2
    (watch,) = rig.runner.run(rig.told.watches()).values()
    assert (watch.name, watch.far.sequence) == ("w1", 9)
    (found,) = [each for each in rig.runner.run(rig.told.findings("w1")) if each.cleared is None]
    assert (found.watch, found.prefix, found.told["peers"]) == ("w1", "192.0.2.0/24", 5)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_lost_doubled_or_killed_nothing_is_lost_or_doubled(rig: Rig, seed: int) -> None:
    dice = random.Random(seed)
    names = [f"f{number}" for number in range(12)]
    last = b""
    for turn in range(30):
        place = dice.randrange(len(names))
        name = names[place]
        body = dice.choice([opened(name), updated(name, dice.randint(1, 9)), cleared(name), Alarm("x", "y", "z")])
        rig.append(body)
        if isinstance(body, FindingCleared):  # what comes then is another finding
            names[place] = f"g{turn}"
        batch = rig.outbox.batch(OCTETS)
        fate = dice.randrange(6)
        if batch is None or fate == 0:  # cut off
            continue
        answer = msgspec.json.encode(rig.post(batch.octets).far)
        if fate == 1:  # both are killed after the store has it, before the watch knows
            rig.restart_controller()
            rig.restart_watch()
            continue
        if fate == 2 and last:  # one of before comes late, again
            rig.post(last)
        last = batch.octets
        rig.outbox.take(batch, answer)
        if fate == 3:
            rig.restart_watch()
        if fate == 4:
            rig.restart_controller()
    rig.all_told()
    assert rig.seen() == rig.local()


def test_a_cursor_that_is_lost_costs_lines_and_no_finding(rig: Rig) -> None:
    rig.append(*[opened(f"f{number}") for number in range(9)])
    rig.all_told()
    (rig.folder / "told.json").write_text("{")
    rig.restart_watch()
    rig.all_told()
    assert rig.seen() == rig.local()


def test_a_log_begun_anew_takes_the_place_of_the_one_before(rig: Rig) -> None:
    rig.append(opened("old"), opened("older"))
    rig.all_told()
    for each in rig.folder.glob("events.db*"):
        each.unlink()
    rig.append(opened("new"))
    rig.all_told()
    assert [each["finding"] for each in rig.seen()] == ["new"]


def test_a_store_put_back_from_a_copy_is_told_again_from_there(rig: Rig) -> None:
    rig.append(opened("f1"))
    rig.all_told()
    copy = rig.runner.run(rig.store.documents())
    rig.append(cleared("f1"), opened("f2"))
    rig.all_told()
    later = rig.runner.run(rig.store.documents())
    rig.runner.run(rig.store.commit(rig.term, {**dict.fromkeys(later), **copy}, []))
    rig.restart_controller()
    rig.append(opened("f3"))
    with pytest.raises(WorldError, match="up to row 1 alone"):
        rig.turn()
    rig.all_told()
    assert rig.seen() == rig.local()


def test_a_watch_that_has_nothing_to_tell_says_that_it_lives(rig: Rig) -> None:
    assert rig.turn(), "also before its log has a first row"
    assert not rig.turn()
    rig.clock += HEARTBEAT_S
    assert rig.turn()
    assert rig.runner.run(rig.told.watches())["w1"].heard == rig.clock


def test_nobody_else_tells_in_a_watchs_name_and_a_forgotten_one_leaves_nothing(rig: Rig) -> None:
    rig.append(opened("f1"))
    rig.all_told()
    batch = FindingsOutbox(rig.folder / "events.db", rig.folder / "other.json", "w1").batch(OCTETS)
    assert batch is not None
    with pytest.raises(MisuseError, match="another principal"):
        rig.post(batch.octets, "somebody else")
    assert len(rig.seen()) == 1
    assert rig.runner.run(rig.told.forget("w1", rig.term))
    assert not rig.runner.run(rig.told.forget("w1", rig.term))
    assert (rig.seen(), rig.runner.run(rig.told.watches())) == ([], {})


def test_findings_are_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_findings, "OPEN_MAX", 3)
    monkeypatch.setattr(told_findings, "KEPT", 2)
    rig.append(*[opened(f"f{number}") for number in range(5)])
    rig.append(*[cleared(f"f{number}") for number in range(3)])
    rig.all_told()
    assert [each["finding"] for each in rig.seen()] == ["f1", "f2"]
    assert rig.runner.run(rig.told.watches())["w1"].beyond == 2


def test_what_is_wrong_is_named_by_its_line() -> None:
    good = {"sequence": 1, "at": 1.0, "kind": "finding_cleared", "body": msgspec.to_builtins(cleared("f"))}
    head = {"watch": "w1", "log": "0" * 32, "after": 0, "through": 2, "hash": "0" * 64}
    bad: list[Any] = [head, good, good, {**good, "kind": "alarm"}, {**good, "body": {}}, {**good, "at": -1.0}, 7]
    told = parse_telling(b"\n".join(map(msgspec.json.encode, bad)))
    assert [number for number, _ in told.problems] == [3, 4, 5, 6, 7]
    assert [number for number, _ in parse_telling(b"").problems] == [1]
    assert [number for number, _ in parse_telling(msgspec.json.encode({**head, "watch": "../w"})).problems] == [1]
