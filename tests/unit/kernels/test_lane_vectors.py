"""Each step over rows of 64 keys, against NumPy, in both widths."""

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.lane_vectors import LANES, copy_row, fill_row, pass_on, read_groups, take_least
from anycastle.kernels.route_key import NARROW, WIDE, KeyLayout


@njit
def _least(best, table, rows, start, end):  # type: ignore[no-untyped-def]
    take_least(best, table, rows, start, end)


@njit
def _pass_up(best, hop, layout, told, longest):  # type: ignore[no-untyped-def]
    pass_on(best, hop, layout, 2, 2, told, 1, longest)


@njit
def _groups(best, layout, groups):  # type: ignore[no-untyped-def]
    read_groups(best, layout, groups, 1)


@njit
def _rows(to, other, table, values):  # type: ignore[no-untyped-def]
    copy_row(to, table, 2)
    fill_row(other, values, 1)


def _keys(layout: KeyLayout, rows: int) -> NDArray[np.unsignedinteger]:
    """Keys of all classes, the last one included, with lengths that can still be passed on."""
    draw = np.random.Generator(np.random.PCG64(11))
    shape = (rows, LANES)
    length = draw.integers(1, layout.length_max, shape, dtype=layout.dtype) << layout.dtype(layout.length_shift)
    rest = draw.integers(0, 1 << layout.length_shift, shape, dtype=layout.dtype)
    class_ = draw.integers(0, 4, shape, dtype=layout.dtype)
    return np.where(class_ == 3, layout.constants[4], (class_ << layout.dtype(layout.class_shift)) | length | rest)


@pytest.mark.parametrize("layout", [NARROW, WIDE], ids=["u32", "u64"])
def test_the_least_of_some_rows(layout: KeyLayout) -> None:
    table, rows = _keys(layout, 9), np.array([3, 8, 8, 0], np.int32)
    for start, end in ((0, 4), (1, 2), (2, 2)):
        best = _keys(layout, 10)[9].copy()
        expected = np.minimum.reduce([best, *(table[row] for row in rows[start:end])])
        _least(best, table, rows, start, end)

        assert (best == expected).all()


@pytest.mark.parametrize("layout", [NARROW, WIDE], ids=["u32", "u64"])
def test_what_a_peer_is_told(layout: KeyLayout) -> None:
    key, constants = _keys(layout, 1)[0].copy(), layout.constants
    hop = np.full(LANES, 77 << layout.rank_shift, layout.dtype)
    told, longest = np.zeros((3, LANES), layout.dtype), np.zeros(LANES, layout.dtype)
    _pass_up(key, hop, constants, told, longest)
    passed = ((key & constants[1]) + constants[0]) | hop | constants[2]
    ours = key < constants[2]

    assert ours.any()
    assert not ours.all()
    assert (told[1] == np.where(ours, passed, constants[4])).all()
    assert not told[0].any()
    assert not told[2].any()
    assert (longest == np.where(ours, key & constants[5], 0)).all()


@pytest.mark.parametrize("layout", [NARROW, WIDE], ids=["u32", "u64"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_groups_of_a_row(layout: KeyLayout, dtype: type[np.unsignedinteger]) -> None:
    key, groups = _keys(layout, 1)[0].copy(), np.zeros((2, LANES), dtype)
    _groups(key, layout.constants, groups)
    none = np.iinfo(dtype).max

    assert (groups[1] == np.where(key < layout.constants[4], key & layout.constants[6], none).astype(dtype)).all()
    assert not groups[0].any()


@pytest.mark.parametrize("layout", [NARROW, WIDE], ids=["u32", "u64"])
def test_rows_copied_and_filled(layout: KeyLayout) -> None:
    table, to, other = _keys(layout, 3), np.zeros(LANES, layout.dtype), np.zeros(LANES, layout.dtype)
    _rows(to, other, table, layout.constants)

    assert (to == table[2]).all()
    assert (other == layout.constants[1]).all()
