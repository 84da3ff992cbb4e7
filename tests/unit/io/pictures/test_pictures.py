"""Pictures: the same bytes for the same input, all that they are given in them, and what is refused."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.pictures.canvas import COLOURS, SHAPES
from anycastle.io.pictures.catchments import MapPoP, Networks, draw_catchments, spread_networks
from anycastle.io.pictures.placement import Step, draw_placement
from anycastle.io.pictures.shares import ShareRow, draw_shares
from anycastle.io.pictures.world import great_circle, land, project
from anycastle.twin.rtt import Places

POPS = [
    MapPoP("fra1", 50, 9, "announced", 0.6),
    MapPoP("sin1", 1, 104, "new", 0.3),
    MapPoP("lax1", 34, -118, "withdrawn"),
]
NETWORKS = Networks(
    np.array([48.0, 48.0, -30.0, 35.0]), np.array([2.0, 2.0, 150.0, 139.0]), np.array([0, 1, 1, -1], np.int32),
    np.array([5.0, 1.0, 2.0, 0.5]),
)  # fmt: skip


def catchments(path, pops=POPS):
    draw_catchments(pops, NETWORKS, path, title="Who lands where", about="a test")


def shares(path):
    draw_shares([ShareRow("fra1", 0.6, 0, state="withdrawn"), ShareRow("iad1", 0.4, 0.9, 0.8, 0.99, 0.7)], path)


def placement(path):
    draw_placement([Step("today", 0, ((0.1, 0.05, 0.2), (0.3, 0.2, 0.4), (0.5, 0.4, 0.6))),
                    Step("+ sin1", 900, ((0.2, 0.1, 0.3), (0.5, 0.4, 0.6), (0.7, 0.6, 0.8)))], path)  # fmt: skip


@pytest.mark.parametrize("draw", [catchments, shares, placement])
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_bytes_for_the_same_input(tmp_path, draw, suffix):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    draw(one)
    draw(other)
    octets = one.read_bytes()
    assert octets == other.read_bytes()
    assert octets.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    assert len(octets) > 10_000


def texts(path: Path) -> str:
    """The comments of a drawing are its texts, for its letters are shapes."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    root = ET.parse(path, parser).getroot()
    return "\n".join(str(each.text) for each in root.iter() if each.tag is ET.Comment)


def test_the_map_names_pops_states_and_shares(tmp_path):
    catchments(tmp_path / "map.svg")
    told = texts(tmp_path / "map.svg")
    for words in ("Who lands where", "fra1  60.0 %", "sin1 (new)", "lax1 (withdrawn)", "no route  5.9 %"):
        assert words in told


def test_shares_tell_a_limit_that_is_passed(tmp_path):
    shares(tmp_path / "shares.svg")
    told = texts(tmp_path / "shares.svg")
    assert "fra1 (withdrawn)" in told
    assert "40.0 → 90.0 %  (80.0-99.0)" in told
    assert "over its limit" in told


def test_the_curve_names_its_ends_and_steps(tmp_path):
    placement(tmp_path / "curve.svg")
    told = texts(tmp_path / "curve.svg")
    for words in ("today", "+ sin1", "20.0 %", "50.0 %", "70.0 %"):
        assert words in told


def test_a_state_changes_the_mark(tmp_path):
    catchments(tmp_path / "one.png")
    catchments(tmp_path / "other.png", [MapPoP("fra1", 50, 9, "withdrawn", 0.6), *POPS[1:]])
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def test_no_two_pops_look_alike():
    assert len({(at % len(COLOURS), at % len(SHAPES)) for at in range(72)}) == 72


def test_another_suffix_and_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(MisuseError, match="neither"):
        shares(tmp_path / "shares.pdf")
    with pytest.raises(WorldError, match="No such file"):
        shares(tmp_path / "nowhere" / "shares.svg")


def test_the_projection_keeps_areas():
    """Equal Earth: a degree square at 60 degrees has half the area of one at the equator, as on the sphere."""

    def area(latitude):
        _, y = project(np.array([latitude, latitude + 1.0]), np.array([0.0, 1.0]))
        corner, _ = project(np.array([latitude, latitude + 1.0]), np.array([1.0, 1.0]))
        return float((y[1] - y[0]) * corner.mean())

    sphere = np.sin(np.radians(61)) - np.sin(np.radians(60))
    assert area(60.0) / area(0.0) == pytest.approx(sphere / np.sin(np.radians(1)), rel=1e-3)
    x, y = project(np.array([0.0]), np.array([180.0]))
    assert (x[0], y[0]) == pytest.approx((2.7066, 0), abs=1e-3)  # Savric and others 2018, table 1


def test_a_way_over_the_dateline_is_cut():
    x, _ = great_circle((35, 139), (34, -118))
    assert np.isnan(x).sum() == 1
    x, _ = great_circle((50, 9), (40, -74))
    assert not np.isnan(x).any()
    assert len(great_circle((1, 1), (1, 1))[0]) == 0


def test_land_is_where_it_is():
    from matplotlib.path import Path as Ring

    def ashore(latitude, longitude):
        return sum(Ring(ring).contains_point((longitude, latitude)) for ring in land()) % 2 == 1

    assert all(ashore(*each) for each in ((48, 8), (-25, 134), (0, 22), (40, -100), (65, 100)))
    assert not any(ashore(*each) for each in ((0, -30), (40, -40), (-30, 80), (30, -150)))


def test_countries_are_spread_over_their_centres():
    places = Places(("XX",), ("r",), np.zeros(2, np.int32), np.array([(0.0, 0.0), (0.0, 40.0)]), np.array([3.0, 1.0]),
                    np.zeros(2))  # fmt: skip
    found = spread_networks(
        np.array([0, 0, -1], np.int32), places, np.array([0, -1, 0], np.int32), np.array([8.0, 4.0, 9.0])
    )
    rows = sorted(zip(found.longitude.tolist(), found.pop.tolist(), found.weight.tolist(), strict=True))
    assert rows == [(0.0, -1, 3.0), (0.0, 0, 6.0), (40.0, -1, 1.0), (40.0, 0, 2.0)]


def test_a_world_without_users(tmp_path):
    nobody = Networks(np.zeros(0), np.zeros(0), np.zeros(0, np.int32), np.zeros(0))
    draw_catchments(POPS, nobody, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000
