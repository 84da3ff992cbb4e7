"""Weights of ASes on a graph, and what of them has no place there."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.twin.weights import equal_weights, place_weights
from tests.unit.twin.twelve import twelve


def test_all_alike() -> None:
    weights = equal_weights(twelve())
    assert weights.of_node.tolist() == pytest.approx([1 / 12] * 12)
    assert (weights.total, weights.unplaced, weights.absent) == (12, 0, ())


def test_what_the_graph_does_not_have_is_told_and_not_spread() -> None:
    """7 has 30, 9 has 10; 60 of 100 are of ASes that are not there, 45 of them of AS 500."""
    graph = twelve()
    weights = place_weights(graph, {7: 30, 9: 10, 500: 45, 501: 15}, "users")
    assert weights.of_node[graph.node(7)] == pytest.approx(0.75)
    assert weights.of_node.sum() == pytest.approx(1)
    assert (weights.total, weights.unplaced) == (100, pytest.approx(0.6))
    assert weights.absent == ((500, pytest.approx(0.45)), (501, pytest.approx(0.15)))


@pytest.mark.parametrize("values", [{7: -1.0}, {7: np.inf}, {7: 0.0}, {500: 1.0}, {}])
def test_what_cannot_be_weights(values: dict[int, float]) -> None:
    with pytest.raises(MisuseError):
        place_weights(twelve(), values, "users")
