"""The API's server within a controller's process: uvicorn on a socket of ours, beside the agents' listener."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from anycastle.base.errors import WorldError
from anycastle.daemons.api_place import ApiPlace, require_safe
from anycastle.daemons.controller import ControllerDaemon
from anycastle.io.budgets import Budgets
from anycastle.io.config.oidc_file import LoginSettings
from anycastle.io.foretelling import Foreteller
from anycastle.io.listening import listening_socket
from anycastle.io.oidc import OIDCProvider
from anycastle.io.store import SqlStore
from anycastle.io.store.people import SqlPeople
from anycastle.io.watched import Watched
from anycastle.web.app import make_app
from anycastle.web.logins import Logins
from anycastle.web.parts import make_parts
from anycastle.web.settings import WebSettings

CONNECTIONS_MAX: Final = 2_000
"""Connections that are served at once; beyond it a request is refused with 503."""

HEADERS_MAX: Final = 32 * 1024
"""Octets of a request's line and headers."""

IDLE_S: Final = 15
"""How long a connection without a request is kept."""

STOP_S: Final = 2
"""How long open requests and streams are waited for at the end."""

BACKLOG: Final = 512


class ApiServer:
    """Serves the API of one controller."""

    def __init__(
        self,
        place: ApiPlace,
        store: SqlStore,
        daemon: ControllerDaemon,
        settings: WebSettings = WebSettings(),
        login: LoginSettings | None = None,
        watched: Watched | None = None,
        foreteller: Foreteller | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        require_safe(place)
        self._provider = None if login is None else OIDCProvider(login.provider)
        logins = None
        if login is not None and self._provider is not None:
            logins = Logins(self._provider, login.rules, login.name_claim, login.session_s)
        self._parts = make_parts(
            store, SqlPeople(store), daemon, settings, logins, watched, budgets=budgets, foreteller=foreteller
        )
        app = make_app(self._parts)
        self._place = place
        self._server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=STOP_S,
                h11_max_incomplete_event_size=HEADERS_MAX,
                http="h11",
                loop="none",
                ssl_certfile=place.certificate,
                ssl_keyfile=place.key,
            )
        )
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._socket is not None
        port: int = self._socket.getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises `WorldError` where the port or the certificate cannot be had."""
        place = self._place
        try:
            self._server.config.load()
            self._socket = listening_socket(place.address, place.port, BACKLOG)
        except (OSError, ssl.SSLError) as error:
            raise WorldError(f"the API cannot be served at {place.address} port {place.port}: {error}") from error
        if self._parts.foreteller is not None:
            self._parts.foreteller.begin()
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        self._asking = asyncio.create_task(self._parts.budgets.run())
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({up, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._serving.done():
            await self._serving

    async def close(self) -> None:
        """End it, with what is under way."""
        if self._serving is not None:
            self._server.should_exit = True
            # What took longer than STOP_S was cancelled, and is waited for: it holds connections of the store.
            await asyncio.gather(self._serving, *self._server.server_state.tasks, return_exceptions=True)
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._parts.tail.close()
        if self._parts.foreteller is not None:
            await self._parts.foreteller.close()
        if self._provider is not None:
            await self._provider.close()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that it is a part of."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
