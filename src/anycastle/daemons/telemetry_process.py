"""`anycastle telemetry run`: the collector with its sources, its file of what was counted, and its pages around it.

One loop a source. What was counted and how far each source was read is saved together, at a moment at which no source
is in the middle of a batch: counting is done without a wait in between, so any moment of the saver is one.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
import numpy as np

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Now, Timestamp
from anycastle.daemons.page_server import PageServer
from anycastle.io import systemd_notify
from anycastle.io.clock import now
from anycastle.io.config.units import parse_duration
from anycastle.io.directory import make_directory
from anycastle.io.lock import claim
from anycastle.io.metrics import MetricsPage
from anycastle.io.status_server import Page
from anycastle.io.telemetry import otlp
from anycastle.io.telemetry.http import Asked, TelemetryApp
from anycastle.io.telemetry.line_source import count_result
from anycastle.io.telemetry.metrics import WINDOW_S, TelemetryCollector
from anycastle.io.telemetry.otlp_intake import OTLPIntake
from anycastle.io.telemetry.otlp_series import Series, SeriesKeeper
from anycastle.io.telemetry.readings_json import plain
from anycastle.io.telemetry.source import Source
from anycastle.io.telemetry.sources import sources_of
from anycastle.io.telemetry.state import StateFile, encode
from anycastle.io.telemetry.telemetry_file import TelemetryFile
from anycastle.model.fleet import Fleet
from anycastle.slo.reading import Reading
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.fidelity import Fidelity
from anycastle.slo.telemetry.intake import Intake
from anycastle.slo.telemetry.measurements import Measurements
from anycastle.slo.telemetry.networks import Networks
from anycastle.slo.telemetry.promised import Key, Promised, promised_of, uncounted
from anycastle.wire.access.record import LineError

SAVE_S: Final = 1.0
TELL_S: Final = 60.0
"""How often damaged lines of one source are told."""

IDS_KEPT: Final = 20_000
"""Ids of probers' results that are remembered: a batch comes again where its answer was lost. Four batches of 1 MiB."""

SEED: Final = 1
"""Of the bootstrap: the same counts give the same interval."""


class _Kept(msgspec.Struct):
    """What is kept beside cells and the places of sources."""

    since: float | None = None
    """From when on cumulative series are counted; None in what an older version wrote, whose series are not known."""
    series: dict[str, Series] = {}
    site_of: dict[str, str] = {}
    verdicts: dict[str, dict[str, list[tuple[float, bool]]]] = {}
    waiting: dict[str, set[int]] = {}
    ids: list[str] = []
    promised: list[tuple[Key, float, float]] = []


_OWN_PLACE: Final = "/"  # no name of a source begins so


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What the command line says."""

    file: TelemetryFile
    state_dir: Path
    listen: tuple[str, int] | None = None
    fleet: Fleet | None = None
    """Whose objectives are counted."""


@dataclass(slots=True)
class _Telling:
    """What was told of a source last."""

    trouble: str = ""
    damaged: int = 0
    at: float = field(default_factory=lambda: -TELL_S)


class TelemetryProcess:
    """The collector."""

    def __init__(self, settings: TelemetrySettings) -> None:
        file = settings.file
        make_directory(settings.state_dir, 0o700)
        self._claim = claim(settings.state_dir, "collector", "has this state directory")
        self._settings = settings
        self._state = StateFile(settings.state_dir / "telemetry.db")
        self._cells = Cells(file.cell_s, file.keep_s)
        fidelity = Fidelity(tuple(each.served for each in file.agents))
        promised = Promised() if settings.fleet is None else promised_of(settings.fleet)
        self._intake = Intake(self._cells, Networks(file.networks), fidelity=fidelity, promised=promised)
        self._sources: list[Source] = sources_of(file, self._intake)
        self._otlp = OTLPIntake(self._intake, file.otlp, file.region, SeriesKeeper(Timestamp(now().wall)))
        self._ids: dict[str, None] = {}
        self._own = b""
        self._restore()
        self._trouble: dict[str, str] = {}
        self._told = {source.name: _Telling() for source in self._sources}
        self._waiting: list[asyncio.Future[None]] = []
        self._save_soon = asyncio.Event()
        self._stopping = asyncio.Event()
        self._regions = file.regions
        self._metrics = MetricsPage(
            TelemetryCollector(
                lambda: self._sources,
                lambda: self._trouble,
                lambda: self._otlp.taken,
                self._lost,
                self.readings,
                promised.totals,
                lambda window_s: self.measured(window_s).traffic(),
            )
        )

    def _restore(self) -> None:
        cells, places = self._state.load()
        fidelity = self._intake.fidelity
        self._cells.cells.update(cells)
        try:
            for source in self._sources:
                if source.name in places:
                    source.restore(places[source.name])
            if _OWN_PLACE in places:
                kept = msgspec.json.decode(places[_OWN_PLACE], type=_Kept)
                if kept.since is not None:
                    self._otlp.series = SeriesKeeper(Timestamp(kept.since), kept.series)
                self._intake.site_of.update(kept.site_of)
                fidelity.verdicts.update(kept.verdicts)
                fidelity.waiting.update(kept.waiting)
                self._ids.update(dict.fromkeys(kept.ids))
                self._intake.promised.restore(kept.promised)
        except msgspec.DecodeError as error:
            raise WorldError(f"{self._settings.state_dir}: a place cannot be read: {error}", retryable=False) from error

    # -- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Collect until SIGTERM or SIGINT. Raises `WorldError` where it cannot begin."""
        loop = asyncio.get_running_loop()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, self._stopping.set)
        server = await self.serve()
        following = [asyncio.create_task(self._follow(source)) for source in self._sources]
        saving = asyncio.create_task(self.save_often())
        try:
            self._say(f"{self._settings.file.name} reads {len(self._sources)} sources")
            if self._settings.fleet is not None:
                self._tell_promised(self._settings.fleet)
            systemd_notify.notify("READY=1")
            stopped = asyncio.create_task(self._stopping.wait())
            # A task that ends early has met our own bug: it is raised, and the service manager starts us anew.
            await asyncio.wait({stopped, saving, *following}, return_when=asyncio.FIRST_COMPLETED)
            for task in (saving, *following):
                if task.done():
                    task.result()
        finally:
            systemd_notify.notify("STOPPING=1")
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
            if server is not None:
                await server.close()
            await self.close()

    async def close(self) -> None:
        """Save, and let go of files."""
        await self._save()
        for source in self._sources:
            source.close()
        self._state.close()
        os.close(self._claim)

    def _say(self, words: str) -> None:
        print(words, file=sys.stderr, flush=True)  # noqa: T201

    def _tell_promised(self, fleet: Fleet) -> None:
        """Say whose objectives are counted, and which are not."""
        self._say(f"counts events of {len(self._intake.promised.objectives)} objectives")
        for name, indicator in uncounted(fleet).items():
            self._say(f"{name} is not counted here: of {indicator} there are no single events")

    async def _follow(self, source: Source) -> None:

        while True:
            more = False
            try:
                more = await source.poll(now())
                self._trouble.pop(source.name, None)
            except WorldError as error:
                self._trouble[source.name] = str(error)
            self._tell(source)
            await asyncio.sleep(0 if more else source.every_s)

    def _tell(self, source: Source) -> None:
        """Say what is wrong with a source: once as long as it stays the same; of damaged lines, once a minute."""
        told, trouble = self._told[source.name], self._trouble.get(source.name, "")
        if trouble and trouble != told.trouble:
            self._say(f"{source.name}: {trouble}")
        told.trouble = trouble
        new = source.counts.damaged - told.damaged
        if new and monotonic() - told.at >= TELL_S:
            latest = source.counts.latest_damaged[-1]
            more = f" ({new} such lines)" if new > 1 else ""
            self._say(f"{source.name}: {latest.where}: {latest.why}{more}")
            told.damaged, told.at = source.counts.damaged, monotonic()

    # -- keeping ------------------------------------------------------------------------------------------------------

    async def save_often(self) -> None:
        """Save what changed once a second, and at once where somebody waits for it; until cancelled.

        A save that is under way then is waited for: its thread goes on, and two at once would share a transaction.
        """
        while True:
            try:
                async with asyncio.timeout(SAVE_S):
                    await self._save_soon.wait()
            except TimeoutError:
                pass
            self._save_soon.clear()
            saving = asyncio.create_task(self._save())
            try:
                await asyncio.shield(saving)
                self._trouble.pop(_OWN_PLACE, None)
            except asyncio.CancelledError:
                await asyncio.gather(saving, return_exceptions=True)
                raise
            except WorldError as error:
                if self._trouble.get(_OWN_PLACE) != str(error):
                    self._say(str(error))
                self._trouble[_OWN_PLACE] = str(error)
                await asyncio.sleep(SAVE_S)

    async def _save(self) -> None:
        """Save what changed; whoever waits is told how it went."""
        waiting, self._waiting = self._waiting, []
        gone = self._cells.forget(now().wall)
        dirty, self._cells.dirty = self._cells.dirty, set()
        bodies = {number: encode(self._cells.cells[number]) for number in dirty}
        places = {source.name: source.place() for source in self._sources}
        fidelity = self._intake.fidelity
        kept = _Kept(
            self._otlp.series.since, self._otlp.series.known, self._intake.site_of, fidelity.verdicts, fidelity.waiting,
            list(self._ids), self._intake.promised.totals(),
        )  # fmt: skip
        own = msgspec.json.encode(kept)
        if own != self._own:
            places[_OWN_PLACE] = own
        try:
            await asyncio.to_thread(self._state.save, bodies, places, gone)
        except WorldError as error:
            self._cells.dirty |= dirty
            for each in waiting:
                if not each.done():
                    each.set_exception(error)
            raise
        for each in waiting:
            if not each.done():
                each.set_result(None)
        self._own = own

    async def _kept(self) -> None:
        """Wait until what was counted so far is on disk. Raises `WorldError`."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._save_soon.set()
        await waiting

    # -- what is asked ------------------------------------------------------------------------------------------------

    def _lost(self) -> dict[str, float]:
        lost: dict[str, float] = {"too old": self._cells.too_old}
        for cell in self._cells.cells.values():
            for what, number in cell.left_out.items():
                lost[what] = lost.get(what, 0.0) + number
        return lost

    @property
    def taken(self) -> dict[str, int]:
        """Give what became of OTLP's parts."""
        return self._otlp.taken

    @property
    def series(self) -> dict[str, Series]:
        """Give the series of OTLP, as they were last."""
        return self._otlp.series.known

    def measured(self, window_s: float) -> Measurements:
        """Give what was counted in a window up to now."""
        return self._cells.over(now().wall, window_s)

    def readings(self, window_s: float) -> list[Reading]:
        """Give the indicators over a window up to now."""
        return self.measured(window_s).readings(np.random.default_rng(SEED))

    def _take_results(self, body: bytes) -> str:
        at: Now = now()
        wrong, right = "", 0
        for number, line in enumerate(body.splitlines(), 1):
            found = _id_of(line)
            if found and found in self._ids:
                right += 1
                continue
            try:
                count_result(line, self._intake, self._regions, frozenset(), at)
            except LineError as error:
                # One damaged line of many is counted and passed over: refused, it would hold up its prober for ever.
                self._otlp.note("damaged results")
                wrong = wrong or f"line {number}: {error}"
                continue
            right += 1
            if found:
                self._ids[found] = None
        while len(self._ids) > IDS_KEPT:
            del self._ids[next(iter(self._ids))]
        return "" if right else wrong

    async def serve(self) -> PageServer | None:
        """Serve the pages, where they are to be. Raises `WorldError`."""
        if self._settings.listen is None:
            return None
        app = TelemetryApp(
            take=lambda path, message: self._otlp.take(path, message, now().wall),
            take_results=self._take_results,
            kept=self._kept,
            pages={
                "/metrics": self._metrics_page,
                "/healthz": lambda _asked: Page(b"ok\n"),
                "/readyz": self._ready_page,
                "/indicators": self._indicators_page,
                "/measurements": self._measurements_page,
            },
            token_file=self._settings.file.otlp.token_file,
        )
        server = PageServer(app, *self._settings.listen)
        await server.start()
        self._say(f"serving at {self._settings.listen[0]}:{server.port}")
        return server

    def _metrics_page(self, asked: Asked) -> Page:
        content_type, body = self._metrics.render(asked.fields.get("accept", ""))
        return Page(body, content_type=content_type)

    def _ready_page(self, _asked: Asked) -> Page:
        told = "".join(f"{name}: {trouble}\n" for name, trouble in self._trouble.items())
        return Page(told.encode(), HTTPStatus.SERVICE_UNAVAILABLE) if told else Page(b"ready\n")

    def _indicators_page(self, asked: Asked) -> Page:
        window_s = _window(asked)
        if window_s is None:
            return Page(b"window is a duration, such as 1h\n", HTTPStatus.BAD_REQUEST)
        body = msgspec.json.encode([plain(each) for each in self.readings(window_s)])
        return Page(body, content_type=otlp.JSON)

    def _measurements_page(self, asked: Asked) -> Page:
        window_s = _window(asked)
        if window_s is None:
            return Page(b"window is a duration, such as 1h\n", HTTPStatus.BAD_REQUEST)
        return Page(encode(self.measured(window_s)), content_type=otlp.JSON)


def _window(asked: Asked) -> float | None:
    try:
        return parse_duration(asked.parameters.get("window", f"{WINDOW_S:g}s"))
    except ParseError:
        return None


class _Identified(msgspec.Struct):
    id: str = ""


def _id_of(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=_Identified).id
    except msgspec.DecodeError:
        return ""
