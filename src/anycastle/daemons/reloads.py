"""Reloads of a daemon: one after the other, whoever asks, and systemd hears of each."""

import asyncio
from collections.abc import Awaitable, Callable

from anycastle.io import systemd_notify


class Reloads:
    """Runs `reload`, which tells by itself how it went; `status` is what systemd shows after it."""

    def __init__(self, reload: Callable[[], Awaitable[None]], status: Callable[[], str]) -> None:
        self._reload = reload
        self._status = status
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def soon(self) -> None:
        """Begin one; for signals, which wait for nothing."""
        task = asyncio.ensure_future(self.run())
        self._tasks.add(task)  # the loop itself would let it be collected
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Reload once those before are done."""
        async with self._one_at_a_time:
            systemd_notify.reloading()
            try:
                await self._reload()
            finally:
                systemd_notify.notify("READY=1", f"STATUS={self._status()}")
