"""How long light takes through the fibre between two places; so the lab has latency without shaping a packet."""

from anycastle.model.distance import great_circle_km
from anycastle.model.pop import Location

FIBRE_KM_PER_S = 200_000.0
"""Two thirds of the speed of light."""
DETOUR = 1.5
"""Cables are longer than great circles; about half as long again between well-connected cities."""


def one_way_s(a: Location, b: Location) -> float:
    """Give the time from one place to the other, in seconds."""
    return great_circle_km(a, b) * DETOUR / FIBRE_KM_PER_S
