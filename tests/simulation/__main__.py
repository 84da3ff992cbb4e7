"""`make sim`: simulate seeds over all cores, or replay one."""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import click

from tests.simulation.fleet import InvariantBroken, simulate


def run_seed(seed: int) -> tuple[float, int, Counter[str], str | None]:
    """Run one seed: PoP-hours, events, injected faults, and what broke."""
    try:
        done = simulate(seed)
    except InvariantBroken as broken:
        return 0.0, 0, Counter(), str(broken)
    return done.pop_hours, done.events, done.counts, None


@click.command()
@click.option("--seed", type=int, help="Replay one seed.")
@click.option("--seeds", type=int, default=1000, show_default=True, help="How many seeds to run.")
@click.option("--first", type=int, default=0, show_default=True, help="The first seed.")
def main(seed: int | None, seeds: int, first: int) -> None:
    """Simulate fleets under seeded faults, and check the invariants at every step."""
    wanted = [seed] if seed is not None else list(range(first, first + seeds))
    began, hours, events, faults = time.monotonic(), 0.0, 0, Counter[str]()
    broken: list[str] = []
    with ProcessPoolExecutor(min(len(wanted), os.cpu_count() or 1)) as pool:
        for some_hours, some_events, some_faults, failure in pool.map(run_seed, wanted, chunksize=4):
            hours, events, faults = hours + some_hours, events + some_events, faults + some_faults
            if failure is not None:
                broken.append(failure)
                print(failure, flush=True)
    for name, count in sorted(faults.items()):
        print(f"{count:8}  {name.strip('_').replace('_', ' ')}")
    took = time.monotonic() - began
    print(f"{len(wanted)} seeds, {hours:,.0f} PoP-hours, {events:,} events in {took:.0f} s; {len(broken)} broken")
    if broken:
        print(f"replay one with: make sim SEED={broken[0].split()[1]}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
