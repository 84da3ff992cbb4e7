"""Hijacks among the Internet's noise: all of them found, at once, and without RPKI too. Time is virtual."""

import json
from collections.abc import Iterator

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.event import Event, FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.engine import WatchEngine
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.ris_live import RISLiveReader

OWN = ASN(64500)
START = 1_700_000_000
PER_SECOND = 20_000
SECONDS = 5
HIJACKS = 100
WATCHED = tuple(
    WatchedPrefix(Prefix(Family.IPV4, (100 << 24) + (number << 8), 24), frozenset({OWN}), frozenset({ASN(64496)}))
    for number in range(1000)
)


def message(at: float, number: int, path: list[int], prefix: str) -> bytes:
    data = {
        "timestamp": at,
        "peer": f"203.0.113.{number}",
        "peer_asn": str(3000 + number),
        "host": f"rrc{number % 20:02}.ripe.net",
        "type": "UPDATE",
        "path": [3000 + number, *path],
        "announcements": [{"next_hop": "203.0.113.1", "prefixes": [prefix]}],
    }
    return json.dumps({"type": "ris_message", "data": data}).encode()


def stream(*, one_attacker: bool) -> Iterator[bytes]:
    """Give 20,000 messages a second; every thousandth is part of a hijack, two peers for each."""
    every = PER_SECOND * SECONDS // HIJACKS
    for number in range(PER_SECOND * SECONDS):
        at = START + number / PER_SECOND
        hijack, place = divmod(number, every)
        if place in (100, 200):
            attacker = 666 if one_attacker else 10_000 + hijack
            yield message(at, place // 100, [174, attacker], str(WATCHED[hijack * 7].prefix))
        else:
            noise = f"{20 + number % 70}.{number // 70 % 256}.{number % 251}.0/24"
            yield message(at, number % 200, [174, 3356, 13335], noise)


def run(messages: Iterator[bytes]) -> list[Event]:
    engine = WatchEngine(Intent(WATCHED, frozenset({OWN})))
    reader = RISLiveReader(engine.table)
    events = [event for octets in messages for fact in reader.read(octets) for event in engine.take(fact)]
    assert (reader.messages, reader.garbage) == (PER_SECOND * SECONDS, 0)
    return events + engine.advance(Timestamp(START + 60.0))


@pytest.mark.mission("F2", "C6", "I8")
def test_a_hundred_hijacks_among_twenty_thousand_messages_a_second() -> None:
    events = run(stream(one_attacker=False))
    opened = [event for event in events if isinstance(event.body, FindingOpened)]
    assert {event.body.prefixes[0] for event in opened} == {str(WATCHED[n * 7].prefix) for n in range(HIJACKS)}
    assert len(opened) == HIJACKS
    assert {event.body.validity for event in opened} == {"unknown"}, "no VRPs, and told all the same"
    every = PER_SECOND * SECONDS // HIJACKS
    assert [event.at for event in opened] == [START + (n * every + 200) / PER_SECOND for n in range(HIJACKS)]


@pytest.mark.mission("F2")
def test_one_attacker_with_a_hundred_prefixes_is_one_finding_that_names_them_all() -> None:
    bodies = [event.body for event in run(stream(one_attacker=True))]
    assert sum(isinstance(body, FindingOpened) for body in bodies) == 1
    assert not any(isinstance(body, FindingCleared) for body in bodies)
    last = [body for body in bodies if isinstance(body, FindingUpdated)][-1]
    assert set(last.prefixes) == {str(WATCHED[n * 7].prefix) for n in range(HIJACKS)}
