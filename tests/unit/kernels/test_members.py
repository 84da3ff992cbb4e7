"""Counting over members equals the same by numpy, on random cells."""

import numpy as np
import pytest

from anycastle.kernels.members import compare, likeliest, look_up, rename, settle, weigh

ROWS, MEMBERS, PLACES = 40, 16, 5


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(7)


def test_weights_are_added_up_by_place(draw: np.random.Generator) -> None:
    place = draw.integers(0, PLACES, (ROWS, MEMBERS)).astype(np.uint16)
    place[3] = 65535  # no route: the last place
    weight = draw.random(ROWS)
    summed = np.empty((MEMBERS, PLACES))
    weigh(place, weight, summed)
    clipped = np.minimum(place, PLACES - 1)
    expected = [[weight[clipped[:, m] == at].sum() for at in range(PLACES)] for m in range(MEMBERS)]
    assert summed == pytest.approx(np.array(expected))


def test_who_differs(draw: np.random.Generator) -> None:
    one, other = (draw.integers(0, PLACES, (ROWS, MEMBERS)).astype(np.uint16) for _ in range(2))
    weights, kept = draw.random((2, ROWS)), np.array([True, False, True, True, False])
    moved, flow = np.empty((2, 2, MEMBERS)), np.empty((PLACES, PLACES))
    compare(one, other, weights, kept, moved, flow)
    differs = one != other
    assert moved[:, 0] == pytest.approx(weights @ differs)
    assert moved[:, 1] == pytest.approx(weights @ (differs & kept[one] & kept[other]))
    for a in range(PLACES):
        for b in range(PLACES):
            assert flow[a, b] == pytest.approx(weights[0] @ ((one == a) & (other == b)).sum(axis=1))


def test_the_likeliest_place(draw: np.random.Generator) -> None:
    place = draw.integers(0, PLACES, (ROWS, MEMBERS)).astype(np.uint16)
    best, count = np.empty(ROWS, np.uint16), np.empty(ROWS, np.int32)
    likeliest(place, best, count, np.empty(PLACES, np.int32))
    counted = np.array([np.bincount(row, minlength=PLACES) for row in place])
    assert best.tolist() == counted.argmax(axis=1).tolist()
    assert count.tolist() == counted.max(axis=1).tolist()


def test_numbers_get_their_names(draw: np.random.Generator) -> None:
    number = draw.integers(0, 4, (ROWS, 8)).astype(np.uint8)
    number[0, 0] = 255
    name = draw.integers(0, 9, (8, 5)).astype(np.uint16)
    out = np.zeros((ROWS, MEMBERS), np.uint16)
    rename(number, name, out, 8)
    assert not out[:, :8].any()
    assert (out[:, 8:] == name[np.arange(8), np.minimum(number, 4)]).all()


def test_a_region_settles_its_rows(draw: np.random.Generator) -> None:
    group = draw.integers(0, 4, (ROWS, MEMBERS)).astype(np.uint16)
    group[1] = 65535
    old, region = draw.integers(0, ROWS, 60).astype(np.int32), draw.integers(-1, 2, 60).astype(np.int8)
    best = draw.integers(0, 4, (MEMBERS, 2, 4)).astype(np.uint16)
    out = np.empty((60, MEMBERS), np.uint16)
    settle(group, old, region, best, out)
    for row in range(60):
        for member in range(MEMBERS):
            was = group[old[row], member]
            stays = region[row] < 0 or was == 65535
            assert out[row, member] == (was if stays else best[member, region[row], was])


def test_a_table_is_looked_up(draw: np.random.Generator) -> None:
    cell = draw.integers(0, 9, (ROWS, MEMBERS)).astype(np.uint16)
    table, out = draw.integers(0, 99, 6).astype(np.uint16), np.empty((ROWS, MEMBERS), np.uint16)
    look_up(cell, table, out)
    assert (out == table[np.minimum(cell, 5)]).all()
