"""`anycastle up`: a controller with all that it needs in one folder, made at the first start and found at the next.

It adopts the fleet's files where nothing is desired yet. Files that changed since are told of, and never rolled out by
a start: what changes routes is an order.
"""

import asyncio
import getpass
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.daemons.api_place import ApiPlace
from anycastle.daemons.controller_process import ControllerProcess, ControllerSettings
from anycastle.daemons.controller_socket import SOCKET_NAME
from anycastle.io.clock import now
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.controller_client.local import LocalController
from anycastle.io.controller_client.port import Told
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.folder_revision import folder_revision
from anycastle.io.foretelling import TwinFiles
from anycastle.io.local_socket import ask
from anycastle.io.pki.authority import write_new
from anycastle.io.pki.everyone import Everyone, certify
from anycastle.model.fleet import Fleet
from anycastle.rollout.mitigation import base_of

LOOK_S: Final = 0.1
LEADS_WITHIN_S: Final = 60.0
TOKEN_DAYS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Place:
    """What the command line says."""

    fleet_dir: Path
    folder: Path
    host: str
    """By which agents dial it."""
    listen: tuple[str, int]
    api: tuple[str, int]
    vrps: str | None = None
    findings: tuple[Path, ...] = ()
    watches: tuple[Path, ...] = ()
    twin: TwinFiles | None = None
    indicators: IndicatorSettings | None = None

    @property
    def address(self) -> str:
        """Where agents dial."""
        return f"[{self.host}]:{self.listen[1]}" if ":" in self.host else f"{self.host}:{self.listen[1]}"

    @property
    def run_dir(self) -> Path:
        """Where the socket is."""
        return self.folder / "run"

    @property
    def token(self) -> Path:
        """Where the API's first token is."""
        return self.folder / "admin.token"


async def up(place: Place, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises `AnycastleError` where it cannot begin."""
    fleet = await load_fleet_apart(place.fleet_dir)
    shown = await asyncio.to_thread(certify, place.folder, fleet, place.host, now().wall)
    store = f"sqlite:///{(place.folder / 'controller.db').absolute()}"
    settings = ControllerSettings(
        store,
        place.listen,
        place.address,
        shown.controller,
        place.run_dir,
        ApiPlace(*place.api),
        vrps=place.vrps,
        fleet=place.fleet_dir,
        findings=place.findings,
        watches=place.watches,
        twin=place.twin,
        indicators=place.indicators,
    )
    serving = asyncio.create_task(ControllerProcess(settings).run())
    beginning = asyncio.create_task(_begin(place, fleet, shown, tell))
    try:
        await asyncio.wait({serving, beginning}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await beginning
        await serving
    finally:
        for part in (serving, beginning):
            part.cancel()
        await asyncio.gather(serving, beginning, return_exceptions=True)


async def _begin(place: Place, fleet: Fleet, shown: Everyone, tell: Callable[[str], None]) -> None:
    controller = LocalController(place.run_dir, getpass.getuser())
    status = await _leading(controller)
    if not status["desired"]["revision"]:
        revision = await asyncio.to_thread(controller.adopt, place.fleet_dir, "the first start")
        tell(f"adopted {place.fleet_dir}: revision {revision}")
    else:
        await _tell_of_changes(place, base_of(status["desired"]["revision"]), tell)
    if not place.token.exists():
        await _make_token(place)
    for line in directions(place, fleet, shown):
        tell(line)


async def _make_token(place: Place) -> None:
    """Make a token. Its name is new: a start that ended between making and writing one leaves a name behind."""
    who = getpass.getuser()
    name = f"up-{datetime.now(UTC):%Y%m%d%H%M%S}"
    asked = {"name": name, "role": "admin", "principal": who, "lasts_s": TOKEN_DAYS * 86_400.0, "owner": who}
    socket = place.run_dir / SOCKET_NAME
    told = await asyncio.to_thread(ask, socket, {"command": "token", **asked}, of="the controller")
    await asyncio.to_thread(write_new, place.token, f"{told['token']}\n".encode(), 0o600)


def directions(place: Place, fleet: Fleet, shown: Everyone) -> list[str]:
    """Say where everything is, and how agents are started."""
    pop = fleet.pops[0].name
    new = f" (new: {', '.join(shown.made)})" if shown.made else ""
    certificate = shown.agents / f"{pop}.pem"
    link = f"--controller {place.address} --authorities {shown.controller.authorities}"
    return [
        f"agents dial {place.address}; the API is at http://{place.api[0]}:{place.api[1]}, its token in {place.token}",
        f"certificates of agents, each for its PoP's machine: {shown.agents}{new}",
        f"an agent: anycastle agent run --fleet {place.fleet_dir} --pop {pop} {link} --certificate {certificate}",
        f"how it stands: anycastle controller status --run-dir {place.run_dir}",
    ]


async def _tell_of_changes(place: Place, revision: str, tell: Callable[[str], None]) -> None:
    here = (await asyncio.to_thread(folder_revision, place.fleet_dir)).digest
    if here != revision:
        tell(f"{place.fleet_dir} is not what is desired; see: anycastle plan --fleet {place.fleet_dir} --controller"
             f" {place.run_dir}")  # fmt: skip


async def _leading(controller: LocalController) -> Told:
    """Wait until the controller leads and serves its API; give how it stands."""
    try:
        async with asyncio.timeout(LEADS_WITHIN_S):
            while True:
                with suppress(WorldError):
                    status = await asyncio.to_thread(controller.status)
                    if status["leads"] and status["api"]:
                        return status
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise WorldError(f"the controller did not begin to lead within {LEADS_WITHIN_S:g} s") from None
