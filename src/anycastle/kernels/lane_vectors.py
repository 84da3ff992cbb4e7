"""The steps that sweeps spend their time in, as vector instructions: rows of 64 keys compared, passed on, and read.

A loop over lanes inside a loop over neighbours makes LLVM write the row back after each neighbour, ask each time if
rows overlap, and widen 32 bits to 64 where numba's rules say so. Here a row is one vector value (four registers of
AVX-512), which LLVM splits as the machine needs: several times as fast, and the same on every CPU.
"""

from typing import Any, Final, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from anycastle.kernels.route_key import GROUP, KEEP, LENGTH, NONE, ONE_LENGTH

LANES: Final = 64
"""Configurations at once: four vectors of 16 keys with AVX-512, eight with AVX2."""

_INDEX: Final = ir.IntType(64)


class _Rows(NamedTuple):
    """An array of rows of `LANES` unsigned integers, in generated code."""

    first: Any
    octets: int
    vector: Any


def _rows(context: Any, builder: Any, kind: Any, value: Any) -> _Rows:
    vector = ir.VectorType(ir.IntType(kind.dtype.bitwidth), LANES)
    array = context.make_array(kind)(context, builder, value)
    return _Rows(builder.bitcast(array.data, vector.as_pointer()), kind.dtype.bitwidth // 8, vector)


def _load(builder: Any, rows: _Rows, at: Any = None) -> Any:
    where = rows.first if at is None else builder.gep(rows.first, [at])
    return builder.load(where, align=rows.octets)


def _store(builder: Any, rows: _Rows, value: Any, at: Any = None) -> None:
    where = rows.first if at is None else builder.gep(rows.first, [at])
    builder.store(value, where, align=rows.octets)


def _constant(context: Any, builder: Any, kind: Any, value: Any, index: int) -> Any:
    """Give `LANES` copies of an element of a layout's constants."""
    array = context.make_array(kind)(context, builder, value)
    return _splat(builder, builder.load(builder.gep(array.data, [ir.Constant(_INDEX, index)])))


def _splat(builder: Any, one: Any) -> Any:
    """Give `LANES` copies of one value."""
    vector = ir.VectorType(one.type, LANES)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)


def _copy_row(_context: Any, to: Any, source: Any, row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        out, rows = (_rows(context, builder, kinds[at], values[at]) for at in range(2))
        _store(builder, out, _load(builder, rows, context.cast(builder, values[2], kinds[2], types.int64)))
        return context.get_dummy_value()

    return types.void(to, source, row), generate


copy_row: Any = intrinsic(_copy_row)
"""`copy_row(to, source, row)`: `to` (a key a lane) becomes `source[row]`."""


def _fill_row(_context: Any, to: Any, values_: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        out = _rows(context, builder, kinds[0], values[0])
        array = context.make_array(kinds[1])(context, builder, values[1])
        at = context.cast(builder, values[2], kinds[2], types.int64)
        _store(builder, out, _splat(builder, builder.load(builder.gep(array.data, [at]))))
        return context.get_dummy_value()

    return types.void(to, values_, index), generate


fill_row: Any = intrinsic(_fill_row)
"""`fill_row(to, values, index)`: every lane of `to` becomes `values[index]`. Rows are written as wide as they are read:
a narrower store before a wider load holds the processor up."""


def _take_least(_context: Any, best: Any, table: Any, rows: Any, start: Any, end: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        held, offers = (_rows(context, builder, kinds[at], values[at]) for at in range(2))
        indices = context.make_array(kinds[2])(context, builder, values[2]).data
        alloca_once: Any = cgutils.alloca_once
        least = alloca_once(builder, held.vector)
        builder.store(_load(builder, held), least)
        first, last = (context.cast(builder, values[at], kinds[at], types.int64) for at in (3, 4))
        with cgutils.for_range_slice(builder, first, last, ir.Constant(_INDEX, 1), _INDEX) as (at, _):
            row = builder.sext(builder.load(builder.gep(indices, [at])), _INDEX)
            offer, mine = _load(builder, offers, row), builder.load(least)
            builder.store(builder.select(builder.icmp_unsigned("<", offer, mine), offer, mine), least)
        _store(builder, held, builder.load(least))
        return context.get_dummy_value()

    return types.void(best, table, rows, start, end), generate


take_least: Any = intrinsic(_take_least)
"""`take_least(best, table, rows, start, end)`: `best` (a key a lane) becomes, lane by lane, the least of itself and the
rows `rows[start:end]` of `table` ([row, lane]). Arrays are contiguous, `best` and `table` of one unsigned type; indices
are not checked."""


def _pass_on(
    _context: Any, best: Any, hop: Any, layout: Any, below: Any, class_: Any, told: Any, row: Any, longest: Any
) -> Any:
    limit, bits = below.literal_value, class_.literal_value

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        mine, hops, out, top = (_rows(context, builder, kinds[at], values[at]) for at in (0, 1, 5, 7))
        one_length, keep, none, less, length, above = (
            _constant(context, builder, kinds[2], values[2], index)
            for index in (ONE_LENGTH, KEEP, NONE, limit, LENGTH, bits)
        )
        key = _load(builder, mine)
        passed = builder.add(builder.and_(key, keep), one_length)
        passed = builder.or_(builder.or_(passed, _load(builder, hops)), above)
        told_at_all = builder.icmp_unsigned("<", key, less)
        at = context.cast(builder, values[6], kinds[6], types.int64)
        _store(builder, out, builder.select(told_at_all, passed, none), at)
        zero = ir.Constant(mine.vector, [0] * LANES)
        mine_length = builder.select(told_at_all, builder.and_(key, length), zero)
        held = _load(builder, top)
        _store(builder, top, builder.select(builder.icmp_unsigned("<", held, mine_length), mine_length, held))
        return context.get_dummy_value()

    return types.void(best, hop, layout, below, class_, told, row, longest), generate


pass_on: Any = intrinsic(prefer_literal=True)(_pass_on)
"""`pass_on(best, hop, layout, below, class_, told, row, longest)`: `told[row]` becomes what neighbours are offered of
`best`, by lane: one longer, over `hop`, in a class; no route where `best` is not below a limit. `longest` becomes the
largest length passed on so far. `below` and `class_` are literal indices of the layout's constants."""


def _read_groups(_context: Any, best: Any, layout: Any, groups: Any, row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        mine, out = (_rows(context, builder, kinds[at], values[at]) for at in (0, 2))
        none, mask = (_constant(context, builder, kinds[1], values[1], index) for index in (NONE, GROUP))
        key = _load(builder, mine)
        group = builder.trunc(builder.and_(key, mask), out.vector)
        nobody = ir.Constant(out.vector, [(1 << 8 * out.octets) - 1] * LANES)
        at = context.cast(builder, values[3], kinds[3], types.int64)
        _store(builder, out, builder.select(builder.icmp_unsigned("<", key, none), group, nobody), at)
        return context.get_dummy_value()

    return types.void(best, layout, groups, row), generate


read_groups: Any = intrinsic(_read_groups)
"""`read_groups(best, layout, groups, row)`: `groups[row]` (uint8 or uint16) becomes the group of each lane, or the
largest number where there is no route."""
