"""A map of the world in characters: land as Braille dots, marks and labels on top.

The coastlines are drawn by hand, to about two degrees: enough to see a continent in eighty columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anycastle.model.pop import Location

NORTH, SOUTH = 74.0, -56.0
"""Latitudes of the map's edges; nobody announces from beyond them."""

_COASTS: Final[tuple[tuple[tuple[float, float], ...], ...]] = (
    # North America, from Alaska along the Arctic, down the Atlantic, around the Gulf and up the Pacific
    (
        (-166, 68), (-156, 71), (-141, 70), (-125, 70), (-115, 68), (-108, 68), (-95, 69), (-94, 72), (-86, 70),
        (-82, 68), (-87, 64), (-94, 60), (-92, 57), (-82, 55), (-80, 51), (-78, 55), (-77, 60), (-73, 62), (-68, 59),
        (-64, 60), (-61, 56), (-56, 52), (-60, 50), (-66, 50), (-65, 47), (-61, 46), (-66, 44), (-70, 43), (-70, 41),
        (-74, 40), (-76, 36), (-81, 31), (-80, 26), (-82, 29), (-85, 30), (-90, 29), (-94, 29), (-97, 27), (-97, 22),
        (-94, 18), (-91, 19), (-87, 21), (-88, 16), (-83, 15), (-83, 10), (-80, 9), (-77, 8), (-80, 7), (-85, 10),
        (-91, 14), (-96, 16), (-105, 20), (-109, 25), (-114, 31), (-112, 26), (-110, 23), (-115, 29), (-118, 34),
        (-122, 37), (-124, 42), (-124, 48), (-131, 54), (-138, 59), (-148, 60), (-153, 57), (-160, 55), (-158, 59),
        (-165, 61), (-162, 65),
    ),
    # Greenland
    ((-73, 78), (-60, 82), (-30, 83), (-20, 78), (-22, 70), (-32, 68), (-42, 61), (-49, 62), (-53, 67), (-54, 71)),
    # South America
    (
        (-77, 8), (-72, 12), (-62, 10), (-52, 5), (-50, 0), (-44, -2), (-35, -6), (-39, -13), (-40, -20), (-48, -26),
        (-53, -33), (-58, -35), (-62, -39), (-65, -41), (-66, -46), (-69, -51), (-68, -55), (-74, -51), (-75, -46),
        (-73, -40), (-71, -30), (-70, -19), (-76, -14), (-81, -6), (-80, 0), (-78, 4),
    ),
    # Africa
    (
        (-6, 36), (3, 37), (10, 37), (11, 33), (20, 31), (25, 32), (32, 31), (34, 27), (37, 20), (43, 12), (51, 12),
        (48, 5), (41, -2), (39, -7), (41, -15), (35, -20), (35, -24), (32, -29), (26, -34), (19, -35), (15, -27),
        (12, -17), (13, -10), (9, -2), (9, 4), (4, 6), (-4, 5), (-8, 4), (-13, 9), (-17, 14), (-16, 20), (-13, 27),
        (-10, 30),
    ),
    # Eurasia: the Atlantic north from Gibraltar, the Arctic, the Pacific south, the Indian Ocean west
    (
        (-6, 36), (-9, 37), (-9, 43), (-2, 43), (-1, 46), (-5, 48), (2, 51), (8, 54), (8, 57), (11, 56), (10, 54),
        (14, 54), (20, 55), (24, 59), (30, 60), (22, 60), (22, 63), (25, 66), (21, 65), (17, 61), (18, 59), (16, 56),
        (13, 55), (11, 59), (7, 58), (5, 61), (12, 66), (19, 70), (28, 71), (41, 67), (33, 66), (38, 64), (44, 66),
        (46, 68), (60, 69), (68, 69), (73, 72), (80, 73), (100, 76), (113, 74), (130, 71), (140, 73), (160, 70),
        (178, 69), (179, 65), (171, 60), (163, 60), (162, 55), (157, 51), (155, 57), (163, 62), (155, 59), (142, 59),
        (136, 55), (141, 53), (140, 48), (133, 43), (128, 41), (129, 36), (126, 35), (125, 39), (121, 39), (118, 38),
        (122, 37), (120, 34), (122, 30), (117, 23), (109, 21), (106, 19), (109, 13), (105, 9), (101, 13), (100, 8),
        (104, 2), (103, 1), (98, 8), (98, 16), (94, 17), (91, 22), (87, 21), (80, 15), (80, 10), (77, 8), (73, 17),
        (72, 21), (67, 25), (57, 26), (51, 28), (48, 30), (52, 24), (56, 24), (60, 22), (55, 17), (44, 13), (40, 21),
        (35, 28), (34, 31), (36, 36), (30, 36), (27, 37), (27, 40), (35, 42), (41, 41), (37, 45), (33, 45), (30, 46),
        (28, 42), (24, 41), (23, 37), (20, 40), (13, 45), (18, 40), (16, 38), (12, 42), (9, 44), (3, 42), (-1, 37),
    ),
    # Australia
    (
        (114, -22), (122, -18), (129, -15), (132, -11), (137, -12), (136, -16), (141, -17), (142, -11), (146, -19),
        (153, -25), (153, -30), (150, -37), (144, -39), (138, -35), (135, -35), (131, -31), (124, -33), (115, -35),
        (114, -27),
    ),
    # Islands
    ((-6, 50), (1, 51), (2, 53), (-2, 56), (-3, 58), (-6, 57), (-3, 54), (-5, 52)),  # Great Britain
    ((-10, 52), (-6, 52), (-6, 55), (-10, 54)),  # Ireland
    ((-24, 65), (-18, 63), (-14, 65), (-18, 67)),  # Iceland
    ((130, 31), (136, 34), (141, 36), (142, 43), (145, 44), (141, 45), (140, 40), (136, 36), (131, 34)),  # Japan
    ((44, -16), (50, -15), (47, -25), (44, -24)),  # Madagascar
    ((95, 5), (104, -3), (106, -6), (101, -2)),  # Sumatra
    ((106, -6), (115, -8), (107, -8)),  # Java
    ((109, 2), (117, 7), (118, 1), (115, -4), (110, -3)),  # Borneo
    ((120, 14), (122, 18), (126, 8), (122, 8)),  # Philippines
    ((120, -5), (125, 1), (121, 1)),  # Sulawesi
    ((131, -1), (141, -3), (150, -10), (143, -9), (138, -8)),  # New Guinea
    ((173, -35), (178, -38), (175, -41)),  # New Zealand, north
    ((167, -46), (173, -41), (174, -42), (171, -46)),  # New Zealand, south
    ((-84, 22), (-75, 20), (-80, 23)),  # Cuba
    ((-74, 18), (-69, 19), (-72, 20)),  # Hispaniola
    ((80, 6), (82, 7), (80, 10)),  # Sri Lanka
    ((120, 22), (122, 25), (120, 24)),  # Taiwan
)  # fmt: skip
"""Polygons of (longitude, latitude)."""

_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot: row, then column."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the map: a symbol, its label beside it, and a style that the caller understands."""

    location: Location
    symbol: str
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of the map. The style of land is `land`."""

    character: str
    style: str


def draw(marks: Sequence[Mark], width: int, height: int) -> list[list[Cell]]:
    """Give the map as rows of cells. Later marks give way: a label that would cover another is left out."""
    grid = [[Cell(character, "land") for character in row] for row in _land(width, height)]
    taken: set[tuple[int, int]] = set()
    places = [_cell(mark.location, width, height) for mark in marks]
    for mark, (row, column) in zip(marks, places, strict=True):
        grid[row][column] = Cell(mark.symbol, mark.style)
        taken.add((row, column))
    for mark, (row, column) in zip(marks, places, strict=True):
        for start in (column + 2, column - 1 - len(mark.label)):
            span = [(row, start + offset) for offset in range(-1, len(mark.label) + 1)]
            inside = start >= 0 and start + len(mark.label) <= width
            if inside and not taken.intersection(span[1:-1]):
                for offset, character in enumerate(mark.label):
                    grid[row][start + offset] = Cell(character, mark.style)
                taken.update(span)
                break
    return grid


def _cell(location: Location, width: int, height: int) -> tuple[int, int]:
    """Give the row and column of a place."""
    row = int((NORTH - location.latitude) / (NORTH - SOUTH) * height)
    column = int((location.longitude + 180.0) / 360.0 * width)
    return min(max(row, 0), height - 1), min(max(column, 0), width - 1)


@lru_cache(maxsize=4)
def _land(width: int, height: int) -> tuple[str, ...]:
    """Give the land as Braille, two by four dots a character."""
    dot_rows = [_row_of_dots(row, width * 2, height * 4) for row in range(height * 4)]
    return tuple(
        "".join(chr(_BRAILLE + _dots(dot_rows[row * 4 : row * 4 + 4], column)) for column in range(width))
        for row in range(height)
    )


def _dots(rows: Sequence[Sequence[bool]], column: int) -> int:
    bits = 0
    for row, (left, right) in zip(rows, _DOTS, strict=True):
        bits |= left * row[column * 2] | right * row[column * 2 + 1]
    return bits


def _row_of_dots(row: int, width: int, height: int) -> list[bool]:
    """Give which dots of a row are land: between the first and second crossing of a coast, the third and fourth, ..."""
    latitude = NORTH - (row + 0.5) / height * (NORTH - SOUTH)
    dots = [False] * width
    for coast in _COASTS:
        crossings = sorted(_crossings(coast, latitude))
        for west, east in zip(crossings[::2], crossings[1::2], strict=True):
            first = int((west + 180.0) / 360.0 * width)
            last = int((east + 180.0) / 360.0 * width)
            for column in range(max(first, 0), min(last + 1, width)):
                dots[column] = True
    return dots


def _crossings(coast: Iterable[tuple[float, float]], latitude: float) -> Iterable[float]:
    points = list(coast)
    for (west, south), (east, north) in zip(points, points[1:] + points[:1], strict=True):
        if (south > latitude) != (north > latitude):
            yield west + (latitude - south) / (north - south) * (east - west)
