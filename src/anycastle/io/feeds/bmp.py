"""A BMP station: routers dial in, and tell what they hear and say (RFC 7854 §3)."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Now, Timestamp
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.watch.bmp import BMPReader
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable
from anycastle.wire.bmp.codec import BMPError

ROUTERS_MAX: Final = 1_000
"""Connections at a time; another router is turned away."""

READ_OCTETS: Final = 1 << 18


class BMPFeed:
    """Listens for routers. `pops` names the PoP of a router by the address that it dials from."""

    def __init__(
        self,
        listen: tuple[str, int],
        table: WatchedTable,
        queue: FactQueue,
        silence: SilenceWatch,
        now: Callable[[], Now],
        pops: Mapping[str, str] | None = None,
    ) -> None:
        self.name = f"bmp {listen[0]}:{listen[1]}"
        self.connections = 0
        self.trouble = ""
        self._troubled = ""
        """The router that the trouble is about: it is over when that one is back."""
        self.port = listen[1]
        """The port in use, where 0 was asked for."""
        self._listen = listen
        self._table = table
        self._queue = queue
        self._silence = silence
        self._now = now
        self._pops = pops or {}
        self._readers: dict[BMPReader, None] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._messages = 0
        self._garbage = 0

    @property
    def connected(self) -> bool:
        """Whether any router is connected."""
        return bool(self._readers)

    @property
    def messages(self) -> int:
        """Messages of all routers so far."""
        return self._messages + sum(reader.messages for reader in self._readers)

    @property
    def garbage(self) -> int:
        """Messages that could not be read."""
        return self._garbage + sum(reader.garbage for reader in self._readers)

    def reload(self, pops: Mapping[str, str], *, anew: bool) -> None:
        """Take other addresses for those of our routers. With `anew` every router is to dial, and tell all, again."""
        self._pops = pops
        for task in tuple(self._serving) if anew else ():
            task.cancel()

    async def run(self) -> None:
        """Serve until cancelled. Raises `WorldError` where it cannot listen."""
        host, port = self._listen
        try:
            server = await asyncio.start_server(self._serve, host, port, limit=READ_OCTETS)
        except OSError as error:
            raise WorldError(f"cannot listen for BMP on {host} port {port}: {error.strerror}") from error
        self.port = server.sockets[0].getsockname()[1]
        try:
            await asyncio.get_running_loop().create_future()  # `serve_forever` waits for routers, which never hang up
        finally:
            server.close()
            for task in tuple(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str(writer.get_extra_info("peername")[0])
        if len(self._readers) >= ROUTERS_MAX:
            self.trouble = f"{address} was turned away: {ROUTERS_MAX} routers are connected"
            writer.close()
            return
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        reader = BMPReader(self._table, address, self._pops.get(address))
        self._readers[reader] = None
        reason = "the BMP connection ended"
        try:
            while octets := await stream.read(READ_OCTETS):
                wall = self._now().wall
                self._queue.put(self._silence.heard(self.name, None, wall))
                facts = reader.feed(octets, wall)
                self._replace(reader, wall)
                self._queue.put(facts)
                await self._queue.room()
            reason = reader.ended or reason
        except BMPError as error:
            reason = f"no BMP: {error}"
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            writer.close()
            self._ended(reader, reason)

    def _replace(self, reader: BMPReader, wall: Timestamp) -> None:
        """A router that dials again under its name has left its earlier connection, whether or not that has ended."""
        if self._troubled == reader.collector:
            self.trouble = self._troubled = ""
        for other in tuple(self._readers):
            if other is not reader and other.collector == reader.collector:
                self._queue.put(other.closed(wall, "the router dialled again"))

    def _ended(self, reader: BMPReader, reason: str) -> None:
        wall = self._now().wall
        del self._readers[reader]
        self._messages += reader.messages
        self._garbage += reader.garbage
        self.trouble, self._troubled = f"{reader.collector}: {reason}", reader.collector
        self._queue.put(reader.closed(wall, reason))
