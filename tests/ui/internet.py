"""Three networks that tell a real watch their routes by BGP, all on the loopback: they do right, or wrong if told."""

import asyncio
import subprocess
import sys
import threading
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from anycastle.rib.route import Route
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import State
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes

WATCH: Final = ASN(64999)
PEERS: Final = (ASN(64601), ASN(64602), ASN(64603))
UPSTREAM, OURS, ATTACKER, BELIEVER = 64496, 64500, 64666, 64620
PREFIXES: Final = ("192.0.2.0/24", "203.0.113.0/24", "198.51.100.0/24")
HIJACKED: Final = PREFIXES[0]
USUAL: Final = dict.fromkeys(PREFIXES, (UPSTREAM, OURS))
"""Prefix -> what stands behind a network's own ASN in its path."""
BEGIN_S: Final = 60.0


class Internet:
    """The networks, and the watch that hears them."""

    def __init__(self, net: str, port: int) -> None:
        self._net, self._port = net, port
        self._speakers: list[Speaker] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._speak()), name="internet")

    def address(self, place: int) -> IPv4Address:
        return IPv4Address(f"{self._net}{200 + place}")

    @property
    def watch_yaml(self) -> str:
        """What the fleet's file says of them."""
        rows = (f"    - {{neighbour: {self.address(place)}, asn: {asn}, local_asn: {WATCH}, families: [ipv4]}}\n"
                for place, asn in enumerate(PEERS, 1))  # fmt: skip
        return "watch:\n  thresholds: {peers: 2, asns: 2}\n  sessions:\n" + "".join(rows)

    def watch(self, folder: Path) -> "subprocess.Popen[bytes]":
        """Start the watch on the folder's fleet."""
        with (folder / "watch.log").open("ab") as log:
            return subprocess.Popen(
                (sys.executable, "-m", "anycastle.cli.main", "watch", "run", "--fleet", "fleet", "--ris-live", "none",
                 "--bgp", f"{self.address(0)}:{self._port}", "--state-dir", "watch-state", "--run-dir", "watch-run",
                 "--listen", "none"),
                cwd=folder, stdout=log, stderr=log,
            )  # fmt: skip

    def begin(self) -> None:
        self._thread.start()
        assert self._ready.wait(BEGIN_S)
        self.say(USUAL)

    def end(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(20)

    @property
    def established(self) -> bool:
        return all(speaker.status()[0].state is State.ESTABLISHED for speaker in self._speakers)

    def say(self, paths: dict[str, tuple[int, ...]], networks: int = len(PEERS)) -> None:
        """Have the first networks announce these prefixes with their own ASN before the path, and nothing else."""
        routes = [
            Route(parse_prefix(prefix), PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(*path)))
            for prefix, path in paths.items()
        ]
        for speaker in self._speakers[:networks]:
            self._loop.call_soon_threadsafe(speaker.originate, routes)

    async def _speak(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        there = self.address(0)
        for place, asn in enumerate(PEERS, 1):
            here = self.address(place)
            session = SessionConfig(asn, WATCH, here, "watch", connect_retry_s=0.5)
            policy = NeighbourPolicy("watch", WATCH, Relationship.CUSTOMER)
            neighbour = NeighbourConfig("watch", there, session, self._port, local_address=here, policy=policy)
            speaker = Speaker(SpeakerConfig((neighbour,), ((here, self._port),), NetworkPolicy(asn)))
            self._speakers.append(speaker)
            await speaker.start()
        self._ready.set()
        await self._over.wait()
        await asyncio.gather(*(speaker.stop("the test is over") for speaker in self._speakers))
