"""How long light takes through the fibre between two places; so the lab has latency without shaping a packet."""

from math import asin, cos, radians, sin, sqrt

from anycastle.model.pop import Location

EARTH_RADIUS_KM = 6371.0
FIBRE_KM_PER_S = 200_000.0
"""Two thirds of the speed of light."""
DETOUR = 1.5
"""Cables are longer than great circles; about half as long again between well-connected cities."""


def great_circle_km(a: Location, b: Location) -> float:
    """Give the distance over the ground (haversine)."""
    latitude_a, latitude_b = radians(a.latitude), radians(b.latitude)
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = radians(b.longitude - a.longitude) / 2
    chord = sin(half_latitude) ** 2 + cos(latitude_a) * cos(latitude_b) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def one_way_s(a: Location, b: Location) -> float:
    """Give the time from one place to the other, in seconds."""
    return great_circle_km(a, b) * DETOUR / FIBRE_KM_PER_S
