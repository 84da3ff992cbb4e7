"""What an agent costs, and how fast it is: ours, anycast-healthchecker and ExaBGP's healthcheck, in the same run.

Each contestant watches the same TCP server with N checks a second, one service and one prefix each, and announces to
the same neighbour, a receive-only speaker that notes when each withdrawal arrived, by the kernel's clock. After the
span of measurement the server dies, and with it all services at once.

Figures: CPU seconds and proportional memory of the contestant's processes (those of the checks it forks included, those
of BIRD apart), checks that really reached the server, from the server's death to the neighbour's last withdrawal, and
for one service from the deciding check's end to the withdrawal: medians of several deaths, since one says little. Our
dampening is off, or the service that dies again and again would rightly stay withdrawn; the peers have none.
"""

import json
import os
import random
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path

import click

from anycastle.io.config import load_fleet
from anycastle.io.event_log import EventLog
from anycastle.io.routers.bird_config import bird_snippet
from anycastle.lab.netns import Namespace, end
from anycastle.model.event import CheckChanged
from tests.lab.namespaces import joined

BIN = Path(sys.executable).parent
PORT = 9000
CONFIRM_INTERVAL = "5ms"
"""Ours: the default is 50 ms, which forgives a service a restart; here every millisecond is looked at."""
SETTLE_TIMEOUT_S = 120.0
SO_TIMESTAMPNS, ETH_P_IP = 35, 0x0800
"""include/uapi/asm-generic/socket.h, include/uapi/linux/if_ether.h"""
DEATHS = 7
"""How often the server dies."""
PEER_SERVICES_MAX = {"exabgp": 100}
"""ExaBGP starts a Python process per service: 500 of them take 9 GB."""


@dataclass
class Outcome:
    """One contestant with one number of services."""

    contestant: str
    services: int
    cpu_s: float
    router_cpu_s: float
    memory_mb: float
    checks_per_s: float
    death_to_last_withdrawal_s: float
    deciding_check_to_withdrawal_ms: list[float]
    """Of a lone service, one for each death, in order of size."""


def prefix(number: int) -> str:
    return f"198.{18 + number // 256}.{number % 256}.0/24"


@dataclass
class Contestant:
    """What is started in the PoP's namespace, and what of it counts."""

    name: str
    pop: Namespace
    folder: Path
    services: int

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def processes(self) -> list[int]:
        """Give the processes that count; BIRD and the server do not."""
        own = {os.getpid()}
        return [pid for pid in self.pop.processes() if pid not in own and self._counts(pid)]

    def _counts(self, pid: int) -> bool:
        command = command_of(pid)
        return "bench.agent_cost" not in command and not command.startswith("bird ") and "-m bench" not in command

    def decided_at(self) -> float | None:
        """Give when the last check that decided the withdrawal ended; None where it is not known."""
        return None


class Ours(Contestant):
    """`anycastle agent run` with BIRD."""

    def start(self) -> None:
        fleet = self.folder / "fleet"
        write_fleet(fleet, self.services, self.folder)
        loaded = load_fleet(fleet)
        assert loaded.fleet is not None, loaded.errors[:3]
        run_dir = self.folder / "run"
        snippet = bird_snippet(loaded.fleet.asn, loaded.fleet.pop("one"), run_dir / "bird/announcements.conf")
        export = "ipv4 { import none; export where anycastle_export_t1(); };"
        self.bird = start_bird(self.pop, self.folder, snippet, export)
        self.agent = self.pop.spawn(
            str(BIN / "anycastle"), "agent", "run", "--fleet", str(fleet), "--pop", "one", "--run-dir", str(run_dir),
            "--state-dir", str(self.folder / "state"), log=self.folder / "agent.log",
        )  # fmt: skip

    def stop(self) -> None:
        end(self.agent)
        end(self.bird)

    def decided_at(self) -> float | None:
        with EventLog(self.folder / "state/events.db", read_only=True) as log:
            events = [stored.event() for stored in log.read(kind="check_changed")]
        decided = (e.at for e in events if e and isinstance(e.body, CheckChanged) and e.body.verdict == "unhealthy")
        return max(decided, default=None)


class Healthchecker(Contestant):
    """anycast-healthchecker 0.9.10 with BIRD: a thread and a forked check per service."""

    def start(self) -> None:
        decided = self.folder / "decided"
        names = self.folder / "prefixes.conf"
        names.write_text("define ACAST_PS_ADVERTISE = [ 10.189.200.255/32 ];\n")
        os.chmod(names, 0o666)  # noqa: PTH101
        routes = "".join(f"route {prefix(number)} blackhole;\n" for number in range(self.services))
        config = f'include "{names}";\nprotocol static all_services {{ ipv4;\n{routes}}}\n'
        export = "ipv4 { import none; export where net ~ ACAST_PS_ADVERTISE; };"
        self.bird = start_bird(self.pop, self.folder, config, export)
        conf_dir = self.folder / "services.d"
        conf_dir.mkdir()
        check = peer_check(decided)
        for number in range(self.services):
            (conf_dir / f"s{number}.conf").write_text(
                f"[s{number}]\ncheck_cmd = {check}\ncheck_interval = 1\ncheck_timeout = 1\ncheck_rise = 2\n"
                f"check_fail = 3\ncheck_disabled = false\non_disabled = withdraw\nip_prefix = {prefix(number)}\n"
                "ip_check_disabled = true\n"
            )
        birdc = f"/usr/sbin/birdc -s {self.folder}/bird.ctl configure"
        main = self.folder / "healthchecker.conf"
        main.write_text(
            "[DEFAULT]\ninterface = lo\n[daemon]\n"
            f"pidfile = {self.folder}/healthchecker.pid\nipv4 = true\nipv6 = false\nbird_conf = {names}\n"
            f"bird_variable = ACAST_PS_ADVERTISE\nbird_reconfigure_cmd = {birdc}\nloglevel = error\n"
            f"log_file = {self.folder}/healthchecker.out\nstderr_file = {self.folder}/healthchecker.err\n"
        )
        (self.folder / "healthchecker.out").touch()
        self.checker = self.pop.spawn(
            str(BIN / "anycast-healthchecker"), "-f", str(main), "-d", str(conf_dir), log=self.folder / "checker.log"
        )

    def stop(self) -> None:
        end(self.checker)
        end(self.bird)

    def decided_at(self) -> float | None:
        return deciding_failure(self.folder / "decided")


class Exabgp(Contestant):
    """ExaBGP 5.0.15: a healthcheck process and a forked check per service."""

    def start(self) -> None:
        check = peer_check(self.folder / "decided")
        script = self.folder / "check.sh"
        script.write_text(f"#!/bin/bash\n{check}\n")
        script.chmod(0o755)
        watches = "".join(
            f"process watch-{number} {{ run {sys.executable} -m exabgp healthcheck --cmd {script} --interval 1 "
            f"--fast-interval 1 --timeout 1 --rise 2 --fall 3 --ip {prefix(number)} --no-ip-setup --withdraw-on-down "
            f"--no-syslog --next-hop 10.99.0.1; encoder text; }}\n"
            for number in range(self.services)
        )
        names = ", ".join(f"watch-{number}" for number in range(self.services))
        config = self.folder / "exabgp.conf"
        config.write_text(
            f"{watches}neighbor 10.99.0.2 {{ router-id 10.99.0.1; local-address 10.99.0.1; local-as 64500;"
            f" peer-as 64601; hold-time 30; family {{ ipv4 unicast; }} api {{ processes [ {names} ]; }} }}\n"
        )
        environment = {"exabgp.daemon.user": "root", "exabgp.log.level": "ERROR", "exabgp.api.cli": "false"}
        self.exabgp = self.pop.spawn(
            "env", *(f"{key}={value}" for key, value in environment.items()), str(BIN / "exabgp"), "server",
            str(config),
            log=self.folder / "exabgp.log",
        )  # fmt: skip

    def stop(self) -> None:
        end(self.exabgp)
        for pid in self.processes():
            with_signal(pid, signal.SIGKILL)

    def decided_at(self) -> float | None:
        return deciding_failure(self.folder / "decided")


CONTESTANTS: dict[str, type[Contestant]] = {"anycastle": Ours, "healthchecker": Healthchecker, "exabgp": Exabgp}


def peer_check(decided: Path) -> str:
    """Give a check as cheap as a shell makes it: a connection by bash itself, and a time noted when it fails."""
    return f"/bin/bash -c ': 2>/dev/null </dev/tcp/127.0.0.1/{PORT} || {{ echo $EPOCHREALTIME >> {decided}; exit 1; }}'"


def write_fleet(folder: Path, services: int, run: Path) -> None:
    (folder / "pops").mkdir(parents=True)
    (folder / "services").mkdir()
    (folder / "fleet.yaml").write_text("name: bench\nasn: 64500\nregions: [here]\n")
    for place, pop in enumerate(("one", "two"), 1):
        (folder / "pops" / f"{pop}.yaml").write_text(
            f"name: {pop}\ncity: {pop}\nlocation: {{latitude: 0, longitude: 0}}\nregion: here\n"
            f"router: {{driver: bird, router_id: 10.99.0.{place}, options: {{control_socket: {run}/bird.ctl}}}}\n"
            "upstreams:\n  - name: t1\n    kind: peer\n    asn: 64601\n    bfd: false\n"
            f"    neighbours: [{{address: 10.99.0.2, local_address: 10.99.0.{place}}}]\n"
            if place == 1
            else f"name: {pop}\ncity: {pop}\nlocation: {{latitude: 0, longitude: 0}}\nregion: here\n"
            "router: {driver: bird, router_id: 10.99.9.9}\n"
            "upstreams:\n  - {name: t1, kind: peer, asn: 64601, neighbours: [{address: 10.99.9.2}]}\n"
        )
    for number in range(services):
        address = prefix(number).replace(".0/24", ".1")
        (folder / "services" / f"s{number}.yaml").write_text(
            f"name: s{number}\nprefixes: [{prefix(number)}]\naddresses: [{address}]\npops: [one, two]\n"
            f"manage_addresses: false\nfloor: {{pops: 1}}\ndampening: {{penalty: 0.001}}\nchecks:\n"
            f"  - name: tcp\n    tcp: {{address: 127.0.0.1, port: {PORT}}}\n"
            f"    interval: 1s\n    timeout: 1s\n    fall: 3\n    rise: 2\n    confirm_interval: {CONFIRM_INTERVAL}\n"
        )


def start_bird(pop: Namespace, folder: Path, body: str, channel: str) -> subprocess.Popen[bytes]:
    config = folder / "bird.conf"
    config.write_text(
        f"router id 10.99.0.1;\nprotocol device {{}}\n{body}\nprotocol bgp t1 {{ local 10.99.0.1 as 64500; "
        f"neighbor 10.99.0.2 as 64601; hold time 30; connect delay time 1; {channel} }}\n"
    )
    return pop.spawn("bird", "-f", "-c", str(config), "-s", f"{folder}/bird.ctl", log=folder / "bird.log")


# -- figures --------------------------------------------------------------------------------------------------------


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def cpu_of(pid: int) -> float:
    """Give a process's CPU seconds, with those of the children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Give a process's proportional set size in MB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def deciding_failure(path: Path) -> float | None:
    """Give the time of the third failure: the one that decides, with a fall of three."""
    failures = path.read_text().split() if path.exists() else []
    return float(failures[2]) if len(failures) > 2 else None


def with_signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class Neighbour:
    """The observer's process, and what it has heard: `time;announced;withdrawn` a line."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self._heard = folder / "heard"
        self._heard.touch()
        self._process = namespace.spawn(
            sys.executable, "-m", "bench.agent_cost", "--role", "neighbour", "--note", str(self._heard),
            log=folder / "neighbour.log",
        )  # fmt: skip

    def held(self) -> int:
        routes: set[str] = set()
        for _, announced, withdrawn in self._lines():
            routes = (routes | announced) - withdrawn
        return len(routes)

    def last_withdrawal(self) -> float:
        return max(at for at, _, withdrawn in self._lines() if withdrawn)

    def _lines(self) -> Iterator[tuple[float, set[str], set[str]]]:
        whole, _, _ = self._heard.read_text().rpartition("\n")  # the last line may still be being written
        for line in whole.splitlines():
            at, announced, withdrawn = line.split(";")
            yield float(at), set(announced.split()), set(withdrawn.split())

    def stop(self) -> None:
        end(self._process)


class Server:
    """The service: a process that accepts and closes, and counts."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self._count = folder / "accepted"
        self._process = namespace.spawn(
            sys.executable, "-m", "bench.agent_cost", "--role", "server", "--note", str(self._count),
            log=folder / "server.log",
        )  # fmt: skip

    def accepted(self) -> int:
        return int(self._count.read_text() or 0) if self._count.exists() else 0

    def die(self) -> float:
        self._process.kill()
        self._process.wait()
        return time.time()


def measure(kind: type[Contestant], name: str, services: int, span_s: float) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/dev/shm"))  # as /run is: a tmpfs
    folder.chmod(0o755)
    with joined("bc") as (pop, neighbour), contextmanager(_cleaned)(folder):
        heard, server = Neighbour(neighbour, folder), Server(pop, folder)
        contestant = kind(name, pop, folder, services)
        contestant.start()
        try:
            wait_until(lambda: heard.held() == services, f"{name}: {services} announced")
            time.sleep(2.0)
            counted, before, began = contestant.processes(), server.accepted(), time.monotonic()
            routers = [pid for pid in pop.processes() if command_of(pid).startswith("bird ")]
            cpu_before, router_before = sum(map(cpu_of, counted)), sum(map(cpu_of, routers))
            time.sleep(span_s)
            span, accepted = time.monotonic() - began, server.accepted() - before
            cpu, router = sum(map(cpu_of, counted)) - cpu_before, sum(map(cpu_of, routers)) - router_before
            memory = sum(map(memory_of, counted))
            took, after_decision = [], []
            for death in range(DEATHS):
                if death:
                    server = Server(pop, folder)
                    wait_until(lambda: heard.held() == services, f"{name}: {services} announced again")
                    time.sleep(1.5 + random.random())  # not always at the same moment of the interval
                (folder / "decided").unlink(missing_ok=True)
                died = server.die()
                wait_until(lambda: heard.held() == 0, f"{name}: {services} withdrawn")
                withdrawn = heard.last_withdrawal()
                time.sleep(1.0)  # the event log is written behind the decision
                took.append(withdrawn - died)
                if services == 1 and (decided := contestant.decided_at()) is not None:
                    after_decision.append(round(1000 * (withdrawn - decided), 2))
        finally:
            contestant.stop()
            heard.stop()
            server.die()
    return Outcome(
        contestant=name,
        services=services,
        cpu_s=round(cpu * 30 / span, 2),
        router_cpu_s=round(router * 30 / span, 2),
        memory_mb=round(memory, 1),
        checks_per_s=round(accepted / span, 1),
        death_to_last_withdrawal_s=round(statistics.median(took), 3),
        deciding_check_to_withdrawal_ms=sorted(after_decision),
    )


def _cleaned(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: "object", what: str) -> None:
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {SETTLE_TIMEOUT_S:g} s: {what}")
        time.sleep(0.05)


# -- the roles of the processes in the namespaces -------------------------------------------------------------------


class Arrivals:
    """When the neighbour's interface last took octets of the session, so that its own work is nobody's delay."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._last = 0.0

    def last(self) -> float:
        """Give the time of the last packet from the PoP that carries octets."""
        while True:
            try:
                packet, ancillary, _, address = self._socket.recvmsg(128, 64)
            except BlockingIOError:
                return self._last
            header, total = 4 * (packet[0] & 15), int.from_bytes(packet[2:4])
            if address[2] == socket.PACKET_HOST and total > header + 4 * (packet[header + 12] >> 4):
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                self._last = seconds + nanoseconds / 1e9


def play_neighbour(note: Path) -> None:
    import asyncio

    from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
    from anycastle.io.speaker.event import RoutesReceived, SpeakerEvent
    from anycastle.io.speaker.speaker import Speaker
    from anycastle.model.asn import ASN
    from anycastle.session.config import SessionConfig

    arrivals = Arrivals()
    with note.open("a", buffering=1) as notes:

        def heard(event: SpeakerEvent) -> None:
            if isinstance(event, RoutesReceived):
                at = arrivals.last()
                announced = " ".join(str(route.prefix) for route in event.announced)
                notes.write(f"{at};{announced};{' '.join(map(str, event.withdrawn))}\n")

        async def listen() -> None:
            here, there = IPv4Address("10.99.0.2"), IPv4Address("10.99.0.1")
            session = SessionConfig(ASN(64601), ASN(64500), here, "pop", passive=True, idle_hold_s=0.1)
            neighbour = NeighbourConfig("pop", there, session, local_address=here)
            await Speaker(SpeakerConfig((neighbour,), ((here, 179),)), heard).start()
            await asyncio.Event().wait()

        asyncio.run(listen())


def play_server(note: Path) -> None:
    accepted, noted = 0, 0.0
    with socket.create_server(("127.0.0.1", PORT), backlog=4096) as server:
        while True:
            server.accept()[0].close()
            accepted += 1
            if time.monotonic() - noted > 0.1:
                noted = time.monotonic()
                note.write_text(str(accepted))


@click.command()
@click.option("--services", multiple=True, type=int, default=(1, 100, 500), show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(CONTESTANTS)), help="Only these contestants.")
@click.option("--span", "span_s", default=30.0, show_default=True, help="Seconds of measurement.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here as well.")
@click.option("--role", type=click.Choice(["neighbour", "server"]), hidden=True)
@click.option("--note", type=click.Path(path_type=Path), hidden=True)
def main(
    services: tuple[int, ...], only: tuple[str, ...], span_s: float, json_file: Path | None, role: str, note: Path
) -> None:
    """Measure what an agent costs, and how fast it is, beside its peers."""
    if role is not None:
        return {"neighbour": play_neighbour, "server": play_server}[role](note)
    outcomes = []
    print(
        f"{'':14} {'services':>8} {'CPU-s/30s':>9} {'BIRD':>6} {'MB':>7} {'checks/s':>9}"
        f" {'all dead':>9} {'decided':>18}"
    )
    for count in services:
        for name in only or CONTESTANTS:
            if count > PEER_SERVICES_MAX.get(name, count):
                print(f"{name:14} {count:8}  not run: one Python process a service")
                continue
            o = measure(CONTESTANTS[name], name, count, span_s)
            outcomes.append(asdict(o))
            dead = f"{o.death_to_last_withdrawal_s:.3f} s"
            after = o.deciding_check_to_withdrawal_ms
            decided = f"{statistics.median(after):.1f} ms ({after[0]:.1f}-{after[-1]:.1f})" if after else "-"
            print(
                f"{name:14} {count:8} {o.cpu_s:9.2f} {o.router_cpu_s:6.2f} {o.memory_mb:7.1f} {o.checks_per_s:9.1f}"
                f" {dead:>9} {decided:>18}", flush=True,
            )  # fmt: skip
    if json_file is not None:
        json_file.write_text(json.dumps(outcomes, indent=2))
    return None


if __name__ == "__main__":
    main()
