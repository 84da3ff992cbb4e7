"""A client network of the scripted day: it asks, holds sessions, and counts. It knows nothing of this project.

Run as `python -m tests.lab.day_client SETTINGS.json`; on SIGTERM it writes what it counted and ends.
"""

import asyncio
import json
import random
import signal
import struct
import sys
import time
from pathlib import Path

TIMEOUT_S = 4.0
PROBE_S = 1.0
ANSWER_S = 9.0
"""How long a user waits: longer than the servers' own timeouts, since what they answer they have counted."""
SESSION_S = 5.0
BEAT_S = 0.3


class Client:
    def __init__(self, settings: dict) -> None:
        self.settings = settings
        self.source = settings["source"]
        self.random = random.Random(settings["seed"])
        self.over = asyncio.Event()
        self.counts: dict[str, dict[str, int]] = {}
        self.times_ms: list[float] = []
        self.late_ms: list[float] = []
        self.served: dict[str, set[int]] = {}
        self.tasks: set[asyncio.Task] = set()
        self.next_port = 20_000

    def count(self, what: str, outcome: str) -> None:
        row = self.counts.setdefault(what, {})
        row[outcome] = row.get(outcome, 0) + 1

    async def live(self) -> None:
        s = self.settings
        loops = [
            self.every(s["probe_s"], self.probe_web),
            self.every(s["dns_s"], self.probe_dns),
            self.every(s["use_s"], self.use),
            self.every(s["static_s"], self.static),
            self.every(s["session_s"], self.session),
        ]
        running = [asyncio.create_task(each) for each in loops]
        await self.over.wait()
        for each in running:
            each.cancel()
        await asyncio.gather(*running, *self.tasks, return_exceptions=True)

    async def every(self, seconds: float, act) -> None:
        await asyncio.sleep(self.random.uniform(0, seconds))
        due = time.monotonic()
        while True:
            task = asyncio.create_task(act())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            due += seconds
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late_ms.append((time.monotonic() - due) * 1000)

    async def get(self, port: int, path: str, timeout_s: float = ANSWER_S) -> tuple[int, dict[str, str], bytes] | None:
        """GET a page over a connection of its own; None for no answer."""
        writer = None
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(self.settings["edge"], port, local_addr=(self.source, 0))
                writer.write(f"GET {path} HTTP/1.1\r\nHost: day.example\r\nConnection: close\r\n\r\n".encode())
                head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        except (OSError, TimeoutError):
            return None
        finally:
            if writer is not None:
                writer.close()
        lines = head.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/1.1 "):
            return None
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        return int(lines[0].split()[1]), fields, body

    async def probe_web(self) -> None:
        asked = time.time()
        began = time.perf_counter()
        answer = await self.get(80, "/probe", PROBE_S)
        if answer is not None and answer[0] == 200 and b"hello" in answer[2]:
            self.times_ms.append((time.perf_counter() - began) * 1000)
            self.count("reached", "yes")
            self.served.setdefault(answer[1].get("x-pop", ""), set()).add(int(asked))
        else:
            self.count("reached", "no")

    async def probe_dns(self) -> None:
        number = self.random.randrange(1 << 16)
        query = struct.pack("!6H", number, 0, 1, 0, 0, 0) + b"\x07example\x00" + struct.pack("!2H", 6, 1)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future = loop.create_future()

        class Datagrams(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _address: object) -> None:
                if not answered.done() and data[:2] == query[:2]:
                    answered.set_result(data[3] & 15)

            def error_received(self, error: Exception) -> None:
                if not answered.done():
                    answered.set_exception(error)

        transport = None
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PROBE_S):
                transport, _ = await loop.create_datagram_endpoint(
                    Datagrams, local_addr=(self.source, 0), remote_addr=(self.settings["dns"], 53)
                )
                began = time.perf_counter()
                transport.sendto(query)
                rcode = await answered
        except (OSError, TimeoutError):
            self.count("reached", "no")
            self.count("dns", "unanswered")
            return
        finally:
            if transport is not None:
                transport.close()
        self.count("dns", "answered")
        if rcode == 0:
            self.times_ms.append((time.perf_counter() - began) * 1000)
        self.count("reached", "yes" if rcode == 0 else "no")

    async def use(self) -> None:
        """What users do: objects that may be cached, some often and some seldom, and pages that may not."""
        path = f"/obj/{int(self.random.paretovariate(0.7)) % 5000}"
        if self.random.random() < 0.2:
            path = f"/private/{self.random.randrange(100)}"
        answer = await self.get(80, path)
        self.count("status", str(answer[0]) if answer else "none")
        if answer and "x-cache" in answer[1]:
            self.count("cache", answer[1]["x-cache"])

    async def static(self) -> None:
        path = "/absent" if self.random.random() < 0.05 else "/static"
        answer = await self.get(8081, path)
        self.count("static", str(answer[0]) if answer else "none")

    async def session(self) -> None:
        """Hold a session, a word every 0.3 s; it died where it was reset, or nobody answered for four seconds."""
        # A port is used once: the kernel would give one that it has just used to somebody else.
        self.next_port += 1
        writer = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    self.settings["edge"], 9000, local_addr=(self.source, self.next_port)
                )
        except (OSError, TimeoutError):
            self.count("sessions", "refused")
            return
        try:
            end = time.monotonic() + SESSION_S
            while time.monotonic() < end and not self.over.is_set():
                writer.write(b"still there\n")
                async with asyncio.timeout(TIMEOUT_S):
                    if not await reader.readline():
                        raise ConnectionResetError
                await asyncio.sleep(BEAT_S)
            writer.write_eof()
            async with asyncio.timeout(TIMEOUT_S):
                await reader.read(-1)
            self.count("sessions", "orderly")
        except (OSError, TimeoutError):
            self.count("sessions", "died")
        finally:
            writer.close()


async def main(settings: dict) -> None:
    client = Client(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, client.over.set)
    await client.live()
    served = {pop: sorted(seconds) for pop, seconds in client.served.items()}
    told = {"counts": client.counts, "times_ms": client.times_ms, "late_ms": client.late_ms, "served": served}
    out = Path(settings["out"])
    out.with_suffix(".new").write_text(json.dumps(told))
    out.with_suffix(".new").rename(out)


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
