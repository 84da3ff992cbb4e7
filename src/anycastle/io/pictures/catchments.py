"""The catchment map: users where they live, as circles cut by PoP, and a line to the PoP that most of each go to.

Colour alone tells nothing: each line leads to its PoP, each PoP has a shape and its name, and its state is in its mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.io.pictures.canvas import GROUND, INK, NO_ROUTE, QUIET, canvas, colour, heading, shape
from anycastle.io.pictures.world import draw_world, great_circle, project
from anycastle.twin.rtt import Places, great_circle_km

MERGE_KM: Final = 420.0
"""Centres nearer than this to a heavier one are drawn with it; circles would hide each other."""
LARGEST: Final = 0.105
"""Radius of the largest circle, in radii of the earth."""
SMALLEST: Final = 0.011
CUT_FROM: Final = 0.02
"""Radius from which a white line stands between the parts."""
KEY_COLUMNS: Final = 7
STATES: Final = {"announced": "", "new": "new", "prepended": "prepended", "withdrawn": "withdrawn"}
"""State of a PoP -> what stands behind its name."""


@dataclass(frozen=True, slots=True)
class MapPoP:
    """A PoP on the map."""

    name: str
    latitude: float
    longitude: float
    state: str = "announced"
    """A key of `STATES`."""
    share: float = 0.0
    """Of users, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Users by where they are and land; rows may be single networks, or sums of many."""

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    pop: NDArray[np.int32]
    """Index into the map's PoPs; -1 without a route."""
    weight: NDArray[np.float64]


def spread_networks(
    place_of: NDArray[np.int32], places: Places, pop_of: NDArray[np.int32], weights: NDArray[np.float64]
) -> Networks:
    """Bring nodes to the centres of their places, each with its part of the weight.

    `place_of`, `pop_of` (-1: unknown, no route) and `weights` are by node.
    """
    there = place_of >= 0
    columns = int(pop_of.max(initial=-1)) + 2
    flat = place_of[there] * np.int64(columns) + pop_of[there] + 1
    landed = np.bincount(flat, weights[there], len(places.name) * columns).reshape(-1, columns)
    people = np.bincount(places.place, places.people, len(places.name))
    of_centre = landed[places.place] * (places.people / people[places.place])[:, None]
    centre, column = np.nonzero(of_centre)
    return Networks(
        places.point[centre, 0], places.point[centre, 1], (column - 1).astype(np.int32), of_centre[centre, column]
    )  # fmt: skip


def draw_catchments(
    pops: Sequence[MapPoP], networks: Networks, path: Path, *, title: str = "Who lands where", about: str = ""
) -> None:
    """Draw the map into an .svg or .png file. Raises `MisuseError`, `WorldError` (`canvas`)."""
    more = 0.21 * ((len(pops) - 1) // KEY_COLUMNS)  # inches, for further rows of the key
    with canvas(11.0, 6.4 + more, path) as figure:
        height = 6.4 + more
        axes = figure.add_axes((0.005, (0.48 + more) / height, 0.99, 5.34 / height))
        draw_world(axes)
        circles = _circles(networks, len(pops))
        heaviest = max((each.weight.sum() for each in circles), default=1.0)
        for each in circles:
            _draw_line(axes, each, pops, heaviest)
        for each in circles:
            _draw_circle(axes, each, heaviest)
        _draw_pops(axes, pops)
        total = networks.weight.sum()
        lost = float(networks.weight[networks.pop < 0].sum() / total) if total else 0.0
        _draw_key(figure, pops, lost)
        heading(figure, title, _told(about))


def _told(about: str) -> str:
    words = "area of a circle: users; its parts: where they land; lines lead to the PoP of the largest part"
    return f"{about}\n{words}" if about else words


class _Circle(NamedTuple):
    latitude: float
    longitude: float
    weight: NDArray[np.float64]
    """float64[pop + 1]: the last has no route."""


def _circles(networks: Networks, pops: int) -> list[_Circle]:
    """Gather what lies close together, heaviest first."""
    points, at = np.unique(np.column_stack([networks.latitude, networks.longitude]), axis=0, return_inverse=True)
    pop = np.where(networks.pop < 0, pops, networks.pop)
    weight = np.bincount(at.ravel() * (pops + 1) + pop, networks.weight, len(points) * (pops + 1)).reshape(-1, pops + 1)
    order = np.argsort(-weight.sum(axis=1), kind="stable")
    chosen, sums = list[int](), list[NDArray[np.float64]]()
    for point in order.tolist():
        apart = great_circle_km(points[point : point + 1], points[chosen])[0] if chosen else np.zeros(0)
        near = int(apart.argmin()) if len(apart) else -1
        if near >= 0 and apart[near] < MERGE_KM:
            sums[near] = sums[near] + weight[point]
        else:
            chosen.append(point)
            sums.append(weight[point])
    return [
        _Circle(float(points[point, 0]), float(points[point, 1]), each)
        for point, each in zip(chosen, sums, strict=True)
    ]


def _radius(weight: float, heaviest: float) -> float:
    return max(SMALLEST, LARGEST * float(np.sqrt(weight / heaviest)))


def _draw_circle(axes: Any, circle: _Circle, heaviest: float) -> None:
    from matplotlib.patches import Wedge

    x, y = project(np.array(circle.latitude), np.array(circle.longitude))
    total = float(circle.weight.sum())
    radius, start = _radius(total, heaviest), 90.0
    for at, part in enumerate((circle.weight / total).tolist()):
        if part <= 0:
            continue
        end = start - 360 * part
        face = colour(at) if at < len(circle.weight) - 1 else NO_ROUTE
        line = 0.5 if part < 0.999 and radius > CUT_FROM else 0.0
        axes.add_patch(
            Wedge((x, y), radius, end, start, facecolor=face, edgecolor=GROUND, linewidth=line, alpha=0.92, zorder=4)
        )
        start = end


def _draw_line(axes: Any, circle: _Circle, pops: Sequence[MapPoP], heaviest: float) -> None:
    to = int(circle.weight[:-1].argmax()) if len(pops) else 0
    if not len(pops) or not circle.weight[to]:
        return
    x, y = great_circle((circle.latitude, circle.longitude), (pops[to].latitude, pops[to].longitude))
    width = 0.35 + 1.6 * float(np.sqrt(circle.weight[to] / heaviest))
    axes.plot(x, y, color=colour(to), linewidth=width, alpha=0.38, zorder=2, solid_capstyle="round")


def _draw_pops(axes: Any, pops: Sequence[MapPoP]) -> None:
    """Draw the marks, and each name where no other stands: right, left, above or below."""
    taken: list[tuple[float, float, float, float]] = []
    for at, pop in enumerate(pops):
        x, y = (float(each) for each in project(np.array(pop.latitude), np.array(pop.longitude)))
        withdrawn = pop.state == "withdrawn"
        face = GROUND if withdrawn else colour(at)
        edge = colour(at) if withdrawn else INK
        axes.plot(
            x, y, shape(at), markersize=8.5, markerfacecolor=face, markeredgecolor=edge, markeredgewidth=1.3, zorder=8
        )
        if pop.state == "new":
            axes.plot(
                x, y, "o", markersize=16, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.2, zorder=7
            )
        taken.append((x - 0.05, y - 0.05, x + 0.05, y + 0.05))
    for at, pop in enumerate(pops):
        x, y = (float(each) for each in project(np.array(pop.latitude), np.array(pop.longitude)))
        words = _name(pop)
        across, along, box = _room(x, y, len(words), taken)
        taken.append(box)
        axes.annotate(
            words, (x, y), xytext=(across, along), textcoords="data", fontsize=8.5, weight="bold", color=INK,
            va="center", ha="left", zorder=9,
            bbox={"boxstyle": "round,pad=0.18", "facecolor": GROUND, "edgecolor": colour(at), "linewidth": 0.9,
                  "alpha": 0.92},
        )  # fmt: skip


def _room(
    x: float, y: float, letters: int, taken: Sequence[tuple[float, float, float, float]]
) -> tuple[float, float, tuple[float, float, float, float]]:
    """Give where a label begins, and its box: the first of eight places that covers nothing, or the least covered."""
    wide, high = 0.036 * letters + 0.05, 0.085
    sides = [
        (x + 0.085, y), (x - 0.085 - wide, y), (x - wide / 2, y + 0.12), (x - wide / 2, y - 0.12),
        (x + 0.07, y + 0.11), (x + 0.07, y - 0.11), (x - 0.07 - wide, y + 0.11), (x - 0.07 - wide, y - 0.11),
    ]  # fmt: skip
    boxes = [(left, middle - high / 2, left + wide, middle + high / 2) for left, middle in sides]
    best = min(range(len(sides)), key=lambda side: (sum(_covers(boxes[side], each) for each in taken), side))
    return (*sides[best], boxes[best])


def _covers(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    across, along = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, across) * max(0.0, along)


def _name(pop: MapPoP) -> str:
    state = STATES.get(pop.state, pop.state)
    return f"{pop.name} ({state})" if state else pop.name


def _draw_key(figure: Any, pops: Sequence[MapPoP], lost: float) -> None:
    """Draw one row below the map: each PoP's mark, name and share, in columns."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", marker=shape(at), markersize=8, markeredgecolor=INK,
               markerfacecolor=GROUND if pop.state == "withdrawn" else colour(at),
               label=f"{_name(pop)}  {100 * pop.share:.1f} %")
        for at, pop in enumerate(pops)
    ]  # fmt: skip
    if lost > 0.0005:
        handles.append(Line2D([], [], linestyle="none", marker="o", markersize=8, markerfacecolor=NO_ROUTE,
                              markeredgecolor=NO_ROUTE, label=f"no route  {100 * lost:.1f} %"))  # fmt: skip
    figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.008),
                  ncols=min(KEY_COLUMNS, max(1, len(handles))), frameon=False, fontsize=8.5, labelcolor=INK,
                  handletextpad=0.3)  # fmt: skip
    figure.text(0.995, 0.012, "Land: Natural Earth", fontsize=6, color=QUIET, ha="right", va="bottom")
