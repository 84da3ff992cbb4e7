"""How fast the simulation is: PoP-hours and events of a processor's second, by kind, over the same seeds.

There is no peer that simulates this. The measure is the agents' own work: an event is a deadline, an answer of a check,
a reading of the router or a message, and what the engines do for it. So the figure also tells what an agent costs: one
PoP-hour of `whole` is some 800 events.
"""

import gc
import time
from collections.abc import Callable

import click

from tests.simulation import controlled, fleet
from tests.simulation.whole import simulation as whole

KINDS: dict[str, tuple[Callable[[int], object], range]] = {
    "whole": (whole.simulate, range(30)),
    "fleet": (fleet.simulate, range(1000, 1012)),
    "controlled": (controlled.simulate, range(5000, 5008)),
}
"""Kind -> what runs one seed, and the seeds."""


def measure(run: Callable[[int], object], seeds: range) -> tuple[float, int, float]:
    """Run seeds; give PoP-hours, events and processor seconds."""
    hours, events, began = 0.0, 0, time.process_time()
    for seed in seeds:
        done = run(seed)
        hours, events = hours + done.pop_hours, events + done.events  # type: ignore[attr-defined]
    return hours, events, time.process_time() - began


@click.command()
@click.option("--kind", type=click.Choice(tuple(KINDS)), multiple=True, help="What to measure; all by default.")
def main(kind: tuple[str, ...]) -> None:
    """Measure the simulation: PoP-hours and events of a processor's second."""
    gc.freeze()
    for name in kind or KINDS:
        hours, events, took = measure(*KINDS[name])
        print(
            f"{name:12} {hours:8,.0f} PoP-hours, {events:10,} events in {took:6.1f} s of one processor:"
            f" {hours / took:6.1f} PoP-hours and {events / took:8,.0f} events a second",
            flush=True,
        )
