"""A map of the world: the Equal Earth projection, land, great circles.

Areas keep their size, so a circle of users weighs the same in Norway and in Kenya. Source: Savric, Patterson and Jenny,
The Equal Earth map projection, 2018.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.io.pictures.canvas import COAST, LAND

_A: Final = (1.340264, -0.081106, 0.000893, 0.003796)
SOUTH, NORTH = -56.0, 85.0
"""Edges of the map: nobody lives beyond, but the shortest way between two who do goes there."""


def project(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> tuple[Any, Any]:
    """Give x and y of points in degrees; one unit is the earth's radius."""
    theta = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(latitude)))
    square = theta * theta
    sixth = square**3
    slope = _A[0] + 3 * _A[1] * square + sixth * (7 * _A[2] + 9 * _A[3] * square)
    x = 2 * np.sqrt(3) * np.radians(longitude) * np.cos(theta) / (3 * slope)
    return x, theta * (_A[0] + _A[1] * square + sixth * (_A[2] + _A[3] * square))


@lru_cache(maxsize=1)
def land() -> list[NDArray[np.float64]]:
    """Give the rings of all land, float64[point, 2]: longitude, latitude."""
    rings = json.loads((files("anycastle.io.geography") / "land.json").read_text())
    return [np.array(ring, np.float64).reshape(-1, 2) / 10 for ring in rings]


def draw_world(axes: Any) -> None:
    """Draw the land, and set the axes to the map."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points, codes = [], []
    for ring in land():
        x, y = project(ring[:, 1], ring[:, 0])
        points.append(np.column_stack([x, y]))
        codes.append(np.array([Path.MOVETO] + [Path.LINETO] * (len(ring) - 2) + [Path.CLOSEPOLY]))
    whole = Path(np.concatenate(points), np.concatenate(codes))
    axes.add_patch(PathPatch(whole, facecolor=LAND, edgecolor=COAST, linewidth=0.4, zorder=1))
    (left, right), _ = project(np.zeros(2), np.array([-171.0, 180.0]))
    _, (bottom, top) = project(np.array([SOUTH, NORTH]), np.zeros(2))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.axis("off")


def great_circle(a: tuple[float, float], b: tuple[float, float], points: int = 40) -> tuple[Any, Any]:
    """Give x and y along the shortest way between two points (latitude, longitude), NaN where it leaves the map."""
    one, other = (_unit(*each) for each in (a, b))
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if angle < 1e-6:
        return np.zeros(0), np.zeros(0)
    part = np.linspace(0, 1, points)[:, None]
    way = (np.sin((1 - part) * angle) * one + np.sin(part * angle) * other) / np.sin(angle)
    latitude = np.degrees(np.arcsin(np.clip(way[:, 2], -1, 1)))
    longitude = np.degrees(np.arctan2(way[:, 1], way[:, 0]))
    x, y = project(latitude, longitude)
    leaves = np.flatnonzero(np.abs(np.diff(longitude)) > 180) + 1
    return np.insert(x, leaves, np.nan), np.insert(y, leaves, np.nan)


def _unit(latitude: float, longitude: float) -> NDArray[np.float64]:
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
