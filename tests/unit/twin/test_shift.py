"""Shifts of prepends and communities, predicted from the other rounds."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.catchment import Round
from anycastle.twin.shift import Change, likeness, parse_change, predict_shifts


def _round(configuration, sites):
    blocks = np.arange(len(sites), dtype=np.uint32)
    return Round(
        configuration, ("a", "b"), "today", blocks, np.array(sites, np.int16), blocks, np.zeros(len(sites), np.float32)
    )


def test_configurations_are_parsed():
    assert parse_change("3xLHR") == Change("LHR", 3, frozenset())
    assert parse_change("community-1-2_1-3xCDG") == Change("CDG", 0, frozenset({"1-2", "1-3"}))
    assert parse_change("baseline").plain
    assert parse_change("community-baseline").plain
    with pytest.raises(MisuseError, match="'x' is no configuration"):
        parse_change("x")


def test_the_likest_configuration_counts_most():
    two = parse_change("2xLHR")
    others = ["2xLHR", "3xLHR", "baseline", "2xCDG"]
    weights = [likeness(two, parse_change(each)) for each in others]
    assert weights == sorted(weights, reverse=True)
    one = parse_change("community-1_2xLHR")
    assert likeness(one, parse_change("community-1xLHR")) > likeness(one, parse_change("community-1xCDG")) > 0
    assert likeness(one, two) == 0


def test_a_prepend_moves_what_its_neighbours_moved():
    rounds = [
        _round("baseline", [0, 0, 0, 1]),
        _round("1xA", [0, 1, 1, 1]),
        _round("2xA", [1, 1, 1, 1]),
        _round("3xA", [1, 1, 1, 1]),
    ]
    found = {each.configuration: each for each in predict_shifts(rounds)}
    assert set(found) == {"1xA", "2xA", "3xA"}
    assert found["3xA"].right == 1.0
    assert found["3xA"].error_points < found["3xA"].unmoved_error_points
    assert found["3xA"].alike[0] == "2xA"
    assert found["2xA"].before.tolist() == [0.75, 0.25]


def test_without_a_plain_round_nothing_is_predicted():
    assert predict_shifts([_round("1xA", [0]), _round("2xA", [0])]) == ()
