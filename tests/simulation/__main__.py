"""`make sim`: simulate seeds over all cores, or replay one: agents alone or with controllers, and speakers."""

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count, islice
from typing import NamedTuple

import click

from tests.simulation import bgp, controlled, fleet, rollouts
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole import simulation as whole

AHEAD_MAX = 16
"""Seeds that are given to the processes before their turn."""


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


def run_whole(seed: int) -> Done:
    """Run one seed of a whole deployment."""
    done = whole.WholeSimulation(seed)
    try:
        done.run()
    except InvariantBroken as broken:
        return Done(done.pop_hours, done.events, done.counts, f"whole: {broken}")
    return Done(done.pop_hours, done.events, done.counts)


KINDS: dict[str, tuple[Callable[[int], Done], str]] = {
    "whole": (run_whole, "PoP-hours"),
    "fleet": (run_fleet, "PoP-hours"),
    "controlled": (run_controlled, "PoP-hours"),
    "rollouts": (run_rollouts, "PoP-hours"),
    "bgp": (run_network, "speaker-hours"),
}


def run_kind(pool: ProcessPoolExecutor, kind: str, wanted: Iterable[int], hours_wanted: float) -> list[str]:
    """Run seeds of one kind until they are done or the hours are reached; print what was done, and give what broke."""
    run, unit = KINDS[kind]
    began, hours, events, seeds = time.monotonic(), 0.0, 0, 0
    faults, broken = Counter[str](), list[str]()
    for done in _in_turn(pool, run, wanted):
        seeds += 1
        hours, events, faults = hours + done.hours, events + done.events, faults + done.counts
        if done.failure is not None:
            broken.append(done.failure)
            print(done.failure, flush=True)
        if hours >= hours_wanted:
            break
    took = time.monotonic() - began
    for name, often in sorted(faults.items()):
        print(f"{often:8}  {name.strip('_').replace('_', ' ')}")
    print(
        f"{kind}: {seeds} seeds, {hours:,.0f} {unit}, {events:,} events in {took:.0f} s:"
        f" {hours / took:,.0f} {unit} a second; {len(broken)} broken",
        flush=True,
    )
    return broken


def _in_turn(pool: ProcessPoolExecutor, run: Callable[[int], Done], seeds: Iterable[int]) -> Iterator[Done]:
    """Give what comes of each seed, in their order, with a few of them ahead: hours end a run, not seeds."""
    ahead: deque[Future[Done]] = deque()
    left = iter(seeds)
    ahead.extend(pool.submit(run, seed) for seed in islice(left, AHEAD_MAX))
    try:
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(run, seed) for seed in islice(left, 1))
    finally:
        for each in ahead:
            each.cancel()


@click.command()
@click.option("--seed", type=int, help="Replay one seed.")
@click.option("--seeds", type=int, default=1000, show_default=True, help="How many seeds to run.")
@click.option("--first", type=int, default=0, show_default=True, help="The first seed.")
@click.option("--hours", type=float, default=0.0, help="Run seeds of `whole` until so many PoP-hours are simulated.")
@click.option("--kind", type=click.Choice(tuple(KINDS)), multiple=True, help="What to simulate; all by default.")
def main(seed: int | None, seeds: int, first: int, hours: float, kind: tuple[str, ...]) -> None:
    """Simulate deployments, fleets and networks under seeded faults, and check the invariants at every step."""
    wanted = [seed] if seed is not None else list(range(first, first + seeds))
    broken: list[str] = []
    with ProcessPoolExecutor(min(len(wanted), os.cpu_count() or 1)) as pool:
        for each in kind or KINDS:
            by_hours = each == "whole" and hours > 0 and seed is None
            chosen = count(first) if by_hours else wanted
            broken += run_kind(pool, each, chosen, hours if by_hours else float("inf"))
    if broken:
        print(f"replay one with: make sim SEED={broken[0].split()[2]}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
