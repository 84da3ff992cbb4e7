"""The watch engine: RIS Live JSON through filter, views and detectors; a Peer Down; a hijack's way to its alert.

One process, one core, from octets to findings. The stream is made here, from a seed: prefixes of a table of 900,000
whose churn is heavy-tailed, as the Internet's is, two to three of them in a message; messages come 20,000 a second of
virtual time, at which the timers run. `--concerned` is the share of prefixes that are ours: a thousandth is what 1,000
watched prefixes make of a table of a million.
"""

import gc
import json
import platform
import random
import statistics
import time
from collections.abc import Sequence

import click
import msgspec

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.event import FindingOpened
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Peer, PeerDown, RouteSeen
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.ris_live import RISLiveReader
from anycastle.wire.bgp.as_path import ASPath

OWN, UPSTREAM = ASN(64500), ASN(64496)
START = 1_700_000_000.0
PER_SECOND = 20_000
PEERS = 300


def watched(count: int) -> tuple[WatchedPrefix, ...]:
    return tuple(
        WatchedPrefix(Prefix(Family.IPV4, (100 << 24) + (number << 8), 24), frozenset({OWN}), frozenset({UPSTREAM}))
        for number in range(count)
    )


def stream(messages: int, ours: Sequence[WatchedPrefix], concerned: float, seed: int) -> list[bytes]:
    """Give messages as RIS Live sends them: a third announce, the rest withdraw."""
    chance = random.Random(seed)
    made = []
    for number in range(messages):
        peer = chance.randrange(PEERS)
        announces = number % 3 == 0
        prefixes = [_prefix(chance, ours, concerned) for _ in range(chance.choice((1, 1, 2, 3, 6)))]
        path = [3000 + peer, *(chance.randrange(1, 60_000) for _ in range(3)), int(UPSTREAM), int(OWN)]
        data = {
            "timestamp": START + number / PER_SECOND,
            "peer": f"203.0.{peer // 256}.{peer % 256}",
            "peer_asn": str(3000 + peer),
            "id": f"203.0.{peer // 256}.{peer % 256}-{number:016x}",
            "host": f"rrc{peer % 20:02}.ripe.net",
            "type": "UPDATE",
        }
        if announces:
            data |= {
                "path": path,
                "community": [[3356, 2], [3356, 501], [3356, 2065]],
                "origin": "igp",
                "announcements": [{"next_hop": "203.0.113.1", "prefixes": prefixes}],
            }
        else:
            data |= {"withdrawals": prefixes}
        made.append(json.dumps({"type": "ris_message", "data": data}, separators=(",", ":")).encode())
    return made


def _prefix(chance: random.Random, ours: Sequence[WatchedPrefix], concerned: float) -> str:
    if chance.random() < concerned:
        return str(chance.choice(ours).prefix)
    rank = int(chance.paretovariate(0.6)) % 900_000
    return f"{1 + rank % 90}.{rank // 90 % 256}.{rank // 23_040 % 256}.0/24"


def run_stream(messages: list[bytes], ours: tuple[WatchedPrefix, ...]) -> tuple[float, RISLiveReader, int]:
    """Give seconds, the reader with its counts, and how many events came out."""
    engine = WatchEngine(Intent(ours, frozenset({OWN})))
    reader = RISLiveReader(engine.table)
    events = 0
    began = time.perf_counter()
    for octets in messages:
        for fact in reader.read(octets):
            events += len(engine.take(fact))
    return time.perf_counter() - began, reader, events


def decode_only(messages: list[bytes]) -> float:
    """Give the seconds that msgspec takes to read the same messages whole, typed by nothing: a floor for any reader."""
    decoder = msgspec.json.Decoder()
    began = time.perf_counter()
    for octets in messages:
        decoder.decode(octets)
    return time.perf_counter() - began


def peer_down(routes: int) -> float:
    """Give the seconds of a Peer Down of a peer with that many watched routes, and of an advance after it."""
    ours = tuple(
        WatchedPrefix(Prefix(Family.IPV4, (10 << 24) + (number << 8), 24), frozenset({OWN})) for number in range(256)
    )
    engine = WatchEngine(Intent(ours, frozenset({OWN})))
    peer, path = Peer("rrc00", ASN(3000), "203.0.113.1"), ASPath.sequence(3000, UPSTREAM, OWN)
    view = engine.views.view(peer)
    for number in range(routes):
        prefix = Prefix(Family.IPV4, (10 << 24) + number, 32)
        engine.views.put(RouteSeen(Timestamp(START), peer, prefix, path), view)
    began = time.perf_counter()
    engine.take(PeerDown(Timestamp(START + 1), peer))
    took = time.perf_counter() - began
    assert not any(view.holds(state) for state in view.routes.values())
    return took


def alert(ours: tuple[WatchedPrefix, ...], rounds: int) -> list[float]:
    """Give the seconds from the octets of the message that meets the threshold to the finding, among noise."""
    engine = WatchEngine(Intent(ours, frozenset({OWN})))
    reader = RISLiveReader(engine.table)
    took = []
    for number in range(rounds):
        for peer in range(2):
            data = {
                "timestamp": START + number, "peer": f"203.0.113.{peer}", "peer_asn": str(3000 + peer),
                "host": "rrc00.ripe.net", "type": "UPDATE", "path": [3000 + peer, 174, 10_000 + number],
                "announcements": [{"next_hop": "203.0.113.1", "prefixes": [str(ours[number].prefix)]}],
            }  # fmt: skip
            octets = json.dumps({"type": "ris_message", "data": data}).encode()
            began = time.perf_counter()
            events = [event for fact in reader.read(octets) for event in engine.take(fact)]
            seconds = time.perf_counter() - began
        assert any(isinstance(event.body, FindingOpened) for event in events)
        took.append(seconds)
    return took


@click.command()
@click.option("--messages", default=300_000, show_default=True)
@click.option("--prefixes", default=1_000, show_default=True, help="Watched prefixes.")
@click.option("--concerned", default=0.001, show_default=True, help="Share of prefixes in the stream that are ours.")
@click.option("--routes", default=1_000_000, show_default=True, help="Routes of the peer that goes down.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(messages: int, prefixes: int, concerned: float, routes: int, rounds: int, seed: int) -> None:
    """Watch: RIS Live JSON to findings, a Peer Down, and a hijack's way to its alert."""
    print(f"machine: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    ours = watched(prefixes)
    made = stream(messages, ours, concerned, seed)
    octets = sum(map(len, made)) / messages
    best = min((run_stream(made, ours) for _ in range(rounds)), key=lambda run: run[0])
    seconds, reader, events = best
    floor = min(decode_only(made) for _ in range(rounds))
    print(
        f"stream: {messages:,} messages of {octets:.0f} octets, {reader.concerned:,} on our {prefixes:,} prefixes; "
        f"{events} events, {reader.garbage} garbage"
    )
    print(f"  octets to findings  {messages / seconds:>12,.0f} messages/s   (bar: 200,000)")
    print(f"  decoding JSON alone {messages / floor:>12,.0f} messages/s   ratio {floor / seconds:.2f}")
    assert reader.messages == messages, "no message is lost"
    gc.collect()
    print(f"peer down with {routes:,} routes: {peer_down(routes) * 1000:.2f} ms   (bar: 1,000 ms)")
    times = alert(ours, min(prefixes, 200))
    median, worst = statistics.median(times) * 1000, max(times) * 1000
    print(
        f"hijack to alert, after the message at the threshold: {median:.2f} ms median, {worst:.2f} ms at worst", end=""
    )
    print("   (bar: 100 ms)")


if __name__ == "__main__":
    main()
