"""`anycastle watch run`: the watch daemon with its feeds, files, sockets and signals around it."""

import asyncio
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.daemons.agent_process import line_of
from anycastle.daemons.reloads import Reloads
from anycastle.daemons.telling import TellingWatch, TellSettings
from anycastle.daemons.watch import WatchDaemon
from anycastle.io import systemd_notify
from anycastle.io.as_relations import GraphRelations
from anycastle.io.clock import now
from anycastle.io.directory import make_directory
from anycastle.io.echo import Echo
from anycastle.io.event_writer import EventWriter
from anycastle.io.feeds.bgp import BGPFeed
from anycastle.io.feeds.bmp import BMPFeed
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.io.feeds.live_files import MRTFeed, OwnChangeFeed
from anycastle.io.feeds.replay import Replay, collector_of
from anycastle.io.feeds.ris_live import RISLiveFeed
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.left_over import left_over_in
from anycastle.io.local_socket import LocalServer
from anycastle.io.metrics import MetricsPage
from anycastle.io.rpki.cache_place import CachePlace
from anycastle.io.rpki.source import CurrentVRPs, ExportSource, RTRSource
from anycastle.io.status_server import Page, StatusServer
from anycastle.io.watch_metrics import WatchCollector
from anycastle.model.event import Event, OperatorCommanded
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Address, Prefix, parse_prefix
from anycastle.watch.claim import severity_of
from anycastle.watch.engine import OBSERVER, WatchEngine
from anycastle.watch.intent import intent_of
from anycastle.watch.report import history, shown, toggles
from anycastle.watch.silence import SilenceWatch


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What the command line says of the daemon."""

    fleet_dir: Path
    state_dir: Path
    run_dir: Path
    listen: tuple[str, int] | None
    ris_live: str | None
    """Address of the WebSocket; None for none."""
    tables: Sequence[str] = ()
    """MRT tables that are read before the feeds begin."""
    mrt: Sequence[str] = ()
    logs: Sequence[Path] = ()
    bmp: tuple[str, int] | None = None
    """Where routers dial in."""
    bgp: tuple[Address, int] | None = None
    """Where the fleet's sessions are spoken from."""
    vrps: str | None = None
    """A validator's export."""
    rtr: CachePlace | None = None
    """A validator's cache."""
    relations: Path | None = None
    """CAIDA's AS relationships."""
    tell: TellSettings | None = None
    """A controller on another machine."""

    @property
    def control_socket(self) -> Path:
        """Where `anycastle watch show`, `history`, `status` and `toggles` ask."""
        return self.run_dir / "watch.sock"


FeedOfAnyKind = RISLiveFeed | MRTFeed | OwnChangeFeed | BMPFeed | BGPFeed | ExportSource | RTRSource


class WatchProcess:
    """The daemon and all that is around it."""

    def __init__(self, settings: WatchSettings, fleet: Fleet) -> None:
        make_directory(settings.state_dir, 0o700)
        make_directory(settings.run_dir, 0o755)
        self._settings = settings
        self._events = EventWriter(settings.state_dir / "events.db")
        self._echo = Echo(line_of)
        self.vrps = CurrentVRPs(self._vrps_changed)
        relations = None if settings.relations is None else GraphRelations.load(settings.relations)
        self.engine = WatchEngine(intent_of(fleet), self.vrps, relations)
        self.queue = FactQueue()
        self.silence = SilenceWatch()
        self.daemon = WatchDaemon(self.engine, self.queue, self.silence, self._note, now)
        self.feeds = self._feeds(fleet)
        self._sessions = fleet.watch.sessions
        self._feeding = systemd_notify.Feeding()
        self._reloads = Reloads(self._reload, self._watching)
        self.last_reload: dict[str, Any] | None = None
        """When the files were last read anew, and what became of it."""
        self._control = LocalServer(settings.control_socket, self._asked)
        self._metrics = MetricsPage(WatchCollector(self.status))
        self._telling: TellingWatch | None = None

    def _vrps_changed(self) -> None:
        self.engine.revalidate()

    def _feeds(self, fleet: Fleet) -> list[FeedOfAnyKind]:
        table, queue, silence, settings = self.engine.table, self.queue, self.silence, self._settings
        feeds: list[FeedOfAnyKind] = [OwnChangeFeed(path, fleet, queue) for path in settings.logs]
        feeds += [MRTFeed(source, collector_of(source), table, queue, silence, now) for source in settings.mrt]
        if settings.ris_live is not None:
            feeds.append(RISLiveFeed(table, queue, silence, now, random.Random(), address=settings.ris_live))
        if settings.bmp is not None:
            feeds.append(BMPFeed(settings.bmp, table, queue, silence, now, _routers(fleet)))
        if settings.bgp is not None:
            sessions = fleet.watch.sessions
            if not sessions:
                raise MisuseError("--bgp: fleet.yaml names no router under watch.sessions")
            feeds.append(BGPFeed(settings.bgp, sessions, fleet.asn, table, queue, silence, now))
        if settings.vrps is not None:
            feeds.append(ExportSource(settings.vrps, self.vrps))
        if settings.rtr is not None:
            feeds.append(RTRSource(settings.rtr, self.vrps))
        return feeds

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT has led to a good end. Raises `WorldError` where it cannot begin."""
        loop = asyncio.get_running_loop()
        await self._control.start()
        pages = await self._serve_pages()
        try:
            if self._settings.tell is not None:
                self._telling = TellingWatch(self._settings.tell, self._settings.state_dir)
            for stop_signal in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(stop_signal, self._stop)
            names = ", ".join(feed.name for feed in self.feeds) or "no feed"
            print(f"{self._watching()} by {names}", file=sys.stderr, flush=True)  # noqa: T201
            loop.add_signal_handler(signal.SIGHUP, self._reloads.soon)
            left = await asyncio.to_thread(left_over_in, self._settings.state_dir / "events.db")
            self.engine.take_over(left, now().wall)
            await self._seed()
            self._feeding.start()
            systemd_notify.notify("READY=1", f"STATUS={self._watching()}")
            await self.daemon.run(self.feeds)
        finally:
            self._feeding.stop()
            await self._control.close()
            if pages is not None:
                await pages.close()
            if self._telling is not None:
                await self._telling.close()
            await asyncio.to_thread(self._events.close)
            await asyncio.to_thread(self._echo.close)

    async def _seed(self) -> None:
        """Read the tables, giving way to the socket and the pages between pieces."""
        replay = Replay(self.engine.table, self._settings.tables)
        for number, fact in enumerate(replay.facts()):
            for event in self.engine.take(fact):
                self._note(event)
            if number % 1000 == 0:
                await asyncio.sleep(0)
        for problem in replay.problems:
            print(problem, file=sys.stderr, flush=True)  # noqa: T201

    def _note(self, event: Event) -> None:
        """Put an event into the log, and say it on standard error, for the journal and for whoever looks on."""
        self._events.put(event)
        self._echo.put(event)

    def _stop(self) -> None:
        systemd_notify.notify("STOPPING=1")
        self.daemon.stop()

    # -- reload ---------------------------------------------------------------------------------------------------

    def _watching(self) -> str:
        return f"watching {len(self.engine.table)} prefixes"

    async def _reload(self) -> None:
        """Take the fleet's files, VRPs and relationships anew; files with errors change nothing."""
        try:
            text, granted = await self._take_anew(), True
        except (WorldError, MisuseError, ParseError) as error:
            text, granted = str(error), False
        wall = now().wall
        self.last_reload = {"at": wall, "granted": granted, "text": text}
        self._note(Event(wall, OBSERVER, OperatorCommanded("reload", "signal", text, granted)))

    async def _take_anew(self) -> str:
        """Read all, then take all. Raises `WorldError`, `MisuseError` or `ParseError` where nothing was taken."""
        fleet = await load_fleet_apart(self._settings.fleet_dir)
        path = self._settings.relations
        relations = None if path is None else await asyncio.to_thread(GraphRelations.load, path)
        intent = intent_of(fleet)
        before = self.engine.table.prefixes
        for event in self.engine.reload(intent, relations):
            self._note(event)
        await self._tell_feeds(fleet, more=not before >= self.engine.table.prefixes)
        for prefix in self.engine.known:
            for event in self.engine.rejudge(prefix):
                self._note(event)
            await asyncio.sleep(0)
        texts = [f"the fleet's files were read anew: {len(self.engine.table)} prefixes are watched"]
        for feed in self.feeds:
            if isinstance(feed, ExportSource):
                await feed.read_again()
                texts.append(f"{feed.name}: {feed.trouble}" if feed.trouble else f"{feed.name} was read anew")
        if fleet.watch.sessions != self._sessions and self._settings.bgp is not None:
            texts.append("watch.sessions are others now: they are spoken from a restart on")
        return "; ".join(texts)

    async def _tell_feeds(self, fleet: Fleet, *, more: bool) -> None:
        """Tell feeds what the fleet says of them; for prefixes that are new, they ask for what was told before."""
        for feed in self.feeds:
            match feed:
                case OwnChangeFeed():
                    feed.fleet = fleet
                case RISLiveFeed():
                    await feed.watch(str(each.prefix) for each in self.engine.table)
                case BMPFeed():
                    feed.reload(_routers(fleet), anew=more)
                case BGPFeed() if more:
                    feed.ask_again()
                case _:
                    pass

    # -- pages ----------------------------------------------------------------------------------------------------

    async def _serve_pages(self) -> StatusServer | None:
        if self._settings.listen is None:
            return None
        routes = {"/metrics": self._metrics_page, "/healthz": self._health_page, "/readyz": self._ready_page}
        server = StatusServer(routes, *self._settings.listen)
        await server.start()
        return server

    def _metrics_page(self, accept: str) -> Page:
        content_type, body = self._metrics.render(accept)
        return Page(body, content_type=content_type)

    def _health_page(self, _accept: str) -> Page:
        return Page(b"ok\n")

    def _ready_page(self, _accept: str) -> Page:
        troubles = [f"{feed.name}: {feed.trouble or 'not connected'}\n" for feed in self.feeds if not feed.connected]
        if self._telling is not None and self._telling.trouble:
            troubles.append(f"{self._telling.trouble}\n")
        if not troubles:
            return Page(b"ready\n")
        return Page("".join(troubles).encode(), HTTPStatus.SERVICE_UNAVAILABLE)

    def status(self) -> dict[str, Any]:
        """Give the state of feeds, prefixes and findings as plain values."""
        wall = now().wall
        views = self.engine.views
        silences = self.silence.silences(wall)
        of_feed = {feed: silent_s for feed, peer, silent_s in silences if peer is None}
        collectors: dict[str, float] = {}
        for _, peer, silent_s in silences:
            if peer is not None:
                collectors[peer.collector] = min(silent_s, collectors.get(peer.collector, silent_s))
        return {
            "ready": all(feed.connected for feed in self.feeds),
            "feeds": [_feed_status(feed, of_feed.get(feed.name, 0.0)) for feed in self.feeds],
            "collectors": [
                {"collector": name, "silent_s": collectors.get(name, 0.0), "peers": peers}
                for name, peers in sorted(views.collectors.items())
            ],
            "peers": [
                {
                    "collector": peer.collector,
                    "asn": int(peer.asn),
                    "peer": peer.address,
                    "silent_s": round(silent_s, 3),
                }
                for _, peer, silent_s in silences
                if peer is not None
            ],
            "prefixes": [self._visibility(each.prefix) for each in self.engine.table if each.announced],
            "findings": self._open_findings(),
            "reload": self.last_reload,
            "vrps": None if self.vrps.table is None else len(self.vrps.table),
            "facts": self.daemon.facts,
            "facts_dropped": self.queue.dropped,
            "facts_late": self.engine.late,
            "events_dropped": self._events.dropped,
            "told": None if self._telling is None else self._telling.status(),
        }

    def _visibility(self, prefix: Prefix) -> dict[str, Any]:
        survey = self.engine.views.survey(prefix, self.engine.now)
        visibility = survey.visibility
        return {
            "prefix": str(prefix),
            "family": str(prefix.family),
            "visibility": visibility.share if visibility.able else None,
            "able": visibility.able,
            "regions": {name: {"visibility": each.share, "able": each.able} for name, each in survey.by_region.items()},
        }

    def _open_findings(self) -> list[dict[str, Any]]:
        counts: dict[tuple[str, str], int] = {}
        for kind, _, _, conditions in self.engine.book.open_findings():
            key = (kind, severity_of(max(each.score for each in conditions)).value)
            counts[key] = counts.get(key, 0) + 1
        return [{"kind": kind, "severity": severity, "count": count} for (kind, severity), count in counts.items()]

    # -- the control socket ---------------------------------------------------------------------------------------

    async def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("command"):
            case "status":
                return self.status()
            case "show" | "history" | "toggles" as command:  # of a prefix
                try:
                    prefix = parse_prefix(str(request.get("prefix")))
                except ParseError as error:
                    raise MisuseError(str(error)) from error
                if command == "toggles":
                    return toggles(self.engine, prefix, brief=request.get("brief") is True)
                return shown(self.engine, prefix) if command == "show" else history(self.engine, prefix)
            case command:
                raise MisuseError(f"unknown command {command!r}")


def _routers(fleet: Fleet) -> dict[str, str]:
    """Give address -> PoP of our routers: where their sessions go out from, and their identifiers."""
    found: dict[str, str] = {}
    for pop in fleet.pops:
        found[str(pop.router.router_id)] = pop.name
        neighbours = (neighbour for upstream in pop.upstreams for neighbour in upstream.neighbours)
        found |= {str(each.local_address): pop.name for each in neighbours if each.local_address is not None}
    return found


def _feed_status(feed: FeedOfAnyKind, silent_s: float) -> dict[str, Any]:
    messages = garbage = 0
    if isinstance(feed, RISLiveFeed):
        messages, garbage = feed.reader.messages, feed.reader.garbage
    elif isinstance(feed, MRTFeed):
        messages, garbage = feed.reader.records, len(feed.reader.damaged)
    elif isinstance(feed, BMPFeed | BGPFeed):
        messages, garbage = feed.messages, feed.garbage
    return {
        "name": feed.name,
        "connected": feed.connected,
        "connections": feed.connections,
        "trouble": feed.trouble,
        "messages": messages,
        "garbage": garbage,
        "silent_s": silent_s,
        "sessions": feed.sessions() if isinstance(feed, BGPFeed) else [],
    }
