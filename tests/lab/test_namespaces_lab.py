"""The namespaces lab: real routers, name servers and agents, what goes wrong, and that nothing is left behind."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.lab import ledger
from anycastle.lab.embedded import EmbeddedLab
from anycastle.lab.exercise import NamespacesExercise, Outcome
from anycastle.lab.faults import FAULTS
from anycastle.lab.ledger import default_run_dir
from anycastle.lab.namespaces import NamespacesLab, missing
from anycastle.lab.netns import Namespace
from anycastle.lab.topology import Timers, Topology
from anycastle.lab.topology_file import find_topology, read_topology
from anycastle.model.service import Dampening, Lease

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing()), reason=f"the namespaces lab needs {', '.join(missing())}: `sudo make lab`"),
]

STEADY = {"c1": "pop1", "c2": "pop2", "c3": "pop3"}
COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
LOSES_NOTHING = {"agent-frozen", "agent-killed", "agent-terminated", "bad-configuration", "drain"}
"""Faults during which the PoP's name server goes on answering whatever still comes."""


def three_pops() -> Topology:
    """Give the packaged topology with a hold time so long that only BFD and agents explain a failover."""
    topology = find_topology("three-pops")
    services = tuple(
        replace(service, lease=Lease(duration_s=2.0), dampening=Dampening(penalty=1.0)) for service in topology.services
    )
    return replace(topology, services=services, timers=Timers(hold_time_s=240, bfd_ms=200))


@pytest.fixture(scope="module")
def lab() -> Iterator[NamespacesLab]:
    built = NamespacesLab(three_pops(), default_run_dir(f"test-{os.getpid()}"))
    built.build()
    try:
        built.wait_steady()
        yield built
    finally:
        built.down()


def struck(lab: NamespacesLab, name: str) -> Outcome:
    """Let a fault strike pop1, mend it, and wait until all is as it was."""
    service = lab.topology.services[0]
    outcome = NamespacesExercise(lab, lambda _text: None).run(name, "pop1")
    FAULTS[name].mend(lab, "pop1")
    lab.until(lambda: lab.announcing(service) == set(service.pops), "all PoPs announce again")
    lab.wait_steady()
    return outcome


@pytest.mark.mission("C17", "P1")
def test_the_steady_catchments_are_those_of_the_drawing(lab: NamespacesLab) -> None:
    service = lab.topology.services[0]
    assert lab.catchment(service) == STEADY
    assert {pop: lab.hears(service, pop) for pop in service.pops} == {
        "pop1": {"t1"},
        "pop2": {"t2"},
        "pop3": {"t1", "t2", "c3"},
    }


@pytest.mark.mission("C17", "P4", "U1", "M2")
@pytest.mark.parametrize("name", FAULTS)
def test_clients_of_a_pop_that_something_befalls_are_answered_elsewhere(lab: NamespacesLab, name: str) -> None:
    outcome = struck(lab, name)
    assert outcome.before == STEADY
    assert outcome.failover_s["c1"] is not None
    assert outcome.lost_elsewhere == 0
    assert outcome.lost_before == 0
    if name in LOSES_NOTHING:
        assert outcome.lost == 0
    if name != "check-flapping":  # which may be over and back again by now
        assert outcome.after["c1"] == "pop3"
    assert lab.catchment(lab.topology.services[0]) == STEADY


@pytest.mark.mission("C16", "F7")
def test_a_bad_check_pushed_to_every_pop_leaves_the_floor_announcing(lab: NamespacesLab) -> None:
    service = lab.topology.services[0]
    FAULTS["bad-configuration"].strike(lab, "pop1")
    try:
        lab.until(lambda: lab.announcing(service) == {"pop3"}, "two PoPs withdraw")
        lab.until(lambda: _stance(lab, "pop3") == ("steer", "unhealthy"), "the third knows, and stays")
        assert lab.announcing(service) == {"pop3"}
        assert set(lab.catchment(service).values()) == {"pop3"}
    finally:
        FAULTS["bad-configuration"].mend(lab, "pop1")
        lab.until(lambda: lab.announcing(service) == set(service.pops), "all PoPs announce again")
        lab.wait_steady()


EXCHANGE = b"""
name: exchange
asn: 64500
pops:
  - {name: pop1, city: A, location: {latitude: 1, longitude: 2}}
  - {name: pop2, city: B, location: {latitude: 3, longitude: 4}}
transits: [{name: t1, asn: 64496, city: C, location: {latitude: 5, longitude: 6}}]
route_servers: [{name: rs, asn: 64499, city: A, location: {latitude: 1, longitude: 2}}]
clients:
  - {name: member, asn: 65536, city: A, location: {latitude: 1, longitude: 2}}
  - {name: other, asn: 65537, city: C, location: {latitude: 5, longitude: 6}}
collectors: [{name: ear, asn: 64510, city: A, location: {latitude: 1, longitude: 2}}]
links:
  - {first: pop1, second: rs, relation: peer}
  - {first: member, second: rs, relation: peer}
  - {first: member, second: t1, relation: customer}
  - {first: other, second: t1, relation: customer}
  - {first: pop2, second: t1, relation: customer}
  - {first: t1, second: ear, relation: monitor}
services: [{name: dns, prefix: 192.0.2.0/24, address: 192.0.2.53, pops: [pop1, pop2]}]
"""
"""A member of the exchange prefers the PoP there to its transit's; the transit's other client never hears of it."""


def _exchange() -> Topology:
    topology = read_topology("exchange.yaml", EXCHANGE).topology
    assert topology is not None
    return topology


def _with_router(topology: Topology, router: str, *names: str) -> Topology:
    nodes = tuple(replace(node, router=router) if node.name in names else node for node in topology.nodes)
    return replace(topology, nodes=nodes)


TOPOLOGIES = {
    "world": find_topology("world"),
    "exchange": _exchange(),
    "exchange-frr": _with_router(_exchange(), "frr", "t1", "rs", "member", "ear"),
    "three-pops-frr": _with_router(find_topology("three-pops"), "frr", "t1", "c1", "c3"),
}


@pytest.mark.mission("C17")
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_both_backends_and_all_routers_mean_the_same_by_a_topology(name: str) -> None:
    topology = TOPOLOGIES[name]
    lacks = missing(node.router for node in topology.nodes)
    if lacks:
        pytest.skip(f"needs {', '.join(lacks)}")
    (service,) = topology.services
    built = NamespacesLab(topology, default_run_dir(f"meaning-{os.getpid()}"))
    built.build()
    try:
        built.wait_steady()
        real = built.catchment(service)
    finally:
        built.down()
    assert None not in real.values()
    assert asyncio.run(_embedded_catchment(topology, real)) == real


async def _embedded_catchment(topology: Topology, expected: dict[str, str | None]) -> dict[str, str | None]:
    """Give an embedded lab's catchment once it is as expected and has stayed so for a second, or after all time."""
    (service,) = topology.services
    emulated = EmbeddedLab(topology, lambda _event: None)
    try:
        await emulated.start()
        same_since, deadline = time.monotonic(), time.monotonic() + 20
        while time.monotonic() < min(same_since + 1, deadline):
            await asyncio.sleep(0.05)
            if emulated.catchment(service) != expected:
                same_since = time.monotonic()
        return emulated.catchment(service)
    finally:
        await emulated.close()


def _stance(lab: NamespacesLab, pop: str) -> tuple[str, str]:
    (service,) = lab.agent(pop, {"command": "status"})["services"]
    return service["stance"], service["checks"][0]["verdict"]


def test_a_second_lab_does_not_push_the_first_aside(lab: NamespacesLab) -> None:
    with pytest.raises(MisuseError, match="a lab is up in"):
        NamespacesLab(three_pops(), lab.run_dir).build()
    assert lab.catchment(lab.topology.services[0]) == STEADY


def test_a_router_that_the_backend_does_not_run_is_refused() -> None:
    with pytest.raises(MisuseError, match="t1: in namespaces a transit runs bird or frr, not gobgp"):
        NamespacesLab(_with_router(three_pops(), "gobgp", "t1"))
    with pytest.raises(MisuseError, match="pop1: in namespaces a pop runs bird, not frr"):
        NamespacesLab(_with_router(three_pops(), "frr", "pop1"))


@pytest.mark.mission("C17")
def test_nothing_is_left_of_a_lab_whose_process_was_killed() -> None:
    run_dir = default_run_dir(f"crash-{os.getpid()}")
    options = ("three-pops", "--run-dir", str(run_dir))
    process = subprocess.Popen((*COMMAND, "lab", "run", *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        kept = _running(run_dir)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    state_dir = kept.state_dir
    try:
        assert all(Namespace(name).exists for name in kept.namespaces)
        assert _mentioning(run_dir)
    finally:
        subprocess.run((*COMMAND, "lab", "down", *options), check=True, capture_output=True)
    assert not any(Namespace(name).exists for name in kept.namespaces)
    assert not any(started.alive for started in kept.processes.values())
    assert _mentioning(run_dir) == []
    assert not run_dir.exists()
    assert not state_dir.exists()


def test_a_namespace_is_taken_away_also_when_the_ledger_is_lost() -> None:
    kept = ledger.Ledger(default_run_dir(f"lost-{os.getpid()}"))
    stray = Namespace(f"{kept.prefix}-pop1")
    stray.make()
    sleeper = stray.spawn("sleep", "600", log=Path(os.devnull))
    assert ledger.take_down(kept.run_dir)
    assert sleeper.wait(10) == -signal.SIGKILL
    assert not stray.exists
    assert not ledger.take_down(kept.run_dir)


def _running(run_dir: Path) -> ledger.Ledger:
    """Wait until a lab has started all of its processes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        kept = ledger.load(run_dir)
        if kept is not None and kept.processes and (run_dir / "pop1" / "run" / "agent.sock").exists():
            return kept
        time.sleep(0.05)
    raise AssertionError("the lab did not start")


def _mentioning(path: Path) -> list[bytes]:
    """Give the command lines of processes that name a path."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = each.read_bytes()
        except OSError:
            continue
        if bytes(path) in line:
            found.append(line)
    return found


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (Debian package util-linux)")
def test_without_root_the_command_says_what_is_missing() -> None:
    nobody = ("setpriv", "--reuid", "65534", "--clear-groups")
    done = subprocess.run(
        (*nobody, *COMMAND, "lab", "up", "three-pops"), capture_output=True, text=True, check=False, timeout=60
    )
    if "No module named" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("the code cannot be read by nobody")
    assert done.returncode == 1
    assert done.stderr == "anycastle: the namespaces backend needs root rights (run it with sudo)\n"
