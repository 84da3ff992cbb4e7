"""A connection of the link: what it costs a controller, against the event loop's own TLS under the same WebSocket.

A server of each kind in a process of its own, and one client that opens many connections, each with a certificate of
its own authority: memory for each connection, and how many handshakes a second. The peer is `websockets` as it comes,
without its compression and with it.
"""

import asyncio
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from anycastle.io.clock import now
from anycastle.io.link.channel import PATH, Channel
from anycastle.io.link.credentials import read_credentials
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.tls_stream import TLSStream
from anycastle.io.pki.authority import create
from anycastle.model.identity import Role
from bench.agent_cost import memory_of

HOST = "127.0.0.1"
KINDS = ("ours", "websockets", "websockets with compression")
MESSAGE = '{"kind":"ping","number":1,"clock":1.0}'


class Quiet:
    """A server's end that says back what it hears."""

    def __init__(self, stream: TLSStream) -> None:
        self.channel = Channel.of_server(stream, self, lambda _stream: None)

    def channel_reached(self) -> None:
        self.channel.begin()

    def channel_received(self, octets: bytes) -> None:
        self.channel.say(octets)

    def channel_opened(self) -> None:
        pass

    channel_blocked = channel_drained = channel_opened

    def channel_closed(self, why: str) -> None:
        pass


def context_of(folder: Path, name: str, role: Role) -> ssl.SSLContext:
    files = CredentialFiles(folder / "pki" / "bundle.pem", folder / f"{name}.pem", folder / f"{name}.key")
    return read_credentials(files, role).context


async def server(folder: Path, kind: str) -> None:
    context = context_of(folder, "one", Role.CONTROLLER)
    if kind == "ours":
        kept: list[Quiet] = []

        def arriving() -> TLSStream:
            stream = TLSStream(context)
            kept.append(Quiet(stream))
            return stream

        listening = await asyncio.get_running_loop().create_server(arriving, HOST, 0, backlog=1024)
        port = listening.sockets[0].getsockname()[1]
    else:
        compression = "deflate" if kind.endswith("compression") else None
        serving = await serve(_echo, HOST, 0, ssl=context, compression=compression, backlog=1024)
        port = next(iter(serving.sockets)).getsockname()[1]
    print(port, flush=True)
    await asyncio.Event().wait()


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def clients(folder: Path, port: int, count: int, kind: str) -> float:
    """Open connections, sixteen at a time, and hear an answer on each; gives the handshakes a second."""
    context = context_of(folder, "ams", Role.POP)
    compression = "deflate" if kind.endswith("compression") else None
    turns = asyncio.Semaphore(16)
    opened = []

    async def one() -> None:
        async with turns:
            connection = await connect(
                f"wss://{HOST}:{port}{PATH}", ssl=context, compression=compression, ping_interval=None
            )
        for _ in range(20):
            await connection.send(MESSAGE)
            await connection.recv()
        opened.append(connection)

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(count)))
    took = time.monotonic() - began
    print(f"{count / took:.0f}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for connection in opened:
        connection.transport.abort()
    return took


def measure(folder: Path, kind: str, count: int) -> tuple[float, float]:
    """Give KiB of a connection and handshakes a second."""
    command = [sys.executable, "-m", "bench.link", "--folder", str(folder), "--kind", kind, "--count", str(count)]
    serving = subprocess.Popen([*command, "--serve"], stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    port = serving.stdout.readline().strip()
    before = memory_of(serving.pid)
    dialling = subprocess.Popen([*command, "--port", port], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert dialling.stdout is not None
    rate = float(dialling.stdout.readline())
    kib = 1024 * (memory_of(serving.pid) - before) / count
    for process in (dialling, serving):
        process.kill()
        process.communicate()
    return kib, rate


@click.command()
@click.option("--count", default=500, show_default=True, help="Connections.")
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
@click.option("--kind", type=click.Choice(KINDS), default="ours", hidden=True)
@click.option("--serve", "serves", is_flag=True, hidden=True)
@click.option("--port", type=int, hidden=True)
def main(count: int, folder: Path | None, kind: str, serves: bool, port: int | None) -> None:
    """What a connection of the link costs a controller."""
    if folder is not None:
        asyncio.run(server(folder, kind) if serves or port is None else clients(folder, port, count, kind))  # type: ignore[arg-type]
        return
    with tempfile.TemporaryDirectory(prefix="anycastle-link-") as name:
        made = Path(name)
        authority = create(made / "pki", "load", now().wall)
        authority.issue(Role.CONTROLLER, "one", made, now().wall, hosts=[HOST])
        authority.issue(Role.POP, "ams", made, now().wall)
        found = {each: measure(made, each, count) for each in KINDS}
    kib, rate = found["ours"]
    for each, (memory, speed) in found.items():
        ratio = "" if each == "ours" else f"; {memory / kib:.1f} times the memory, {speed / rate:.2f} times the rate"
        print(f"{each}: {memory:.0f} KiB a connection, {speed:.0f} connections opened a second{ratio}")


if __name__ == "__main__":
    main()
