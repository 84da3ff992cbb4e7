"""What the labs of the watch share: three networks that do right and wrong, and the daemon that is to notice."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from anycastle.base.errors import WorldError
from anycastle.io.event_log import EventLog, StoredEvent
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
from tests.lab.namespaces import Namespace, end

WAIT_S = 30.0

COLLECTOR = ASN(64700)
PEERS = {ASN(64601): "10.99.0.11", ASN(64602): "10.99.0.12", ASN(64603): "10.99.0.13"}
ATTACKER, UPSTREAM, LOCKED, OURS = ASN(64666), ASN(64496), ASN(64497), ASN(64500)
DNS, WEB, PART = "192.0.2.0/24", "198.51.100.0/24", "192.0.2.128/25"
USUAL = {DNS: (UPSTREAM, OURS), WEB: (LOCKED, OURS)}


class Internet:
    """The three networks, as speakers in one namespace; each says what the test lets it say."""

    def __init__(self, where: Namespace) -> None:
        self._where = where
        self._speakers: list[Speaker] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live, name="internet")

    @contextmanager
    def running(self) -> Iterator["Internet"]:
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def say(self, paths: dict[str, tuple[int, ...]], networks: int = len(PEERS)) -> None:
        """Have the first networks announce these prefixes with their own ASN before the path, and nothing else."""
        routes = [
            Route(parse_prefix(prefix), PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(*path)))
            for prefix, path in paths.items()
        ]
        for speaker in self._speakers[:networks]:
            self._loop.call_soon_threadsafe(speaker.originate, routes)

    @property
    def established(self) -> bool:
        return all(speaker.status()[0].state is State.ESTABLISHED for speaker in self._speakers)

    def _live(self) -> None:
        self._where.call(lambda: asyncio.run(self._speak()))

    async def _speak(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        for asn, address in PEERS.items():
            session = SessionConfig(asn, COLLECTOR, IPv4Address(address), "collector", connect_retry_s=0.3)
            policy = NeighbourPolicy("collector", COLLECTOR, Relationship.CUSTOMER)
            here, there = IPv4Address(address), IPv4Address("10.99.0.2")
            neighbour = NeighbourConfig("collector", there, session, local_address=here, policy=policy)
            speaker = Speaker(SpeakerConfig((neighbour,), ((here, 179),), NetworkPolicy(asn)))
            self._speakers.append(speaker)
            await speaker.start()
        self._ready.set()
        await self._over.wait()
        await asyncio.gather(*(speaker.stop("the lab is over") for speaker in self._speakers))


def write_fleet(folder: Path, more: str = "") -> Path:
    """The fleet; `more` joins its `watch`."""
    fleet = folder / "fleet"
    for name, text in {
        "fleet.yaml": "name: lab\nasn: 64500\nregions: [here]\nwatch:\n  locked:\n"
        + "".join(f"    - asn: {asn}\n" for asn in (LOCKED, *PEERS))
        + more,
        "pops/one.yaml": "name: one\ncity: One\nlocation: {latitude: 0, longitude: 0}\nregion: here\n"
        "router: {driver: embedded, router_id: 10.0.0.1}\nupstreams:\n"
        "  - {name: a, kind: transit, asn: 64496, bfd: false, neighbours: [{address: 10.0.1.1}]}\n"
        "  - {name: b, kind: transit, asn: 64497, bfd: false, neighbours: [{address: 10.0.1.2}]}\n",
        "services/dns.yaml": service("dns", DNS),
        "services/web.yaml": service("web", WEB),
    }.items():
        path = fleet / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return fleet


def service(name: str, prefix: str) -> str:
    address = prefix.replace(".0/24", ".1")
    check = f"checks: [{{name: tcp, tcp: {{address: {address}, port: 53}}}}]"
    return f"name: {name}\nprefixes: [{prefix}]\naddresses: [{address}]\npops: [one]\nfloor: {{pops: 1}}\n{check}\n"


class Watch:
    """`anycastle watch run`, and what its log says."""

    def __init__(self, where: Namespace, folder: Path, stack: ExitStack, *options: str, more: str = "") -> None:
        self._state = folder / "state"
        self._log = folder / "watch.log"
        fleet = write_fleet(folder, more)
        self.process = where.spawn(
            sys.executable, "-m", "anycastle.cli.main", "watch", "run", "--fleet", str(fleet), "--ris-live", "none",
            *options, "--state-dir", str(self._state), "--run-dir", str(folder / "run"),
            "--listen", "none", log=self._log,
        )  # fmt: skip
        stack.callback(end, self.process)

    def events(self, kind: str) -> list[StoredEvent]:
        if not (self._state / "events.db").exists():
            return []
        try:
            with EventLog(self._state / "events.db", read_only=True) as log:
                return list(log.read(kind=kind))
        except WorldError as error:
            if "still being made" not in str(error):
                raise
            return []

    def said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def findings(self, kind: str) -> set[tuple[str, str]]:
        return {
            (each.fields["finding_kind"], prefix) for each in self.events(kind) for prefix in each.fields["prefixes"]
        }


def until(condition: Callable[[], object], what: Callable[[], str], seconds: float = WAIT_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


def wait_for_peers(where: Namespace, folder: Path, *asns: int) -> None:
    """Wait until the watch shows a route of each AS."""
    ask = (sys.executable, "-m", "anycastle.cli.main", "watch", "show", DNS, "--run-dir", str(folder / "run"))

    def shown() -> str:
        return where.run(*ask, "-o", "json", check=False)

    until(lambda: all(str(asn) in shown() for asn in asns), shown)
