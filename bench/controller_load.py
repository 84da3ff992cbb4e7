"""A controller under load: many agents over real TLS sockets on loopback, against `anycastle controller run`.

The agents are real link clients with a made-up PoP behind each: its state, its permits, its log. They run in processes
of their own. The controller is the command itself, with SQLite. Figures: from a change at an agent until the controller
has acknowledged the report of it; the controller's proportional memory; agents' events stored durably in a second; and
how long a controller that was killed takes, from its start, until every agent has joined and told its state anew.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import click
import msgspec

from anycastle import __version__
from anycastle.base.errors import WorldError
from anycastle.io.agent_sections import sections_of
from anycastle.io.clock import now
from anycastle.io.link.client import LinkClient
from anycastle.io.link.files import CredentialFiles
from anycastle.io.link.host import LogRows
from anycastle.io.local_socket import ask
from anycastle.io.pki.authority import create
from anycastle.model.identity import Role
from anycastle.model.permit import PermitReport, PermitState
from anycastle.session.link_agent import AgentFacts
from anycastle.session.link_clock import Skew
from anycastle.session.link_orders import Answer
from anycastle.session.link_report import Sections
from anycastle.wire.link.message import EventRow, Order
from bench.agent_cost import memory_of

PORT = 19479
JOIN_TIMEOUT_S = 180.0
POLL_S = 0.5
"""The whole status of a thousand PoPs is work for the controller, too: asked seldom, it says little of the asking."""


class MadeUpPoP:
    """A `LinkHost`: services that announce, and a log that grows."""

    def __init__(self, pop: str, services: int, events_per_s: float) -> None:
        self.pop = pop
        self._events_per_s = events_per_s
        self._began = time.monotonic()
        self._term = 0
        self.changes = 0
        names = [f"s{number}" for number in range(services)]
        self._reports = {name: PermitReport(name, PermitState.NONE, 0, exported=True) for name in names}
        routes = [
            {"prefix": f"10.{n // 256}.{n % 256}.0/24", "upstream": up} for n in range(services) for up in ("a", "b")
        ]
        sessions = [
            {"upstream": up, "neighbour": "192.0.2.1", "state": "established", "families": ["IPv4"]}
            for up in ("a", "b")
        ]
        told = {
            "services": [self._service(name, number, "announce") for number, name in enumerate(names)],
            "wanted": routes, "exported": routes, "sessions": sessions, "ready": True, "booted": True, "settled": True,
            "region": "eu", "capacity": 1.0, "problems": [], "assignment": None,
        }  # fmt: skip
        self._sections = sections_of(told)

    def _service(self, name: str, number: int, stance: str) -> dict[str, object]:
        check = {"name": "c", "verdict": "healthy", "evidence": "answered", "severity": "hard", "late": 0, "unknown": 0}
        return {
            "name": name, "stance": stance, "permit": "none", "reason": "serving", "condition": "up",
            "prefixes": [f"10.{number // 256}.{number % 256}.0/24"], "floor": {"pops": 1, "capacity": 0.0},
            "checks": [check], "suppressed": False, "drain": None,
        }  # fmt: skip

    def change(self) -> None:
        self.changes += 1
        told = self._service("s0", 0, "steer" if self.changes % 2 else "announce")
        self._sections = {**self._sections, "services": {**self._sections["services"], "s0": msgspec.json.encode(told)}}

    def facts(self) -> AgentFacts:
        return AgentFacts(self.pop, __version__, self._term, "", f"log-{self.pop}")

    def met(self, term: int, version: int) -> str | None:  # noqa: ARG002
        self._term = max(self._term, term)
        return None

    def lost(self, why: str) -> None: ...
    def trouble(self, text: str) -> None: ...
    def measured(self, skew: Skew) -> None: ...

    def granted(self, service: str, epoch: int) -> None:
        self._reports[service] = PermitReport(service, PermitState.HELD, epoch, exported=True)

    def revoked(self, service: str, epoch: int) -> None:
        self._reports[service] = PermitReport(service, PermitState.NONE, epoch, exported=True)

    def take_assignment(self, octets: bytes) -> None: ...
    def carry_out(self, order: Order) -> None: ...
    def keep_orders(self, orders: Sequence[Answer]) -> None: ...

    def sections(self) -> Sections:
        return self._sections

    def permit_reports(self) -> tuple[Sequence[PermitReport], bool]:
        return list(self._reports.values()), True

    async def read_events(self, after: int, limit: int) -> LogRows:
        written = int((time.monotonic() - self._began) * self._events_per_s)
        fields = msgspec.Raw(b'{"service": "s0", "check": "c", "verdict": "healthy", "evidence": "answered"}')
        wall = now().wall
        rows = [EventRow(wall, "check_changed", fields) for _ in range(min(limit, max(0, written - after)))]
        return LogRows(f"log-{self.pop}", after + 1, rows)


class TimedClient(LinkClient):
    """Notes how long reports take to be acknowledged."""

    changed_at: float | None = None
    pushes: list[float]

    def received(self, channel: object, octets: bytes) -> None:
        super().received(channel, octets)  # type: ignore[arg-type]
        if self.changed_at is not None and b'"report_acked"' in octets:
            self.pushes.append(time.monotonic() - self.changed_at)
            self.changed_at = None


async def agents(folder: Path, names: list[str], services: int, events_per_s: float, changes_per_s: float) -> None:
    """Run agents until told to stop; print the pushes then."""
    random, clients = Random(names[0]), []
    for name in names:
        files = CredentialFiles(folder / "pki/bundle.pem", folder / f"shown/{name}.pem", folder / f"shown/{name}.key")
        host = MadeUpPoP(name, services, events_per_s)
        place = int(name.removeprefix("pop"))
        here = f"127.{1 + place // 250}.{place % 250}.1"  # as each PoP has an address of its own
        client = TimedClient(host, [f"127.0.0.1:{PORT}"], files, random=random, local_address=here)
        client.pushes = []
        clients.append((host, client))
        client.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    measured: list[float] = []

    def begin() -> None:
        for _, client in clients:
            client.pushes.clear()

    def end() -> None:
        measured.extend(push for _, client in clients for push in client.pushes)

    loop.add_signal_handler(signal.SIGUSR1, begin)
    loop.add_signal_handler(signal.SIGUSR2, end)
    while not stop.is_set():
        await asyncio.sleep(1.0 / (changes_per_s * len(names)))
        host, client = random.choice(clients)
        if client.changed_at is None:
            client.changed_at = time.monotonic()
            host.change()
            client.changed()
    print(json.dumps(measured), flush=True)
    os._exit(0)


def controller(folder: Path) -> subprocess.Popen[bytes]:
    shown = ("--authorities", folder / "pki/bundle.pem", "--certificate", folder / "shown/ctl.pem")
    words = (
        "controller", "run", "--store", f"sqlite:///{folder}/controller.db", "--listen", f"127.0.0.1:{PORT}",
        "--address", f"127.0.0.1:{PORT}", "--run-dir", folder / "run", *shown,
    )  # fmt: skip
    code = "from anycastle.cli.main import main; main()"
    log = (folder / "controller.log").open("ab")
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], stdout=log, stderr=log)


def told(folder: Path) -> tuple[int, int]:
    """Give how many agents have joined and told their state, and how many events are stored."""
    try:
        status = ask(folder / "run/controller.sock", {"command": "status"}, 30.0)
    except WorldError:
        return 0, 0
    seen = (status["agents"] or {}).values()
    return sum(each["connected"] and each["unsettled"] is None for each in seen), status["events"]


def wait_settled(folder: Path, count: int) -> float:
    began = time.monotonic()
    while told(folder)[0] < count:
        if time.monotonic() - began > JOIN_TIMEOUT_S:
            sys.exit(f"only {told(folder)[0]} of {count} agents settled")
        time.sleep(POLL_S)
    return time.monotonic() - began


@click.command()
@click.option("--agents", "count", default=1000, show_default=True)
@click.option("--services", default=50, show_default=True)
@click.option("--events", default=2.0, show_default=True, help="A second, of each agent.")
@click.option("--changes", default=0.2, show_default=True, help="Of its state, a second, of each agent.")
@click.option("--span", default=20.0, show_default=True, help="Seconds that are measured.")
@click.option("--worker", hidden=True, help="The agents of one process.")
@click.option("--folder", hidden=True, type=click.Path(path_type=Path))
def main(
    count: int, services: int, events: float, changes: float, span: float, worker: str | None, folder: Path | None
) -> None:
    """A controller with many agents over TLS: pushes, memory, events, restart."""
    if worker is not None and folder is not None:
        asyncio.run(agents(folder, worker.split(","), services, events, changes))
        return
    with tempfile.TemporaryDirectory(prefix="anycastle-load-") as name:
        measure(Path(name), count, services, events, changes, span)


def measure(folder: Path, count: int, services: int, events: float, changes: float, span: float) -> None:
    authority = create(folder / "pki", "load", now().wall)
    names = [f"pop{number:04}" for number in range(count)]
    for name in names:
        authority.issue(Role.POP, name, folder / "shown", now().wall)
    authority.issue(Role.CONTROLLER, "ctl", folder / "shown", now().wall, hosts=("127.0.0.1",))
    leader = controller(folder)
    half = [names[: count // 2], names[count // 2 :]]
    command = [
        sys.executable,
        "-m",
        "bench.controller_load",
        "--services",
        str(services),
        "--events",
        str(events),
        "--changes",
        str(changes),
    ]
    workers = [
        subprocess.Popen([*command, "--folder", str(folder), "--worker", ",".join(each)], stdout=subprocess.PIPE)
        for each in half
    ]
    try:
        first_s = wait_settled(folder, count)
        time.sleep(5.0)
        for each in workers:
            each.send_signal(signal.SIGUSR1)
        before, began = told(folder)[1], time.monotonic()
        time.sleep(span)
        stored, took = told(folder)[1] - before, time.monotonic() - began
        for each in workers:
            each.send_signal(signal.SIGUSR2)
        memory = memory_of(leader.pid)
        leader.kill()
        leader.wait()
        leader = controller(folder)
        settled_s = wait_settled(folder, count)
        pushes = []
        for each in workers:
            each.send_signal(signal.SIGTERM)
            output, _ = each.communicate(timeout=30)
            pushes += json.loads(output)
    finally:
        for process in (leader, *workers):
            if process.poll() is None:
                process.kill()
    pushes.sort()
    p99 = 1000 * pushes[int(len(pushes) * 0.99)]
    print(f"{count} agents with {services} services each; all joined {first_s:.1f} s after the start")
    print(f"state push: p50 {1000 * pushes[len(pushes) // 2]:.0f} ms, p99 {p99:.0f} ms of {len(pushes)} (bar 250)")
    print(f"controller's memory {memory:.0f} MB (bar 400)")
    print(f"events stored {stored / took:.0f}/s of {count * events:.0f}/s told (bar 2000)")
    print(f"killed and started anew: all settled after {settled_s:.1f} s (bar 10)")


if __name__ == "__main__":
    main()
