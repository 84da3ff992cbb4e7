"""The long-lived service of a PoP: a TCP server that answers each message with the PoP's name, on a line.

Run as `python -m anycastle.lab.echo POP ADDRESS PORT`.
"""

import asyncio
import socket
import sys
from typing import Final

_IP_FREEBIND: Final = 15  # linux/in.h: bind before the agent has put the address on the loopback
_BACKLOG: Final = 512


class _Echo(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        if self._transport is not None:
            self._transport.write(self._answer)


async def serve(pop: str, address: str, port: int) -> None:
    """Serve until the process ends."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
    listener.bind((address, port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Echo(f"{pop}\n".encode()), sock=listener, backlog=_BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
