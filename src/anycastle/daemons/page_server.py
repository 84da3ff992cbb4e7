"""uvicorn on a socket of ours, within a process that has signals and an end of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from anycastle.base.errors import WorldError
from anycastle.io.listening import listening_socket

CONNECTIONS_MAX: Final = 200
"""Connections that are served at once; beyond it a request is refused with 503."""

HEADERS_MAX: Final = 32 * 1024
"""Octets of a request's line and headers."""


class PageServer:
    """uvicorn on a socket of ours."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self.port = port
        """Where it listens, once it does; asked for 0, the system's choice."""
        self._address = (host, port)
        self._server = _Server(
            uvicorn.Config(
                app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False,
                proxy_headers=False, limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=15,
                timeout_graceful_shutdown=2, h11_max_incomplete_event_size=HEADERS_MAX, http="h11", loop="none",
            )
        )  # fmt: skip
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises `WorldError`."""
        host, port = self._address
        self._server.config.load()
        try:
            listening = listening_socket(host, port)
        except OSError as error:
            raise WorldError(f"{host}:{port} cannot be served: {error.strerror}", retryable=False) from error
        self._serving = asyncio.create_task(self._server.serve([listening]))
        self.port = listening.getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._serving is not None:
            self._server.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the process does."""
        yield
