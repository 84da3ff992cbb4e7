"""The pictures of `anycastle twin predict`: shares before and after, and the map of catchments after."""

from pathlib import Path
from typing import Final

import numpy as np

from anycastle.cli.output import message
from anycastle.io.pictures.catchments import MapPoP, Networks, draw_catchments, spread_networks
from anycastle.io.pictures.shares import ShareRow, draw_shares
from anycastle.io.placement.places import Located
from anycastle.twin.intent import Intent
from anycastle.twin.load import Spread
from anycastle.twin.predicted_shift import PoPShift, PredictedShift

LOST: Final = 0.0005
"""Share without a route from which it has a row of its own: what a picture rounds to 0.1 %."""


def states(before: Intent, after: Intent) -> dict[str, str]:
    """Give how each PoP announces after the change, as `catchments.STATES` has it, or `silent` if it did not before."""
    spoke = before.deployment.announcing(before.configuration)
    speaks = after.deployment.announcing(after.configuration)
    told = {name: "withdrawn" if name in spoke else "silent" for name in after.deployment.pops if name not in speaks}
    told |= dict.fromkeys(spoke - speaks, "withdrawn")
    for pop in speaks:
        how = [after.configuration.announced.get(group.name) for group in after.deployment.groups if group.pop == pop]
        prepended = all(each.prepend for each in how if each is not None)
        told[pop] = "new" if pop not in spoke else "prepended" if prepended else "announced"
    return told


def draw_bars(shift: PredictedShift, state: dict[str, str], path: Path, title: str) -> None:
    """Draw the shares of each PoP, with its limit where a load was given."""
    rows = [_row(pop, state.get(pop.name, "silent"), shift.offered_load) for pop in shift.pops]
    if max(shift.no_route_now.mean, shift.no_route.mean) >= LOST:
        rows.append(_bar("no route", shift.no_route_now, shift.no_route))
    draw_shares(rows, path, title=title, about=_about(shift), interval="nine of ten ways in which ties may fall")
    message(f"shares in {path}")


def _row(pop: PoPShift, state: str, load: float | None) -> ShareRow:
    limit = pop.capacity / load if pop.capacity is not None and load and pop.announces else None
    return _bar(pop.name, pop.now, pop.after, limit, "" if state == "announced" else state)


def _bar(name: str, now: Spread, after: Spread, limit: float | None = None, state: str = "") -> ShareRow:
    return ShareRow(name, now.mean, after.mean, after.p5, after.p95, limit, state)


def draw_map(shift: PredictedShift, state: dict[str, str], located: Located, path: Path, title: str) -> None:
    """Draw where users land after the change, each network at the PoP that it most likely lands at."""
    pops = [
        MapPoP(pop.name, pop.location.latitude, pop.location.longitude, state.get(pop.name, "silent"), pop.after.mean)
        for pop in shift.pops
    ]
    about = f"{_about(shift)}; networks at their likeliest PoP"
    draw_catchments(pops, networks(shift, located), path, title=title, about=about)
    placed = float(shift.ases.weight[located.place_of >= 0].sum())
    message(f"map in {path}: {100 * placed:.1f} % of users have a place ({located.source})")


def networks(shift: PredictedShift, located: Located) -> Networks:
    """Give users by place and PoP, an index into `shift.pops`; -1 without a route."""
    number = {pop.name: at for at, pop in enumerate(shift.pops)}
    of_index = np.array([*(number[name] for name in shift.ases.pops), -1], np.int32)
    return spread_networks(located.place_of, located.places, of_index[shift.ases.after], shift.ases.weight)


def _about(shift: PredictedShift) -> str:
    graph = f"{shift.graph.name} of {shift.graph.date}" if shift.graph.date else f"{shift.graph.name} graph"
    return f"{shift.service} {shift.prefix} on {graph}; {shift.weights.source}"
