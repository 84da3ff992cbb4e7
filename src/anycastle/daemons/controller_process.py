"""`anycastle controller run`: a controller with its store, the listener that agents dial, and its local socket."""

import asyncio
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anycastle.base.errors import AnycastleError
from anycastle.daemons.api_place import ApiPlace
from anycastle.daemons.controller import ControllerDaemon
from anycastle.daemons.controller_socket import ControllerSocket
from anycastle.io import systemd_notify
from anycastle.io.directory import make_directory
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.listener import LinkListener
from anycastle.io.store import SqlStore, open_store
from anycastle.io.stored_folders import StoredFolders
from anycastle.model.identity import Role
from anycastle.model.rpki import unknown_validity

if TYPE_CHECKING:
    from anycastle.daemons.api import ApiServer
    from anycastle.daemons.measured import MeasuredIndicators
    from anycastle.daemons.notifying import Notifying
    from anycastle.daemons.signal_source import SignalSource
    from anycastle.io.config.indicators_file import IndicatorSettings
    from anycastle.io.config.oidc_file import LoginSettings
    from anycastle.io.foretelling import TwinFiles
    from anycastle.io.rpki.cache_place import CachePlace
    from anycastle.io.rpki.source import CurrentVRPs, RPKISource

RPKI_AGAIN_S: Final = 10.0
"""How soon RPKI data are asked for anew where that broke by a fault of ours."""


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """What the command line says of one controller."""

    store: str
    """A database's address."""
    listen: tuple[str, int]
    address: str
    """HOST:PORT by which agents, and other controllers, find this one."""
    credentials: CredentialFiles
    run_dir: Path
    api: ApiPlace | None = None
    login: "LoginSettings | None" = None
    """How people log in at the API; None where there are tokens alone."""
    vrps: str | None = None
    """A validator's JSON export: a file or a URL."""
    rtr: "CachePlace | None" = None
    """A cache that speaks RTR, in place of an export."""
    indicators: "IndicatorSettings | None" = None
    """What gates can ask of a Prometheus."""
    fleet: Path | None = None
    """The fleet folder whose `notify` says who is told of incidents; None: no incidents are opened."""
    findings: tuple[Path, ...] = ()
    """Event logs of watches on this machine."""
    watches: tuple[Path, ...] = ()
    """Folders of the sockets of watches on this machine: the API tells of routes what they know."""
    twin: "TwinFiles | None" = None
    """What the API foretells shifts by; None: it foretells none."""


class ControllerProcess:
    """One controller and all that is around it."""

    def __init__(self, settings: ControllerSettings) -> None:
        make_directory(settings.run_dir, 0o755)
        self._settings = settings
        self._listener: LinkListener | None = None
        self._api: ApiServer | None = None
        self._notifying: Notifying | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        settings, loop = self._settings, asyncio.get_running_loop()
        stopped = asyncio.Event()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, stopped.set)
        allow_descriptors()
        credentials = read_credentials(settings.credentials, Role.CONTROLLER)
        store = await open_store(settings.store)
        rpki = _rpki(settings)
        validity = unknown_validity if rpki is None else rpki[0].validity
        self._notifying = await _notifying(settings)
        daemon = ControllerDaemon(
            store, StoredFolders(store), settings.address, tell, validity, _measured(settings), self._notifying,
            _sources(settings, store),
        )  # fmt: skip
        self._listener = daemon.listener = LinkListener(daemon, credentials, complain=tell)
        control = ControllerSocket(settings.run_dir, daemon, store, settings.address)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        await self._listener.start(*settings.listen)
        await control.start()
        leading = asyncio.create_task(daemon.run())
        validating = None if rpki is None else asyncio.create_task(_keep_fresh(rpki[1]))
        try:
            control.api_port = await self._start_api(store, daemon)
            systemd_notify.notify("READY=1", f"STATUS=listening on {settings.address}")
            await asyncio.wait({leading, asyncio.ensure_future(stopped.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if leading.done():
                await leading
        finally:
            systemd_notify.notify("STOPPING=1")
            await control.close()
            if self._api is not None:
                await self._api.close()
            parts = [part for part in (leading, validating) if part is not None]
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self._listener.close()
            if self._notifying is not None:
                await self._notifying.close()
            await store.close()

    async def _start_api(self, store: SqlStore, daemon: ControllerDaemon) -> int | None:
        """Serve the API where it is asked for; give its port. Loading it takes a second: agents come back already."""
        settings = self._settings
        if settings.api is None:
            return None
        server = await asyncio.to_thread(_api_server)
        from anycastle.io.budgets import Budgets
        from anycastle.io.foretelling import Foreteller
        from anycastle.io.watched import Watched

        watched, budgets = Watched(settings.findings, settings.watches), Budgets(settings.indicators, tell)
        foreteller = None if settings.twin is None else Foreteller(settings.twin, tell)
        made = server(
            settings.api, store, daemon, login=settings.login, watched=watched, budgets=budgets, foreteller=foreteller
        )
        await made.start()
        self._api = made
        tell(f"serves its API at port {made.port}")
        return made.port

    def _reload(self) -> None:
        self._reload_credentials()
        if self._settings.fleet is not None:
            self._reloading = asyncio.create_task(self._reload_notify(self._settings.fleet))

    async def _reload_notify(self, fleet: Path) -> None:
        """Go by what the folder says now; one that cannot be used changes nothing."""
        assert self._notifying is not None
        try:
            plan = (await load_fleet_apart(fleet)).notify
        except AnycastleError as error:
            tell(f"who is told stays as it was: {error}")
            return
        await self._notifying.reload(plan)
        tell(f"notify read anew: {', '.join(sorted(self._notifying.names)) or 'nobody'}")

    def _reload_credentials(self) -> None:
        """Take renewed certificates and revocation lists; sessions of those that were revoked end."""
        assert self._listener is not None
        try:
            ended = self._listener.reload(read_credentials(self._settings.credentials, Role.CONTROLLER))
        except AnycastleError as error:
            tell(f"the credentials stay as they were: {error}")
            return
        tell(f"credentials read anew; ended for a revoked certificate: {', '.join(ended) or 'none'}")


def _api_server() -> "type[ApiServer]":
    from anycastle.daemons.api import ApiServer

    return ApiServer


def _measured(settings: ControllerSettings) -> "MeasuredIndicators | None":
    if settings.indicators is None:
        return None
    from anycastle.daemons.measured import MeasuredIndicators

    return MeasuredIndicators(settings.indicators, tell)


async def _notifying(settings: ControllerSettings) -> "Notifying | None":
    if settings.fleet is None:
        return None
    from anycastle.daemons.notifying import Notifying

    return Notifying((await load_fleet_apart(settings.fleet)).notify)


def _sources(settings: ControllerSettings, store: SqlStore) -> "list[SignalSource]":
    """Give what opens incidents beside the agents."""
    found: list[SignalSource] = []
    if settings.fleet is not None and settings.api is not None:
        from anycastle.daemons.told_source import ToldSource
        from anycastle.io.told_findings import ToldFindings

        found.append(ToldSource(ToldFindings(store), tell))
    if settings.findings:
        from anycastle.daemons.findings_source import FindingsSource

        found += [FindingsSource(path, tell) for path in settings.findings]
    if settings.indicators is not None and settings.fleet is not None:
        from anycastle.daemons.budget_source import BudgetSource

        found.append(BudgetSource(settings.indicators, tell))
    return found


def _rpki(settings: ControllerSettings) -> "tuple[CurrentVRPs, RPKISource] | None":
    """Give the VRPs, and what keeps them fresh; None where none are given: the kernels are loaded for them alone."""
    if settings.vrps is None and settings.rtr is None:
        return None
    from anycastle.io.rpki.source import CurrentVRPs, ExportSource, RTRSource

    current = CurrentVRPs()
    if settings.rtr is not None:
        return current, RTRSource(settings.rtr, current)
    assert settings.vrps is not None
    return current, ExportSource(settings.vrps, current)


async def _keep_fresh(source: "RPKISource") -> None:
    """Keep RPKI data fresh until cancelled; a fault of ours there ends no controller."""
    while True:
        try:
            await source.run()
        except Exception as error:  # noqa: BLE001  whatever it is, what was read last becomes too old and is dropped
            tell(f"RPKI data are not kept fresh, once more in {RPKI_AGAIN_S:g} s: {error!r}")
        await asyncio.sleep(RPKI_AGAIN_S)


def allow_descriptors() -> None:
    """Take all file descriptors that the system allows: the usual 1,024 are fewer than a thousand agents need."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tell(text: str) -> None:
    """Say it on standard error, where systemd keeps it."""
    print(f"controller {text}", file=sys.stderr, flush=True)  # noqa: T201
