"""What BGPalerter expects of its own simulated stream, we find too, and say when it is over."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from anycastle.model.event import Event, FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.watch import Thresholds
from anycastle.watch.engine import WatchEngine
from anycastle.watch.intent import Intent
from anycastle.watch.ris_live import RISLiveReader
from tests.unit.watch.bgpalerter import expected_of, normal, updates_of, watched_prefixes

START = 1_700_000_000.0


class Stream:
    """The simulated connector: its messages each second, with what RIS would have said of the peer."""

    def __init__(self) -> None:
        self.engine = WatchEngine(Intent(tuple(watched_prefixes()), frozenset(), thresholds=Thresholds(1, 1, 1)))
        self.reader = RISLiveReader(self.engine.table)
        self.at = START
        self.events: list[Event] = []

    def say(self, data: dict[str, Any]) -> None:
        last = int(data["peer"].rpartition(".")[2])
        full = {"timestamp": self.at, "host": "rrc99", "peer_asn": str(200_000 + last), "type": "UPDATE"} | data
        for each in full.get("announcements", []):
            each["prefixes"] = [str(normal(text)) for text in each["prefixes"]]
        message = json.dumps({"type": "ris_message", "data": full}).encode()
        for fact in self.reader.read(message):
            self.events += self.engine.take(fact)

    def wait(self, seconds: float) -> None:
        self.at += seconds
        self.events += self.engine.advance(self.at)  # type: ignore[arg-type]

    def found(self) -> Iterator[tuple[str, str, str]]:
        """Give (kind, culprit, prefix) of all that was opened."""
        for event in self.events:
            if isinstance(event.body, FindingOpened | FindingUpdated):
                for prefix in event.body.prefixes:
                    yield event.body.finding_kind, event.body.subject, prefix

    def open(self, *, withdrawn: bool) -> set[str]:
        """Give what is still open; where all was withdrawn, our own prefixes are rightly lost."""
        opened = {event.body.finding for event in self.events if isinstance(event.body, FindingOpened)}
        left = opened - {event.body.finding for event in self.events if isinstance(event.body, FindingCleared)}
        return {each for each in left if not (withdrawn and each.startswith("visibility_loss/"))}


def play(case: str, seconds: int, *, next_peer: bool = False) -> Stream:
    """Play a case for some seconds; in `visibility` each second speaks from the next peer, as the connector does."""
    stream = Stream()
    for second in range(seconds):
        for update in updates_of(case):
            data = update["data"]
            if next_peer:
                data["peer"] = f"124.0.0.{int(data['peer'].rpartition('.')[2]) + second}"
            stream.say(data)
        stream.wait(1)
    return stream


def withdraw_all(stream: Stream, case: str) -> None:
    """Have every peer of a case take back what it announced."""
    for update in updates_of(case):
        for each in update["data"].get("announcements", []):
            prefixes = [str(normal(text)) for text in each["prefixes"]]
            stream.say({"peer": update["data"]["peer"], "withdrawals": prefixes})
    stream.wait(1600)


@pytest.mark.mission("F2", "C6", "I2")
def test_hijacks() -> None:
    stream = play("hijack", 3)
    # The ids are `origins-prefix`, the set's members among them; `4` is the stranger of {4, 15562}.
    ids = {
        "15562-4-165.254.255.0/25": ("sub_prefix", "AS4", "165.254.255.0/25"),
        "208585-2a00:5884:ffff::/48": ("sub_prefix", "AS208585", "2a00:5884:ffff::/48"),
        "15563-2a00:5884::/32": ("origin_change", "AS15563", "2a00:5884::/32"),
    }
    assert set(expected_of("hijack reporting")) == set(ids)
    hijacks = {each for each in stream.found() if each[0] in ("sub_prefix", "origin_change")}
    more = hijacks - set(ids.values())
    assert hijacks >= set(ids.values())
    assert more == {
        ("origin_change", "AS3333", "193.0.0.0/21"),  # BGPalerter keeps it back as RPKI calls it valid; we say so
        ("sub_prefix", "AS4321", "175.254.205.0/25"),  # it was told not to look here for hijacks
        ("sub_prefix", "AS4321", "170.254.205.0/25"),
    }
    withdraw_all(stream, "hijack")
    assert stream.open(withdrawn=True) == set()


@pytest.mark.mission("F2", "C6")
def test_new_more_specifics_of_ones_own() -> None:
    stream = play("newprefix", 3)
    expected = set(expected_of("newprefix reporting"))
    ours = {
        f"{culprit.removeprefix('AS')}-{prefix}" for kind, culprit, prefix in stream.found() if kind == "sub_prefix"
    }
    assert ours >= expected
    assert ours - expected == {"204092-2a0e:f40::/32"}, "a more-specific that BGPalerter was told to ignore"
    withdraw_all(stream, "newprefix")
    assert stream.open(withdrawn=True) == set()


@pytest.mark.mission("M4", "F5", "C6")
def test_lost_visibility() -> None:
    stream = play("visibility", 20, next_peer=True)
    expected = set(expected_of("visibility reporting"))
    lost = {prefix for kind, _, prefix in stream.found() if kind == "visibility_loss"}
    assert lost == expected
    origins = {str(each.prefix): min(each.origins) for each in stream.engine.table}
    for prefix in sorted(expected):
        for last in range(2, 22):
            announced = [{"next_hop": "124.0.0.1", "prefixes": [prefix]}]
            stream.say(
                {"peer": f"124.0.0.{last}", "path": [200_000 + last, origins[prefix]], "announcements": announced}
            )
    stream.wait(600)
    assert stream.open(withdrawn=False) == set()


@pytest.mark.mission("C6", "F8")
def test_paths() -> None:
    stream = play("path", 3)
    assert expected_of("path match reporting") == ["98.5.4.3/22-1", "99.5.4.3/22-0"]
    found = {(culprit, prefix) for kind, culprit, prefix in stream.found() if kind == "path_rule"}
    assert found == {("rule 2", "98.5.4.0/22"), ("rule 1", "99.5.4.0/22")}
    withdraw_all(stream, "path")
    assert stream.open(withdrawn=True) == set()
