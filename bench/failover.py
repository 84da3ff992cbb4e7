"""What a client sees when a PoP fails: ours, anycast-healthchecker and ExaBGP's healthcheck, in the same run.

The lab of three PoPs in network namespaces, real routers and name servers, checks each second, fall 3. Every run is a
lab of its own, and the contestants take turns, so that what else the machine does meets them alike. The clock starts
just before the fault is put in force, at no fixed phase of checks and keepalives, and stops at the first answer from
another PoP to a query sent since; clients ask 100 times a second, in the planned withdrawal 500 times.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from anycastle.io.durable import write_durably
from anycastle.lab.exercise import NamespacesExercise, Outcome, Probing
from anycastle.lab.faults import FAULTS
from anycastle.lab.ledger import default_run_dir
from anycastle.lab.namespaces import AgentOnBird, Equipment, NamespacesLab
from anycastle.lab.topology_file import find_topology
from bench.failover_peers import ExaBGP, Hand, Healthchecker, push_bad_checks

Strike = Callable[[NamespacesLab, str], None]
POP = "pop1"
SETTLED_AFTER_S = 8.0
"""After a bad configuration: more than three checks, their interval and the convergence take."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """What the PoPs are equipped with, and how it is told to withdraw and given a bad check."""

    equipment: Equipment
    withdraw: Strike
    push_bad_checks: Strike
    bfd: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault, and what is asked of us."""

    title: str
    fault: str
    target: str
    bfd_ms: int | None = None
    rate_per_s: float = 100.0
    state_in_memory: bool = False
    """To tell what the disk takes of the figure: a permit is durable before it is used."""
    contestants: tuple[str, ...] = ("anycastle", "healthchecker", "exabgp")


HEALTHCHECKER, EXABGP, HAND = Healthchecker(), ExaBGP(), Hand()
CONTESTANTS = {
    "anycastle": Contestant(AgentOnBird(), FAULTS["drain"].strike, FAULTS["bad-configuration"].strike),
    "healthchecker": Contestant(HEALTHCHECKER, HEALTHCHECKER.withdraw, push_bad_checks),
    "exabgp": Contestant(EXABGP, EXABGP.withdraw, push_bad_checks, bfd=False),
    "by hand": Contestant(HAND, HAND.withdraw, push_bad_checks),
}
SCENARIOS = {
    "service": Scenario("service dead", "service-stopped", "<= 1.5 s"),
    "planned": Scenario(
        "planned withdrawal",
        "drain",
        "<= 0.010 s, 0 lost",
        rate_per_s=500.0,
        contestants=("anycastle", "healthchecker", "exabgp", "by hand"),
    ),
    "planned-memory": Scenario(
        "the same, state in memory",
        "drain",
        "<= 0.010 s, 0 lost",
        rate_per_s=500.0,
        state_in_memory=True,
        contestants=("anycastle",),
    ),
    "silent": Scenario("silent death, BFD 100 ms x 3", "pop-frozen", "<= 0.4 s", bfd_ms=100),
    "bad-check": Scenario("bad check everywhere", "bad-configuration", "the floor announces"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    scenario: str
    contestant: str
    outcome: Outcome
    announcing: list[str]
    """PoPs that announce at the end."""

    def plain(self) -> dict[str, Any]:
        run = {"scenario": self.scenario, "contestant": self.contestant, "announcing": self.announcing}
        return run | self.outcome.plain()


def measure(scenario_name: str, contestant_name: str) -> Result:
    """Build a lab, let the fault strike, and take it down."""
    scenario, contestant = SCENARIOS[scenario_name], CONTESTANTS[contestant_name]
    topology = find_topology("three-pops")
    bfd_ms = scenario.bfd_ms if contestant.bfd else None
    topology = replace(topology, timers=replace(topology.timers, bfd_ms=bfd_ms))
    service = topology.services[0]
    lab = NamespacesLab(
        topology, default_run_dir("bench-failover"), contestant.equipment, state_in_memory=scenario.state_in_memory
    )
    strikes = {"drain": contestant.withdraw, "bad-configuration": contestant.push_bad_checks}
    lab.build()
    try:
        lab.wait_steady()
        exercise = NamespacesExercise(lab, lambda _text: None, Probing(scenario.rate_per_s))
        outcome = exercise.run(scenario.fault, POP, strikes.get(scenario.fault))
        if scenario_name == "bad-check":
            time.sleep(SETTLED_AFTER_S)
        return Result(scenario_name, contestant_name, outcome, sorted(lab.announcing(service)))
    finally:
        lab.down()


def row(scenario_name: str, contestant: str, results: list[Result]) -> str:
    scenario = SCENARIOS[scenario_name]
    times = [each.outcome.slowest_s for each in results]
    seen = sorted(took for took in times if took is not None)
    never = f", {len(times) - len(seen)} never" if len(seen) < len(times) else ""
    took = f"{statistics.median(seen):7.3f} s  {seen[0]:7.3f}-{seen[-1]:.3f}{never}" if seen else "never"
    lost = [each.outcome.lost for each in results]
    others = sum(each.outcome.lost_elsewhere for each in results)
    floor = " ".join(sorted({"+".join(each.announcing) or "NOBODY" for each in results}))
    target = scenario.target if contestant == "anycastle" else ""
    span = f"{statistics.median(lost):g} ({min(lost)}-{max(lost)})"
    return f"{scenario.title:29} {contestant:14} {took:30} {span:>16} {others:>6}  {floor:15} {target}"


def circumstances() -> str:
    """Say what else bears on the figures: others' load, and how long this disk takes to make a state durable."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        took = []
        for _ in range(20):
            began = time.monotonic()
            write_durably(Path(folder, "state"), b"x" * 300)
            took.append(time.monotonic() - began)
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, load {load:.1f}; a durable write takes {statistics.median(took) * 1000:.1f} ms here"
    )


@click.command()
@click.option("--reps", default=5, show_default=True, help="Runs of each scenario and contestant.")
@click.option("--only", multiple=True, type=click.Choice(list(CONTESTANTS)), help="Only these contestants.")
@click.option("--scenario", "scenarios", multiple=True, type=click.Choice(list(SCENARIOS)), help="Only these.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here as well.")
def main(reps: int, only: tuple[str, ...], scenarios: tuple[str, ...], json_file: Path | None) -> None:
    """Measure what clients see when a PoP fails, beside two peers."""
    print(circumstances())
    print(f"{'':29} {'':14} {'answered elsewhere':30} {'queries lost':>16} {'others':>6}  {'announcing':15} target")
    everything: list[Result] = []
    for scenario in scenarios or SCENARIOS:
        results: dict[str, list[Result]] = {
            name: [] for name in SCENARIOS[scenario].contestants if name in (only or CONTESTANTS)
        }
        for _ in range(reps):
            for name, found in results.items():
                found.append(measure(scenario, name))
        for name, found in results.items():
            print(row(scenario, name, found), flush=True)
            everything += found
    if json_file is not None:
        json_file.write_text(json.dumps([each.plain() for each in everything], indent=2) + "\n")


if __name__ == "__main__":
    main()
