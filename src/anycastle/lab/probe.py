"""A client's probes, as a process of its own within the client's namespace.

DNS queries at an even pace, each from a fresh port; long TCP sessions with a message every 200 ms; and a new TCP
connection every 200 ms. Times are of the monotonic clock, which all processes of a machine share, read as a packet is
sent. A query is lost when no answer has come one second after. Results are lines of JSON, in the order in which they
became known: `{"kind": "query", "sent": 12.3, "took": 0.001, "pop": "pop1", "error": null}`.

It is light, so that eight of them do not disturb what they measure: a datagram costs no task and no transport.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any, Final

QUERY_TIMEOUT_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 3.0
MESSAGE_EVERY_S: Final = 0.2
FLUSH_EVERY_S: Final = 0.05
MESSAGE: Final = b"x" * 63 + b"\n"
_NAME: Final = b"\x02id\x06server\x00"
_QUESTION: Final = b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" + _NAME + b"\x00\x10\x00\x03"  # id.server. CH TXT


def query(number: int) -> bytes:
    """Give the question `id.server. CH TXT` with an identifier (RFC 4892 §2.1)."""
    return number.to_bytes(2, "big") + _QUESTION


def identity(answer: bytes) -> str | None:
    """Give the text of the first record of an answer to our question, or None if it is no such answer."""
    at = 12 + len(_NAME) + 4
    if len(answer) < at + 12 or answer[6:8] == b"\x00\x00":
        return None
    at += 2 if answer[at] & 0xC0 else len(_NAME)
    length = answer[at + 10 : at + 11]
    text = answer[at + 11 : at + 11 + length[0]] if length else b""
    return text.decode("ascii", "replace") or None


def ask(source: str, target: str, port: int, timeout_s: float = QUERY_TIMEOUT_S) -> str | None:
    """Ask once and wait: which PoP answers; None where none does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(timeout_s)
        try:
            asking.bind((source, 0))
            asking.connect((target, port))
            asking.send(query(os.getpid() % 65536))
            return identity(asking.recv(512))
        except OSError:
            return None


class Results:
    """Lines of JSON, written together every so often."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a")
        self._lines: list[str] = []

    def add(self, kind: str, sent: float, took: float | None, pop: str | None, error: str | None, **more: Any) -> None:
        """Add one result."""
        result = {"kind": kind, "sent": round(sent, 6), "took": took, "pop": pop, "error": error} | more
        self._lines.append(json.dumps(result))

    def flush(self) -> None:
        """Write what was added."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Write the rest."""
        self.flush()
        self._stream.close()


class Probe:
    """All probes of one client towards one service."""

    def __init__(self, source: str, target: str, ports: tuple[int, int], rate: float, results: Results) -> None:
        self._source = source
        self._target = target
        self._dns_port, self._echo_port = ports
        self._interval_s = 1.0 / rate
        self._results = results
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[socket.socket, tuple[float, asyncio.TimerHandle]] = {}
        self._over = False
        self._number = 0

    async def run(self, sessions: int, stop: asyncio.Event) -> None:
        """Probe until told to stop, and then wait for what is under way."""
        tasks = [asyncio.create_task(self._session(number)) for number in range(sessions)]
        tasks += [asyncio.create_task(self._connect()), asyncio.create_task(self._flush())]
        self._ask(time.monotonic())
        await stop.wait()
        self._over = True
        await asyncio.sleep(QUERY_TIMEOUT_S + FLUSH_EVERY_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._results.close()

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self._results.flush()

    # -- DNS ------------------------------------------------------------------------------------------------------

    def _ask(self, due: float) -> None:
        if self._over:
            return
        self._loop.call_at(due + self._interval_s, self._ask, due + self._interval_s)
        self._number = (self._number + 1) % 65536
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sent = time.monotonic()
        try:
            asking.bind((self._source, 0))
            asking.connect((self._target, self._dns_port))
            sent = time.monotonic()
            asking.send(query(self._number))
        except OSError as error:
            asking.close()
            self._results.add("query", sent, None, None, error.strerror)
            return
        timer = self._loop.call_later(QUERY_TIMEOUT_S, self._answered, asking, "no answer")
        self._waiting[asking] = sent, timer
        self._loop.add_reader(asking, self._answered, asking)

    def _answered(self, asking: socket.socket, error: str | None = None) -> None:
        now = time.monotonic()
        sent, timer = self._waiting.pop(asking)
        timer.cancel()
        self._loop.remove_reader(asking)
        pop = None
        if error is None:
            try:
                pop = identity(asking.recv(512))
                error = None if pop else "not understood"
            except OSError as failure:
                error = failure.strerror
        asking.close()
        self._results.add("query", sent, round(now - sent, 6) if pop else None, pop, error)

    # -- TCP ------------------------------------------------------------------------------------------------------

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await asyncio.open_connection(self._target, self._echo_port, local_addr=(self._source, 0))

    async def _session(self, number: int) -> None:
        """Keep one session for as long as it lives; its end is a result."""
        await asyncio.sleep(MESSAGE_EVERY_S * number / 20)  # not all in one instant
        pop, sent = None, time.monotonic()
        try:
            reader, writer = await self._open()
            while not self._over:
                sent = time.monotonic()
                writer.write(MESSAGE)
                line = await reader.readline()
                if not line:
                    raise ConnectionResetError(0, "closed by the far end")
                pop = line.decode("ascii", "replace").strip()
                self._results.add("message", sent, round(time.monotonic() - sent, 6), pop, None, session=number)
                await asyncio.sleep(MESSAGE_EVERY_S)
            writer.transport.abort()
        except (OSError, TimeoutError) as error:
            text = getattr(error, "strerror", None) or type(error).__name__
            self._results.add("session", sent, None, pop, text, session=number)

    async def _connect(self) -> None:
        """Make a connection for one message, again and again."""
        while not self._over:
            sent, pop, failure = time.monotonic(), None, None
            try:
                reader, writer = await self._open()
                writer.write(MESSAGE)
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    pop = (await reader.readline()).decode("ascii", "replace").strip() or None
                writer.transport.abort()
            except (OSError, TimeoutError) as error:
                failure = getattr(error, "strerror", None) or type(error).__name__
            took = time.monotonic() - sent
            self._results.add("connect", sent, round(took, 6) if pop else None, pop, failure)
            await asyncio.sleep(max(0.0, MESSAGE_EVERY_S - took))


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ports = arguments.port, arguments.echo_port
    probe = Probe(arguments.source, arguments.target, ports, arguments.rate, Results(arguments.out))
    await probe.run(arguments.sessions, stop)


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(prog="probe", description="A client's probes.")
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--echo-port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
