"""The twin on the graph of September 2025, beside bgpy in the same run.

Wall time is the fastest of the repetitions; the median of processor time stands beside it, for a machine that others
use. bgpy is run once, for it takes seconds, and its processor time is held against our wall time: on a busy machine
that flatters bgpy. Kernels are compiled before anything is measured. bgpy is timed by itself, its propagation alone;
that both give every origin the same catchment is checked.
"""

import bz2
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from anycastle.io.as_graph import load_graph
from anycastle.io.executors import open_executor, sweep_with
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, Wiring, deployment_of_origins
from anycastle.twin.graph import ASGraph
from anycastle.twin.hijack import Attack, Pair, hijack
from anycastle.twin.policy import Adopters, Policy
from anycastle.twin.possible import possible_pops, tie_prediction
from anycastle.twin.repair import Repair
from anycastle.twin.routes import Propagation
from anycastle.twin.rtt import Places, round_trips
from anycastle.twin.survive import survive
from anycastle.twin.sweep import compile_deployment, sweep
from anycastle.twin.users import Users

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("ANYCASTLE_DATA", ROOT.parent / "shared" / "data"))
GRAPH = DATA / "as-graph" / "20250901.as-rel2.txt.bz2"
PEER = Path(os.environ.get("ANYCASTLE_PEERS", ROOT / ".venv-peers")) / "bin" / "python"
POPS, MANY_POPS, SEED = 16, 32, 2025
LONG_REPS = 3
"""Of what takes seconds; the fastest counts here as well."""
MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from anycastle.io.as_graph import load_graph
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Wiring, deployment_of_origins
from anycastle.twin.possible import possible_pops, tie_prediction
from anycastle.twin.routes import Propagation
from anycastle.twin.sweep import compile_deployment, sweep
graph = load_graph(Path(sys.argv[1]), cache=Path(sys.argv[2])).graph
deployment = deployment_of_origins(map(ASN, map(int, sys.argv[3:])))
wiring = Wiring.of(graph, deployment)
Propagation(wiring).run().fields()
possible_pops(wiring)
sweep(compile_deployment(graph, deployment), np.zeros((640, len(deployment.groups)), np.int16))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one piece of work: the fastest wall time, the median processor time."""

    wall_s: float
    cpu_s: float


def measure(
    work: Callable[[], object], reps: int, per: int = 1, prepare: Callable[[], object] | None = None
) -> Measured:
    """Do the work `reps` times after once for nothing; `per` is how many pieces it does. `prepare` is not timed."""
    walls, cpus = [], []
    for rep in range(reps + 1):
        if prepare is not None:
            prepare()
        began, mine = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - began, time.process_time() - mine
        if rep:
            walls.append(wall)
            cpus.append(cpu)
    return Measured(min(walls) / per, statistics.median(cpus) / per)


def row(title: str, found: Measured, bar: str, unit: str = "ms", met: bool | None = None) -> None:
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    verdict = "" if met is None else "met" if met else "NOT MET"
    print(
        f"{title:54} {found.wall_s * scale:9.2f} {unit:2}  cpu {found.cpu_s * scale:9.2f} {unit:2} {bar:>12} {verdict}",
        flush=True,
    )


def bgpy(asked: list[list[tuple[int, int]]], folder: Path) -> dict[str, object]:
    """Run bgpy on these origins."""
    text = folder / "graph.txt"
    text.write_bytes(bz2.decompress(GRAPH.read_bytes()))
    lines = "".join(json.dumps(each) + "\n" for each in asked)
    command = [str(PEER), str(Path(__file__).with_name("twin_bgpy.py")), str(text)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def catchments(graph: ASGraph, asked: list[tuple[int, int]]) -> Counter[int]:
    """Give how many ASes land at each origin, as ours has it."""
    deployment = deployment_of_origins(ASN(asn) for asn, _ in asked)
    prepends = {f"AS{asn}": prepend for asn, prepend in asked}
    group = Propagation(Wiring.of(graph, deployment)).run(deployment.everywhere(prepends)).group()
    counts = np.bincount(group[group < len(asked)], minlength=len(asked))
    return Counter({asked[index][0]: int(count) for index, count in enumerate(counts)})


def table_of(count: int, deployment: Deployment) -> np.ndarray:
    draw = np.random.Generator(np.random.PCG64(SEED))
    shape = (count, len(deployment.groups))
    return np.where(draw.random(shape) < 0.7, draw.integers(0, 4, shape), -1).astype(np.int16)


def load_rows(cache: Path, reps: int) -> ASGraph:
    text = measure(lambda: load_graph(GRAPH), reps)
    row("load from text (bz2, 570,696 links)", text, "< 2 s", "s", text.wall_s < 2)
    load_graph(GRAPH, cache=cache)
    cached = measure(lambda: load_graph(GRAPH, cache=cache), reps)
    row("load from the cache", cached, "< 20 ms", "ms", cached.wall_s < 0.02)
    return load_graph(GRAPH, cache=cache).graph


def bring_back(repair: Repair) -> None:
    """Bring back what an earlier repetition withdrew."""
    for each in repair.propagation.wiring.deployment.groups:
        if each.name not in repair.configuration.announced:
            repair.announce(each.pop)


def one_rows(graph: ASGraph, deployment: Deployment, single: Deployment, reps: int) -> tuple[Measured, Measured]:
    alone = Propagation(Wiring.of(graph, single))
    one = measure(alone.run, reps)
    row("one origin, one configuration", one, "")
    propagation = Propagation(Wiring.of(graph, deployment))
    sixteen = measure(propagation.run, reps)
    row("16-PoP anycast, one configuration: route keys", sixteen, "<= 1.2 ms", "ms", sixteen.wall_s <= 1.2e-3)
    full = measure(lambda: propagation.run().fields(), reps)
    row("the same, as class, length, next hop, PoP per AS", full, "<= 1.2 ms", "ms", full.wall_s <= 1.2e-3)
    wiring = propagation.wiring
    sets = measure(lambda: possible_pops(wiring), reps)
    row("possible PoPs, 16 PoPs", sets, "<= 2 ms", "ms", sets.wall_s <= 2e-3)
    row("chances of 16 PoPs per AS", measure(lambda: tie_prediction(wiring), reps), "")
    repair = Repair.of(propagation)
    went = [measure(lambda pop=pop: repair.withdraw(pop), reps, prepare=lambda: bring_back(repair)) for pop in
            deployment.pops]  # fmt: skip
    typical = Measured(statistics.median(each.wall_s for each in went), statistics.median(each.cpu_s for each in went))
    row("repair after one withdrawal (median over PoPs)", typical, "<= 0.4 ms", "ms", typical.wall_s <= 0.4e-3)
    return one, full


def sweep_rows(graph: ASGraph, deployment: Deployment, many: Deployment, reps: int) -> Measured:
    row("compile a deployment of 16 PoPs", measure(lambda: compile_deployment(graph, deployment), reps), "")
    compiled = compile_deployment(graph, deployment)
    table = table_of(64, deployment)
    lanes = measure(lambda: compiled.run(table), reps, 64)
    row("sweep, 64 lanes, per configuration: PoP of each AS", lanes, "<= 50 us", "us", lanes.wall_s <= 50e-6)
    shares = measure(lambda: sweep(compiled, table), reps, 64)
    row("the same with shares", shares, "", "us")
    n1 = measure(lambda: survive(compile_deployment(graph, many)), reps)
    row("N-1 of 32 PoPs with shares and who moves", n1, "< 25 ms", "ms", n1.wall_s < 0.025)
    n2 = measure(lambda: survive(compile_deployment(graph, many), 2), max(3, reps // 4))
    row("N-2 of 32 PoPs, likewise", n2, "< 100 ms", "ms", n2.wall_s < 0.1)
    return lanes


def placement_rows(graph: ASGraph, many: Deployment) -> None:
    """Sets of four of 32 PoPs, users in 250 places, most countries' number."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    places = Places.of_points([str(at) for at in range(250)], ["all"] * 250, draw.uniform(-60, 60, (250, 2)))
    trips = round_trips(
        draw.integers(0, 250, len(graph)).astype(np.int32), places, draw.uniform(-60, 60, (MANY_POPS, 2))
    )
    users = Users.of(compile_deployment(graph, many), trips)
    sets = [frozenset(draw.choice(many.pops, 4, replace=False).tolist()) for _ in range(512)]
    found = measure(lambda: [users.mean_ms(landed) for landed in users.landed(sets)], LONG_REPS, len(sets))
    row("placement, a set of candidates: mean round trip", found, "", "us")


def hijack_rows(graph: ASGraph) -> None:
    draw = random.Random(SEED)
    asns = graph.by_asn.tolist()
    pairs = [Pair(*map(ASN, draw.sample(asns, 2))) for _ in range(10_000)]
    adopters = Adopters.of(graph, {policy: draw.sample(asns, len(asns) // 3) for policy in Policy})
    for attack in Attack:
        for who in (None, adopters):
            hijack(graph, pairs[:64], attack, who)
            found = measure(lambda attack=attack, who=who: hijack(graph, pairs, attack, who), 1)
            title = f"10,000 pairs, {attack.value}, {'a third verifies' if who else 'nobody verifies'}"
            row(title, found, "< 12 s", "s", found.wall_s < 12)


def parallel_rows(graph_at: Path, deployment: Deployment, count: int) -> None:
    table, walls = table_of(count, deployment), []
    for processes in (1, 2):
        with open_executor(f"processes:{processes}") as executor:
            for _ in range(2):  # every process has compiled kernels and the deployment once
                list(sweep_with(executor, graph_at, deployment, table[:8192]))
            runs = []
            for _ in range(LONG_REPS):
                began = time.perf_counter()
                done = sum(len(part) for part in sweep_with(executor, graph_at, deployment, table))
                runs.append(time.perf_counter() - began)
                assert done == count
            walls.append(min(runs))
        bar, met = ("< 6 s", walls[-1] < 6) if processes == 2 else ("", None)
        row(f"{count:,} configurations with shares, {processes} process(es)", Measured(walls[-1], 0.0), bar, "s", met)
    ratio = walls[0] / walls[1]
    print(f"{'two processes against one':54} {ratio:9.2f} x {'':32}>= 1.8 x  {'met' if ratio >= 1.8 else 'NOT MET'}")


def memory_row(cache: Path, asns: list[int]) -> None:
    command = [sys.executable, "-c", MEMORY, str(GRAPH), str(cache), *map(str, asns)]
    mib = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    verdict = "met" if mib < 400 else "NOT MET"
    print(f"{'memory of a process that does these':54} {mib:9.0f} MiB {'':30}< 400 MiB  {verdict}")


def peer_rows(
    graph: ASGraph, single: list[int], asns: list[int], ours: tuple[Measured, Measured, Measured], folder: Path
) -> None:
    if not PEER.exists():
        print(f"no {PEER}: `make peers` makes it; no ratio without it")
        return
    asked = [[(asn, 0) for asn in each] for each in (single, asns)]
    found = bgpy(asked, folder)
    runs = found["runs"]
    assert isinstance(runs, list)
    for title, run, mine, each in zip(("one origin", "16-PoP anycast"), runs, ours[:2], asked, strict=True):
        same = {int(asn): count for asn, count in run["landed"].items()} == dict(+catchments(graph, each))
        wall, ratio = Measured(run["wall_s"], run["cpu_s"]), run["cpu_s"] / mine.wall_s
        row(f"bgpy, {title}; same catchments: {same}", wall, "", "s")
        print(
            f"{'  ours is faster by':54} {ratio:9,.0f} x",
            ">= 3,000 x " + ("met" if ratio >= 3000 else "NOT MET") if len(each) > 1 else "",
        )
    ratio = runs[1]["cpu_s"] / ours[2].wall_s
    print(f"{'  the sweep, by configuration':54} {ratio:9,.0f} x >= 80,000 x {'met' if ratio >= 80_000 else 'NOT MET'}")
    print(f"bgpy: graph in {found['loaded_s']:.1f} s, {found['memory_mib']:.0f} MiB")


@click.command()
@click.option("--reps", default=40, show_default=True, help="Repetitions of what takes milliseconds.")
@click.option("--peer/--no-peer", default=True, help="Beside bgpy, or alone.")
@click.option("--configurations", default=100_000, show_default=True, help="Of the long sweep.")
def main(reps: int, peer: bool, configurations: int) -> None:
    """Propagate, sweep, repair and hijack on a real graph, beside bgpy."""
    if not GRAPH.exists():
        sys.exit(f"no {GRAPH}; set ANYCASTLE_DATA to the folder of real inputs")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = load_rows(folder, min(reps, 10))
        cached = load_graph(GRAPH, cache=folder).cached_at
        assert cached is not None
        draw = random.Random(SEED)
        asns = draw.sample(graph.by_asn.tolist(), MANY_POPS)
        deployment = deployment_of_origins(map(ASN, asns[:POPS]))
        single = deployment_of_origins([ASN(asns[0])])
        one, full = one_rows(graph, deployment, single, reps)
        lanes = sweep_rows(graph, deployment, deployment_of_origins(map(ASN, asns)), reps)
        placement_rows(graph, deployment_of_origins(map(ASN, asns)))
        hijack_rows(graph)
        parallel_rows(cached, deployment, configurations)
        memory_row(folder, asns[:POPS])
        if peer:
            peer_rows(graph, asns[:1], asns[:POPS], (one, full, lanes), folder)


if __name__ == "__main__":
    main()
