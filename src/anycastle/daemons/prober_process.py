"""`anycastle prober run`: the prober with its files, pages and signals around it."""

import asyncio
import gc
import random
import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.daemons.prober import Prober
from anycastle.daemons.reloads import Reloads
from anycastle.io import systemd_notify
from anycastle.io.delivery import Delivery, HTTPPost
from anycastle.io.directory import make_directory
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.metrics import MetricsPage
from anycastle.io.probe.metrics import ProberCollector
from anycastle.io.probe.on_demand import OnDemand
from anycastle.io.probe.prober_file import ProberFile, read_prober_file
from anycastle.io.probe.results import Results
from anycastle.io.probe.spool import OCTETS_MAX, Spool
from anycastle.io.status_server import Page, Question, StatusServer
from anycastle.probe.fleet_targets import fleet_targets
from anycastle.probe.result import ProbeResult
from anycastle.probe.schedule import Counts
from anycastle.probe.tally import Tally
from anycastle.probe.target import ProbeTarget

_COLLECT: Final = (20_000, 50, 100)
"""Garbage collection: rarer than by default, since results are freed without it, and each visit makes probes late."""

ON_DEMAND_MAX: Final = 32
"""Probes for `/probe` at a time."""


@dataclass(frozen=True, slots=True)
class ProberSettings:
    """What the command line says."""

    file: Path
    state_dir: Path
    fleet_dir: Path | None = None
    """A fleet whose objectives are measured too."""
    fleet_interval_s: float = 10.0
    out: BinaryIO | None = None
    """Where results go as lines."""
    deliver_to: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    spool_octets_max: int = OCTETS_MAX
    listen: tuple[str, int] | None = None
    any_target: bool = False
    """`/probe` asks whomever it is told to; else only hosts of the file's targets."""
    seed: int | None = None
    """Of the schedule; None: another one each time."""


class ProberProcess:
    """The prober and all that is around it."""

    def __init__(self, settings: ProberSettings, file: ProberFile, targets: tuple[ProbeTarget, ...]) -> None:
        make_directory(settings.state_dir, 0o700)
        spool = None
        if settings.deliver_to is not None:
            spool = Spool(settings.state_dir / "spool", settings.spool_octets_max)
        self._settings = settings
        self._results = Results(f"{file.vantage.name}-{secrets.token_hex(6)}", settings.out, spool)
        self._tallies: dict[tuple[str, str], Tally] = {}
        seed = secrets.randbits(64) if settings.seed is None else settings.seed
        self._randomness = random.Random(seed)
        self.prober = Prober(file.vantage, targets, file.under_way_max, self._randomness, self._take)
        self._on_demand = OnDemand(file, targets, settings.any_target, ON_DEMAND_MAX)
        self._delivery: Delivery | None = None
        self._stopping = asyncio.Event()
        self._feeding = systemd_notify.Feeding()
        self._reloads = Reloads(self._reload, self._probing)
        self._metrics = MetricsPage(ProberCollector(self._counted, self._counts, self.status))

    async def run(self) -> None:
        """Probe until SIGTERM or SIGINT. Raises `WorldError` where it cannot begin."""
        loop = asyncio.get_running_loop()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reloads.soon)
        pages = await self._serve_pages()
        post, delivering = self._deliver()
        try:
            print(self._probing(), file=sys.stderr, flush=True)  # noqa: T201
            gc.collect()
            gc.freeze()  # targets live as long as the process: no collection, which would make probes late, visits them
            gc.set_threshold(*_COLLECT)
            self.prober.start()
            self._feeding.start()
            systemd_notify.notify("READY=1", f"STATUS={self._probing()}")
            await self._stopping.wait()
        finally:
            self._feeding.stop()
            await self.prober.stop()
            if pages is not None:
                await pages.close()
            if delivering is not None and post is not None:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
                await post.close()
            await asyncio.to_thread(self._results.close)

    def _deliver(self) -> tuple[HTTPPost | None, "asyncio.Task[None] | None"]:
        settings = self._settings
        if settings.deliver_to is None:
            return None, None
        post = HTTPPost([settings.deliver_to], settings.token_file, settings.ca_file)
        self._delivery = Delivery(self._results, post, self._randomness)
        return post, asyncio.create_task(self._delivery.run())

    def _stop(self) -> None:
        systemd_notify.notify("STOPPING=1")
        self._stopping.set()

    def _take(self, result: ProbeResult) -> None:
        key = (result.target, result.kind)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        tally.take(result)
        self._results.put(result)

    def _probing(self) -> str:
        return f"{self.prober.vantage.name} probes {len(self.prober.targets)} targets"

    # -- reload -------------------------------------------------------------------------------------------------------

    async def _reload(self) -> None:
        """Take the files anew; files with errors change nothing."""
        try:
            file, targets = await read_all(self._settings)
        except (WorldError, MisuseError, ParseError) as error:
            print(f"reload refused: {error}", file=sys.stderr, flush=True)  # noqa: T201
            return
        await self.prober.replace(file.vantage, targets, file.under_way_max)
        self._on_demand = OnDemand(file, targets, self._settings.any_target, ON_DEMAND_MAX)
        kept = {(target.name, target.ask.kind) for target in targets}
        self._tallies = {key: tally for key, tally in self._tallies.items() if key in kept}
        print(f"read anew: {self._probing()}", file=sys.stderr, flush=True)  # noqa: T201

    # -- pages --------------------------------------------------------------------------------------------------------

    async def _serve_pages(self) -> StatusServer | None:
        if self._settings.listen is None:
            return None
        routes = {"/metrics": self._metrics_page, "/healthz": self._health_page, "/readyz": self._ready_page}
        answers = {"/probe": self._probe_page}
        server = StatusServer(routes, *self._settings.listen, answers)
        port = await server.start()
        print(f"serving at {self._settings.listen[0]}:{port}", file=sys.stderr, flush=True)  # noqa: T201
        return server

    def _metrics_page(self, accept: str) -> Page:
        content_type, body = self._metrics.render(accept)
        return Page(body, content_type=content_type)

    def _health_page(self, _accept: str) -> Page:
        return Page(b"ok\n")

    def _ready_page(self, _accept: str) -> Page:
        troubles = [self._results.trouble, self._delivery.trouble if self._delivery else ""]
        told = "".join(f"{trouble}\n" for trouble in troubles if trouble)
        return Page(told.encode(), HTTPStatus.SERVICE_UNAVAILABLE) if told else Page(b"ready\n")

    async def _probe_page(self, question: Question) -> Page:
        return await self._on_demand.answer(question)

    def _counted(self) -> Mapping[tuple[str, str], Tally]:
        return self._tallies

    def _counts(self) -> Counts:
        return self.prober.schedule.counts

    def status(self) -> dict[str, Any]:
        """Give what is under way, and what waits to be delivered."""
        return {
            "under_way": self.prober.schedule.under_way,
            "dropped": self._results.dropped,
            "delivered": 0 if self._delivery is None else self._delivery.delivered,
            **self._results.spooled(),
        }


async def read_all(settings: ProberSettings) -> tuple[ProberFile, tuple[ProbeTarget, ...]]:
    """Give the file, and the targets of it and of the fleet. Raises `WorldError`, `MisuseError`, `ParseError`."""
    file = read_prober_file(settings.file)
    targets = file.targets
    if settings.fleet_dir is not None:
        fleet = await load_fleet_apart(settings.fleet_dir)
        measured = fleet_targets(fleet, settings.fleet_interval_s, file.site)
        if not measured:
            raise MisuseError(f"{settings.fleet_dir}: no objective is of what a prober can see, or has a check to ask")
        targets += measured
    return file, targets
