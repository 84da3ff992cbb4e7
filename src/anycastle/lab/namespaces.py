"""The namespaces backend: a topology of real routers, real name servers and the kernel's forwarding. Needs root.

Each node is a network namespace with a BIRD of its own, each link a veth pair. A PoP runs what its equipment starts:
by default nsd, an echo server, BIRD, and `anycastle agent run` with its watchdog, which read one fleet folder that is
written for the lab. What was started is in the lab's ledger, so that `take_down` needs nothing else.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.config.write import write_fleet
from anycastle.io.local_socket import ask as ask_process
from anycastle.lab import bird_node, ledger, probe
from anycastle.lab.fleet import far_end, fleet_of
from anycastle.lab.frr_node import FrrNode
from anycastle.lab.ledger import Ledger, Started
from anycastle.lab.netns import Namespace, end, find_program, join, program
from anycastle.lab.nsd_node import nsd_config
from anycastle.lab.router_node import RouterNode
from anycastle.lab.topology import LabService, Link, Node, NodeKind, Relation, Topology
from anycastle.lab.wiring import ECHO_PORT, SERVICE_PORT, NamespacesWiring
from anycastle.model.fleet import Fleet

PROGRAMS: Final = {"ip": "iproute2", "bird": "bird2", "nsd": "nsd", "nft": "nftables"}
"""What every lab runs -> the Debian package that has it."""

ROUTERS: Final[Mapping[str, RouterNode]] = MappingProxyType({"bird": bird_node.BirdNode(), "frr": FrrNode()})
"""Routing daemons of networks that are not PoPs, as `Node.router` names them."""

_SETTINGS: Final = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/icmp_ratelimit": "0",
    "ipv4/fib_multipath_hash_policy": "1",
}
_SETTLE_TIMEOUT_S: Final = 60.0
_STEADY_S: Final = 1.0
_POLL_S: Final = 0.05
_ASK_TIMEOUT_S: Final = 0.3
_END_TIMEOUT_S: Final = 10.0


def missing(routers: Iterable[str] = ()) -> list[str]:
    """Give what this machine lacks for a lab with some routers, each as a phrase; empty where nothing is missing."""
    lacks = [] if os.geteuid() == 0 else ["root rights (run it with sudo)"]
    programs = dict(PROGRAMS)
    for router in routers:
        programs |= ROUTERS[router].programs
    return lacks + [
        f"{name} (Debian package {package})"
        for name, package in programs.items()
        if find_program(name, "/usr/lib/frr") is None
    ]


class Equipment(Protocol):
    """What makes a PoP announce. A lab has one kind of it."""

    def start(self, lab: "NamespacesLab", node: Node) -> None:
        """Start it at a PoP; nsd and the echo server run already."""
        ...


class AgentOnBird:
    """BIRD with the agent's snippet, and the agent."""

    def start(self, lab: "NamespacesLab", node: Node) -> None:
        """Start both."""
        pop = lab.fleet.pop(node.name)
        include = Path(pop.router.options["include_dir"]) / "announcements.conf"
        lab.start_router(node, bird_node.pop_config(lab.topology, lab.wiring, node, pop, include))
        self.start_agent(lab, node.name)

    def start_agent(self, lab: "NamespacesLab", pop: str) -> None:
        """Start the agent alone."""
        self._spawn_agent(lab, pop)

    def _spawn_agent(self, lab: "NamespacesLab", pop: str, *more: str) -> None:
        folder = lab.wiring.folder(pop)
        options = {
            "--fleet": lab.fleet_dir,
            "--pop": pop,
            "--state-dir": lab.state_dir / pop,
            "--run-dir": folder / "run",
            "--listen": "none",
        }
        words = [str(word) for option in options.items() for word in option]
        lab.spawn_anycastle(f"agent-{pop}", pop, "agent", "run", *words, *more)


class NamespacesLab:
    """A topology that runs. Raises `MisuseError` where the machine or the topology does not allow it.

    Agents keep their state on a disk, or with `state_in_memory` among the lab's other files, to tell what the disk
    takes of a figure.
    """

    def __init__(
        self,
        topology: Topology,
        run_dir: Path | None = None,
        equipment: Equipment | None = None,
        *,
        state_in_memory: bool = False,
    ) -> None:
        _check_routers(topology)
        lacks = missing(node.router for node in topology.nodes)
        if lacks:
            raise MisuseError(f"the namespaces backend needs {', '.join(lacks)}")
        self.topology = topology
        self.run_dir = run_dir or ledger.default_run_dir(topology.name)
        self.wiring = NamespacesWiring(topology, self.run_dir)
        self.equipment = equipment or AgentOnBird()
        self.fleet: Fleet = fleet_of(topology, self.wiring, topology.of_kind(NodeKind.POP)[0].name)
        self.fleet_dir = self.run_dir / "fleet"
        self._ledger = Ledger(self.run_dir, topology.name, Started.of(os.getpid()))
        self.state_dir = self.run_dir / "state" if state_in_memory else self._ledger.state_dir
        """Where the agents keep their state, each in a folder of its own."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # -- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build everything and wait until it is steady. Raises `WorldError`."""
        await asyncio.to_thread(self.build)
        await asyncio.to_thread(self.wait_steady)

    async def close(self) -> None:
        """Take everything down; nothing is left."""
        await asyncio.to_thread(self.down)

    def build(self) -> None:
        """Build everything. What a lab that was killed has left is taken down first; one that is up is refused."""
        before = ledger.load(self.run_dir)
        if before is not None and (before.owner is None or before.owner.alive):
            raise MisuseError(f"a lab is up in {self.run_dir}; take it down first (`anycastle lab down`)")
        ledger.take_down(self.run_dir)
        try:
            self._build()
        except BaseException:
            self.down()
            raise

    def _build(self) -> None:
        self._ledger.namespaces = [self.namespace(node.name).name for node in self.topology.nodes]
        self._ledger.save()
        for node in self.topology.nodes:
            self.wiring.folder(node.name).mkdir(parents=True, exist_ok=True)
            self.namespace(node.name).make()
            self.namespace(node.name).call(_set_up_kernel)
        for link in self.topology.links:
            self._connect(link)
        write_fleet(self.fleet, self.fleet_dir)
        for node in self.topology.nodes:
            self._start_node(node)
        self._ledger.save()

    def down(self) -> None:
        """Take everything down."""
        self._ledger.owner = None
        ledger.take_down(self.run_dir)
        for process in self._processes.values():
            process.wait()

    def leave_up(self) -> None:
        """Let the lab outlive this process."""
        self._ledger.owner = None
        self._ledger.save()

    def _connect(self, link: Link) -> None:
        join(self.namespace(link.first), link.second, self.namespace(link.second), link.first)
        for near, far in ((link.first, link.second), (link.second, link.first)):
            address = self.wiring.interface(link, near)
            self.namespace(near).batch(f"addr add {address} dev {far}", f"link set {far} up")

    def _start_node(self, node: Node) -> None:
        if node.kind is NodeKind.POP:
            self.start_service(node.name)
            for service in self.topology.services:
                address = str(service.address)
                command = (sys.executable, "-m", "anycastle.lab.echo", node.name, address, str(ECHO_PORT))
                self.spawn(f"echo-{node.name}-{service.name}", node.name, *command)
            self.equipment.start(self, node)
            return
        if node.kind is NodeKind.CLIENT:
            self.namespace(node.name).batch(f"addr add {self.wiring.client_address(node)}/32 dev lo")
        ROUTERS[node.router].start(self, node)

    # -- processes ------------------------------------------------------------------------------------------------

    def namespace(self, node: str) -> Namespace:
        """Give a node's namespace."""
        return Namespace(f"{self._ledger.prefix}-{node}")

    def spawn(self, key: str, node: str, *command: str) -> None:
        """Start a process in a node's namespace, in a session of its own; `key` names it from now on."""
        log = self.wiring.folder(node) / f"{key}.out"
        process = self.namespace(node).spawn(*command, log=log, start_new_session=True)
        self._processes[key] = process
        self._ledger.processes[key] = Started.of(process.pid)

    def spawn_anycastle(self, key: str, node: str, *words: str) -> None:
        """Start `anycastle` in a node's namespace."""
        self.spawn(key, node, sys.executable, "-c", "from anycastle.cli.main import main; main()", *words)

    def add_namespace(self, name: str) -> None:
        """Make a namespace for what is no node of the topology; it goes with the lab."""
        self._ledger.namespaces = [*self._ledger.namespaces, self.namespace(name).name]
        self._ledger.save()
        self.wiring.folder(name).mkdir(parents=True, exist_ok=True)
        self.namespace(name).make()

    def signal(self, key: str, number: signal.Signals) -> None:
        """Send a signal to a process and to what it has forked. Raises `WorldError` where it runs no more."""
        process = self._processes[key]
        if process.poll() is not None:
            raise WorldError(f"{key} has ended; see {self.run_dir}")
        os.killpg(process.pid, number)

    def kill(self, key: str) -> None:
        """Kill a process at once, and what it has forked."""
        self.signal(key, signal.SIGKILL)
        self._processes[key].wait()

    def stop(self, key: str) -> None:
        """Ask a process to end, and wait for it."""
        end(self._processes[key])

    def wait(self, key: str) -> None:
        """Wait for a process that is about to end. Raises `WorldError` where it does not."""
        try:
            self._processes[key].wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise WorldError(f"{key} does not end") from error

    def running(self, key: str) -> bool:
        """Whether a process runs."""
        return key in self._processes and self._processes[key].poll() is None

    def start_router(self, node: Node, config: str | None = None) -> None:
        """Start a PoP's BIRD, with a new bird.conf where one is given."""
        bird_node.start(self, node, config)

    def start_service(self, pop: str) -> None:
        """Start a PoP's name server."""
        folder = self.wiring.folder(pop)
        (folder / "nsd.conf").write_text(nsd_config(self.topology, pop, folder))
        self.spawn(f"nsd-{pop}", pop, program("nsd"), "-d", "-c", str(folder / "nsd.conf"))

    def start_agent(self, pop: str) -> None:
        """Start a PoP's agent again."""
        assert isinstance(self.equipment, AgentOnBird)
        self.equipment.start_agent(self, pop)

    def start_probe(self, client: str, service: LabService, rate: float, sessions: int) -> Path:
        """Start a client's probes; give the file of their results."""
        out = self.wiring.folder(client) / f"probe-{service.name}.jsonl"
        out.unlink(missing_ok=True)
        options = {
            "--source": self.wiring.client_address(self.topology.node(client)),
            "--target": service.address,
            "--port": SERVICE_PORT,
            "--echo-port": ECHO_PORT,
            "--rate": rate,
            "--sessions": sessions,
            "--out": out,
        }
        words = [str(word) for option in options.items() for word in option]
        self.spawn(f"probe-{client}-{service.name}", client, sys.executable, "-m", "anycastle.lab.probe", *words)
        return out

    # -- what can be asked ----------------------------------------------------------------------------------------

    @property
    def clients(self) -> tuple[Node, ...]:
        """The client networks."""
        return self.topology.of_kind(NodeKind.CLIENT)

    def catchment(self, service: LabService) -> dict[str, str | None]:
        """Give which PoP answers each client now."""

        def asked(node: Node) -> str | None:
            source, target = str(self.wiring.client_address(node)), str(service.address)
            return self.namespace(node.name).call(lambda: probe.ask(source, target, SERVICE_PORT, _ASK_TIMEOUT_S))

        with ThreadPoolExecutor(len(self.clients)) as pool:
            return dict(zip((node.name for node in self.clients), pool.map(asked, self.clients), strict=True))

    def bird(self, node: str, command: str) -> str:
        """Give a node's BIRD's answer to a command. Raises `WorldError`."""
        return bird_node.ask(self.wiring.control_socket(node), command)

    def hears(self, service: LabService, pop: str) -> frozenset[str]:
        """Give the neighbours of a PoP that have its route to a service."""
        found = set()
        for link in self._uplinks(pop):
            far = far_end(link, pop)
            try:
                if ROUTERS[self.topology.node(far).router].has_route(self, far, service.prefix, pop):
                    found.add(far)
            except WorldError:
                continue  # a router that does not answer has no route to show
        return frozenset(found)

    def announcing(self, service: LabService) -> frozenset[str]:
        """Give the PoPs whose route to a service one neighbour at least has."""
        return frozenset(pop for pop in service.pops if self.hears(service, pop))

    def agent(self, pop: str, request: dict[str, Any]) -> dict[str, Any]:
        """Give the answer of a PoP's agent. Raises `WorldError`."""
        return ask_process(self.wiring.folder(pop) / "run" / "agent.sock", request)

    def push(self, fleet: Fleet) -> None:
        """Write the fleet folder anew, and have every agent read it."""
        write_fleet(fleet, self.fleet_dir)
        for pop in self.topology.of_kind(NodeKind.POP):
            if self.running(f"agent-{pop.name}"):
                self.signal(f"agent-{pop.name}", signal.SIGHUP)

    def _uplinks(self, pop: str) -> tuple[Link, ...]:
        return tuple(link for link in self.topology.links_of(pop) if link.relation is not Relation.MONITOR)

    # -- waiting --------------------------------------------------------------------------------------------------

    def wait_steady(self) -> None:
        """Wait until every PoP is heard by all its neighbours, BFD watches, and catchments stay as they are."""
        self.until(self._all_heard, "every PoP is heard by its neighbours")
        if self.topology.timers.bfd_ms is not None:
            self.until(self._all_watched, "BFD is up on every session")
        before, same_since = self._catchments(), time.monotonic()
        deadline = same_since + _SETTLE_TIMEOUT_S
        while time.monotonic() < same_since + _STEADY_S:
            time.sleep(_POLL_S)
            now = self._catchments()
            if now != before or None in [pop for each in now for pop in each.values()]:
                before, same_since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise WorldError(f"the catchments do not settle: {now}")

    def until(self, condition: Callable[[], bool], what: str, timeout_s: float = _SETTLE_TIMEOUT_S) -> None:
        """Poll until a condition holds. Raises `WorldError`, naming `what`, when it does not come true."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if condition():
                    return
                problem = ""
            except WorldError as error:
                problem = f" ({error})"
            if time.monotonic() > deadline:
                raise WorldError(f"not within {timeout_s:g} s: {what}{problem}; see {self.run_dir}")
            time.sleep(_POLL_S)

    def _catchments(self) -> list[dict[str, str | None]]:
        return [self.catchment(service) for service in self.topology.services]

    def _all_heard(self) -> bool:
        return all(
            self.hears(service, pop) == {far_end(link, pop) for link in self._uplinks(pop)}
            for service in self.topology.services
            for pop in service.pops
        )

    def _all_watched(self) -> bool:
        watching = [node for node in self.topology.nodes if node.kind is not NodeKind.POP]
        return all(ROUTERS[node.router].bfd_is_up(self, node.name) for node in watching)


def _check_routers(topology: Topology) -> None:
    for node in topology.nodes:
        known = ("bird",) if node.kind is NodeKind.POP else tuple(ROUTERS)
        if node.router not in known:
            kind = node.kind.value
            raise MisuseError(f"{node.name}: in namespaces a {kind} runs {' or '.join(known)}, not {node.router}")


def _set_up_kernel() -> None:
    for setting, value in _SETTINGS.items():
        Path("/proc/sys/net", setting).write_text(value)
