"""`make sim`: simulate seeds over all cores, or replay one: agents alone or with controllers, and speakers."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import click

from tests.simulation import bgp, controlled, fleet, rollouts
from tests.simulation.fleet import InvariantBroken


class Done(NamedTuple):
    """What came of one seed: hours simulated, events, injected faults, and what broke."""

    hours: float = 0.0
    events: int = 0
    counts: Counter[str] = Counter()
    failure: str | None = None


def run_fleet(seed: int) -> Done:
    """Run one seed of a fleet of agents."""
    try:
        done = fleet.simulate(seed)
    except InvariantBroken as broken:
        return Done(failure=f"fleet: {broken}")
    return Done(done.pop_hours, done.events, done.counts)


def run_controlled(seed: int) -> Done:
    """Run one seed of a fleet with controllers."""
    try:
        done = controlled.simulate(seed)
    except InvariantBroken as broken:
        return Done(failure=f"controlled: {broken}")
    return Done(done.pop_hours, done.events, done.counts)


def run_network(seed: int) -> Done:
    """Run one seed of a network of BGP speakers."""
    try:
        done = bgp.simulate(seed)
    except InvariantBroken as broken:
        return Done(failure=f"bgp: {broken}")
    return Done(done.hours, done.events, done.counts)


def run_rollouts(seed: int) -> Done:
    """Run one seed of a controller's rollouts."""
    try:
        done = rollouts.simulate(seed)
    except InvariantBroken as broken:
        return Done(failure=f"rollouts: {broken}")
    return Done(done.clock / 3600.0 * len(done.pops), sum(done.counts.values()), done.counts)


KINDS: dict[str, tuple[Callable[[int], Done], str]] = {
    "fleet": (run_fleet, "PoP-hours"),
    "controlled": (run_controlled, "PoP-hours"),
    "rollouts": (run_rollouts, "PoP-hours"),
    "bgp": (run_network, "speaker-hours"),
}


def run_kind(pool: ProcessPoolExecutor, kind: str, wanted: list[int]) -> list[str]:
    """Run the seeds of one kind, print what was done, and give what broke."""
    run, unit = KINDS[kind]
    began, hours, events, faults, broken = time.monotonic(), 0.0, 0, Counter[str](), list[str]()
    for done in pool.map(run, wanted, chunksize=4):
        hours, events, faults = hours + done.hours, events + done.events, faults + done.counts
        if done.failure is not None:
            broken.append(done.failure)
            print(done.failure, flush=True)
    for name, count in sorted(faults.items()):
        print(f"{count:8}  {name.strip('_').replace('_', ' ')}")
    took = time.monotonic() - began
    print(f"{kind}: {len(wanted)} seeds, {hours:,.0f} {unit}, {events:,} events in {took:.0f} s; {len(broken)} broken")
    return broken


@click.command()
@click.option("--seed", type=int, help="Replay one seed.")
@click.option("--seeds", type=int, default=1000, show_default=True, help="How many seeds to run.")
@click.option("--first", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--kind", type=click.Choice(tuple(KINDS)), multiple=True, help="What to simulate; all by default.")
def main(seed: int | None, seeds: int, first: int, kind: tuple[str, ...]) -> None:
    """Simulate fleets and networks under seeded faults, and check the invariants at every step."""
    wanted = [seed] if seed is not None else list(range(first, first + seeds))
    with ProcessPoolExecutor(min(len(wanted), os.cpu_count() or 1)) as pool:
        broken = [failure for each in kind or KINDS for failure in run_kind(pool, each, wanted)]
    if broken:
        print(f"replay one with: make sim SEED={broken[0].split()[2]}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
