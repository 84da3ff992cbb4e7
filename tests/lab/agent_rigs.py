"""A PoP of real processes: router, agent, watchdog and services, with an observer as its upstream.

`EmbeddedRig` needs no root: everything is on loopback addresses of its own. `BirdRig` is two network namespaces. Both
are driven in the same words, so that one test body proves the same of both.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

from anycastle.base.errors import WorldError
from anycastle.io.assignment_json import encode
from anycastle.io.config.write import write_fleet
from anycastle.io.event_log import EventLog, StoredEvent
from anycastle.io.local_socket import ask
from anycastle.io.routers.bird import FILE_NAME
from anycastle.io.routers.bird_config import bird_snippet, removal_of_stale
from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check, TCPTarget
from anycastle.model.community import GRACEFUL_SHUTDOWN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.rollout.compose import compose
from anycastle.rollout.desired import Desired
from anycastle.rollout.revision import Revision
from tests.lab.namespaces import Namespace, end, joined, run
from tests.lab.observer import OWN, PEER, Observer

Result = TypeVar("Result")

WAIT_S = 30.0
POLL_S = 0.01
POP = "ams"
POPS = (POP, "fra", "lon")
UPSTREAM = "transit"
PREFIXES = {"dns": "192.0.2.0/24", "web": "198.51.100.0/24"}
ADDRESSES = {"dns": "192.0.2.53", "web": "198.51.100.80"}
SERVICE_PORTS = {"dns": 5353, "web": 8080}
PAGES_PORT = 9477
STEERED = RouteAttributes(prepend=2, communities=frozenset({GRACEFUL_SHUTDOWN}))

_ANYCASTLE = str(Path(sys.executable).with_name("anycastle"))
_SERVER = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
while True:
    server.accept()[0].close()
"""


def until(probe: Callable[[], Result], what: str = "", wait_s: float = WAIT_S) -> Result:
    """Give the first result that is true."""
    deadline = time.monotonic() + wait_s
    while not (result := probe()):
        assert time.monotonic() < deadline, f"not within {wait_s:g} s: {what or probe}"
        time.sleep(POLL_S)
    return result


class Rig:
    """What both rigs share. `begin` sets all up; `close` leaves nothing behind."""

    address: str
    """Where the services answer their checks, unless their addresses are managed."""
    observer: Observer

    def __init__(self, folder: Path, *, graceful: bool) -> None:
        self.folder = folder
        self.graceful = graceful
        self.fleet_dir, self.state_dir, self.run_dir = folder / "fleet", folder / "state", folder / "run"
        self.agent: subprocess.Popen[bytes] | None = None
        self.services: dict[str, subprocess.Popen[bytes]] = {}
        self.fleet: Fleet
        self.starts = 0
        self._stack = ExitStack()
        self._spawned: list[subprocess.Popen[bytes]] = []

    # -- what differs -------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        raise NotImplementedError

    def pop(self) -> PoP:
        raise NotImplementedError

    def start_router(self) -> None:
        raise NotImplementedError

    def stop_router(self) -> None:
        """Stop it in good order."""
        raise NotImplementedError

    def kill_router(self) -> None:
        raise NotImplementedError

    def break_router(self) -> None:
        """Have it take no change, while its sessions stay."""
        raise NotImplementedError

    def mend_router(self) -> None:
        raise NotImplementedError

    def command(self, *arguments: str) -> list[str]:
        """Give a command as it runs where the PoP is."""
        return list(arguments)

    def inside(self, function: Callable[[], Result]) -> Result:
        """Call a function where the PoP is."""
        return function()

    # -- life ---------------------------------------------------------------------------------------------------------

    def begin(self, *services: Service) -> None:
        """Start the services, the router, the observer and the agent; give back once all is announced."""
        self.prepare()
        self.write(*services)
        for each in services:
            self.start_service(each.name)
        self.start_router()
        self._stack.callback(self.observer.stop)
        self.observer.start()
        self.start_agent()
        self.expect_announced(*(each.name for each in services))
        self.expect_ready()

    def close(self) -> None:
        try:
            if self.agent is not None and self.agent.poll() is None:
                self.agent.kill()
                self.agent.wait()
            for pid in self.watchdogs():
                os.kill(pid, signal.SIGKILL)
            for process in self._spawned:
                process.send_signal(signal.SIGCONT)
                end(process)
        finally:
            self._stack.close()

    def spawn(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            process = subprocess.Popen(
                self.command(*arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/"
            )
        self._spawned.append(process)
        return process

    def write(self, *services: Service, pop: PoP | None = None) -> None:
        """Write the fleet folder: this PoP and two that exist on paper only."""
        mine = pop or self.pop()
        others = (
            replace(mine, name=name, router=replace(mine.router, router_id=IPv4Address(f"10.0.0.{number}")))
            for number, name in enumerate(POPS[1:], 2)
        )
        self.fleet = Fleet("rows", OWN, ("europe",), (mine, *others), services)
        for old in (self.fleet_dir / "services").glob("*.yaml"):
            old.unlink()
        write_fleet(self.fleet, self.fleet_dir)

    # -- services -----------------------------------------------------------------------------------------------------

    def service(self, name: str = "dns", *, fall: int = 2, **changes: Any) -> Service:
        """A service with quick checks; two of its three PoPs hold a permit, this one among them."""
        managed = changes.get("manage_addresses", False)
        at = parse_address(ADDRESSES[name] if managed else self.address)
        made = Check("tcp", TCPTarget(at, SERVICE_PORTS[name]), interval_s=0.2, timeout_s=0.2, rise=2, fall=fall)
        given = Service(
            name=name,
            prefixes=(parse_prefix(PREFIXES[name]),),
            addresses=(parse_address(ADDRESSES[name]),),
            pops=POPS,
            checks=(made,),
            policies={(pop, UPSTREAM): Policy(steered=STEERED) for pop in POPS},
            floor=Floor(pops=1),
            manage_addresses=False,
        )
        return replace(given, **changes)

    def start_service(self, name: str = "dns") -> None:
        managed = next(each for each in self.fleet.services if each.name == name).manage_addresses
        at = "0.0.0.0" if managed else self.address
        arguments = (sys.executable, "-S", "-c", _SERVER, at, str(SERVICE_PORTS[name]))
        self.services[name] = self.spawn(*arguments, log=f"{name}.log")

    def kill_service(self, name: str = "dns") -> None:
        process = self.services.pop(name)
        process.kill()
        process.wait()

    # -- agent --------------------------------------------------------------------------------------------------------

    def start_agent(self) -> None:
        self.starts += 1
        self.agent = self.spawn(
            *(_ANYCASTLE, "agent", "run", "--fleet", str(self.fleet_dir), "--pop", POP),
            *("--state-dir", str(self.state_dir), "--run-dir", str(self.run_dir)),
            *("--listen", f"{self.address}:{PAGES_PORT}"),
            log="agent.log",
        )
        until(lambda: self.status() is not None, f"the agent answers; {self.agent_log()}")

    def start_agent_in_vain(self) -> str:
        """Start an agent that ends with an error, and give what it said."""
        self.agent = self.spawn(
            *(_ANYCASTLE, "agent", "run", "--fleet", str(self.fleet_dir), "--pop", POP),
            *("--state-dir", str(self.state_dir), "--run-dir", str(self.run_dir), "--listen", "none"),
            log="agent-in-vain.log",
        )
        code, said = self.agent.wait(WAIT_S), (self.folder / "agent-in-vain.log").read_text()
        assert code > 0, said
        return said

    def forget_assignment(self, *, done: bool = True) -> str:
        """Ask for it as an operator would, and give what was said."""
        asked = (_ANYCASTLE, "agent", "forget-assignment", "--pop", POP, "--state-dir", str(self.state_dir))
        told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=WAIT_S)
        assert (told.returncode == 0) is done, told.stderr
        return told.stdout + told.stderr

    def signal_agent(self, number: signal.Signals) -> None:
        assert self.agent is not None
        self.agent.send_signal(number)

    def stop_agent(self) -> None:
        """Stop it in good order."""
        assert self.agent is not None
        self.signal_agent(signal.SIGTERM)
        assert self.agent.wait(WAIT_S) == 0, self.agent_log()

    def kill_agent(self) -> None:
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait()

    def agent_log(self) -> str:
        path = self.folder / "agent.log"
        return path.read_text() if path.exists() else ""

    def status(self) -> dict[str, Any] | None:
        """What the agent says of itself; None while it does not answer."""
        try:
            return ask(self.run_dir / "agent.sock", {"command": "status"}, 5.0)
        except WorldError:
            assert self.agent is not None
            assert self.agent.poll() is None, self.agent_log()
            return None

    def stance(self, name: str = "dns") -> dict[str, Any]:
        told = until(self.status, "the agent answers")
        return next(service for service in told["services"] if service["name"] == name)

    def cli(self, *arguments: str) -> str:
        """Run `anycastle agent ...` as an operator would."""
        command, *rest = arguments
        return run(_ANYCASTLE, "agent", command, "--pop", POP, "--run-dir", str(self.run_dir), *rest)

    def assignment(self, *services: Service, pop: PoP | None = None) -> bytes:
        """What a controller would send this PoP for a fleet with these services."""
        mine = pop or self.pop()
        others = (replace(mine, name=name) for name in POPS[1:])
        whole = Fleet("rows", OWN, ("europe",), (mine, *others), services)
        told = compose(Desired("one"), {"one": Revision(whole)}, POP)
        assert told is not None
        return encode(told)

    def assign(self, octets: bytes) -> dict[str, Any]:
        """Give the agent an assignment, as a controller would. Raises `MisuseError` where it refuses."""
        return ask(self.run_dir / "agent.sock", {"command": "assign", "assignment": octets.decode()}, 5.0)

    def page(self, path: str) -> tuple[int, str]:
        """GET a page of the agent."""

        def get() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://{self.address}:{PAGES_PORT}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        return self.inside(get)

    def expect_ready(self) -> None:
        """Wait until nothing keeps the agent from being ready, its watchdog's absence included."""
        until(lambda: self.page("/readyz")[0] == 200, "the agent is ready")

    def watchdogs(self) -> list[int]:
        """Processes that watch for this rig's agent."""
        return watchdogs_below(self.state_dir)

    # -- what is to be seen -------------------------------------------------------------------------------------------

    def announced(self) -> set[str]:
        """The services whose prefixes the observer has."""
        return {name for name, prefix in PREFIXES.items() if prefix in self.observer.table}

    def expect_announced(self, *names: str) -> None:
        until(lambda: self.announced() == set(names), f"announced: {names}; {self.seen()}")

    def seen(self) -> str:
        return f"{self.observer.steps} {self.agent_log()}"

    def events(self, kind: str | None = None) -> list[StoredEvent]:
        with EventLog(self.state_dir / "events.db", read_only=True) as log:
            return list(log.read(kind=kind))

    def expect_event(self, kind: str, **fields: object) -> StoredEvent:
        def found() -> list[StoredEvent]:
            return [each for each in self.events(kind) if fields.items() <= each.fields.items()]

        return until(found, f"{kind} {fields}; there is: {self.events()}")[-1]

    def found_at_last_start(self) -> list[str]:
        """What the agent that was started last found announced."""

        def found() -> list[StoredEvent]:
            started = self.events("agent_started")[-1].sequence
            later = [each for each in self.events("announcements_found") if each.sequence > started]
            return later if len(self.events("agent_started")) == self.starts else []

        announced: list[str] = until(found, f"the agent has found something; {self.events()}")[0].fields["announced"]
        return announced

    def expect_sound_log(self) -> None:
        assert "unbroken" in run(_ANYCASTLE, "events", "verify", str(self.state_dir / "events.db"))


def watchdogs_below(folder: Path) -> list[int]:
    """Give the watchdogs of agents that keep their state in a folder: one whose router is gone waits on and on."""
    return [pid for pid, log in _watchdogs() if log.startswith(str(folder))]


def _watchdogs() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"anycastle.daemons.watchdog" in (folder / "cmdline").read_bytes():
                yield int(folder.name), str((folder / "fd" / "1").readlink())
        except OSError:
            continue  # it ended meanwhile


def finished(rig: Rig) -> None:
    """Check what holds after every row: a sound log, and nothing left behind."""
    try:
        if rig.state_dir.exists():
            rig.expect_sound_log()
    finally:
        rig.close()
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(rig.folder).encode() in _octets(path)]
    assert not left, left
    until(lambda: not rig.watchdogs(), "a watchdog that was killed is gone")


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class EmbeddedRig(Rig):
    """The embedded speaker, on loopback."""

    def __init__(self, folder: Path, *, graceful: bool) -> None:
        super().__init__(folder, graceful=graceful)
        number = os.getpid() & 0x3FFF
        self.address, self.neighbour = (f"127.{64 + (number >> 8)}.{number & 0xFF}.{host}" for host in (1, 2))
        self._speaker: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self.observer = Observer(self.neighbour, self.address, (1791, 1790), graceful=self.graceful)

    def pop(self) -> PoP:
        neighbour = Neighbour(parse_address(self.neighbour), parse_address(self.address), 1791)
        options = {"port": "1790", "graceful_restart": "true" if self.graceful else "false"}
        return _pop(Router("embedded", IPv4Address("10.0.0.1"), options), neighbour)

    def start_router(self) -> None:
        self._speaker = self.spawn(
            *(_ANYCASTLE, "speaker", "run", "--fleet", str(self.fleet_dir), "--pop", POP),
            *("--run-dir", str(self.run_dir)),
            log="speaker.log",
        )

    def stop_router(self) -> None:
        assert self._speaker is not None
        self._speaker.terminate()
        assert self._speaker.wait(WAIT_S) == 0, (self.folder / "speaker.log").read_text()

    def kill_router(self) -> None:
        assert self._speaker is not None
        self._speaker.kill()
        self._speaker.wait()

    def break_router(self) -> None:
        assert self._speaker is not None
        self._speaker.send_signal(signal.SIGSTOP)

    def mend_router(self) -> None:
        assert self._speaker is not None
        self._speaker.send_signal(signal.SIGCONT)


_BIRD = """
log "{folder}/bird.log" all;
router id 10.0.0.1;
protocol device {{}}
{snippet}
protocol bgp transit {{
  local 10.99.0.1 as {own};
  neighbor 10.99.0.2 as {peer};
  hold time 90;
  connect delay time 1; connect retry time 1; error wait time 1, 1;
  {graceful};
  ipv4 {{ import none; export where anycastle_export_transit(); }};
}}
"""


class BirdRig(Rig):
    """BIRD in a namespace, the observer in another."""

    address = "127.0.0.1"

    def __init__(self, folder: Path, *, graceful: bool) -> None:
        super().__init__(folder, graceful=graceful)
        self.bird_conf, self.socket = folder / "bird.conf", folder / "bird.ctl"
        self.announcements = self.run_dir / "bird" / FILE_NAME
        self.namespace: Namespace
        self._bird: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self.namespace, neighbour = self._stack.enter_context(joined(f"row{os.getpid() & 0xFFFF:x}"))
        self.write_bird()
        self.observer = Observer("10.99.0.2", "10.99.0.1", (179, 179), graceful=self.graceful, namespace=neighbour)

    def pop(self) -> PoP:
        neighbour = Neighbour(parse_address("10.99.0.2"), parse_address("10.99.0.1"))
        options = {"control_socket": str(self.socket)}
        return _pop(Router("bird", IPv4Address("10.0.0.1"), options), neighbour)

    def write_bird(self, *, extra: str = "") -> None:
        text = _BIRD.format(
            folder=self.folder,
            snippet=bird_snippet(OWN, self.pop(), self.announcements),
            own=OWN,
            peer=PEER,
            graceful="graceful restart on" if self.graceful else "graceful restart off",
        )
        self.bird_conf.write_text(text + extra)

    def start_router(self) -> None:
        """Start BIRD as docs/how-to/bird.md has it: a file that nobody renews goes first."""
        if self.announcements.parent.exists():
            subprocess.run(removal_of_stale(str(self.announcements.parent), 2).split(), check=False)
        recover = ("-R",) if self.graceful else ()
        self._bird = self.spawn("bird", "-f", *recover, "-c", str(self.bird_conf), "-s", str(self.socket), log="bird")

    def stop_router(self) -> None:
        assert self._bird is not None
        self._bird.terminate()
        assert self._bird.wait(WAIT_S) == 0

    def kill_router(self) -> None:
        assert self._bird is not None
        self._bird.kill()
        self._bird.wait()

    def break_router(self) -> None:
        self.write_bird(extra="protocol nonsense;\n")

    def mend_router(self) -> None:
        self.write_bird()

    def command(self, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace.name, *arguments]

    def inside(self, function: Callable[[], Result]) -> Result:
        return self.namespace.call(function)


def _pop(router: Router, neighbour: Neighbour) -> PoP:
    upstream = Upstream(UPSTREAM, UpstreamKind.TRANSIT, PEER, (neighbour,), hold_time_s=90)
    return PoP(POP, "Amsterdam", Location(52.3, 4.9), "europe", router, (upstream,))
