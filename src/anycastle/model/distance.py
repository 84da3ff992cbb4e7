"""How far apart two places are."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

from anycastle.model.pop import Location

EARTH_RADIUS_KM: Final = 6371.0


def great_circle_km(a: Location, b: Location) -> float:
    """Give the distance over the ground (haversine)."""
    latitude_a, latitude_b = radians(a.latitude), radians(b.latitude)
    half_latitude = (latitude_b - latitude_a) / 2
    half_longitude = radians(b.longitude - a.longitude) / 2
    chord = sin(half_latitude) ** 2 + cos(latitude_a) * cos(latitude_b) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))
