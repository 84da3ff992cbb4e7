"""The vectorised filter of archives lets through all that the table says concerns us, and little else."""

from ctypes import c_uint8

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from anycastle.io.feeds.mrt_facts import Spans
from anycastle.kernels.mrt_rows import ANNOUNCE, STATE_CHANGE
from anycastle.kernels.route_decoder import RouteColumns
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.table import WatchedTable


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    family = draw(st.sampled_from(Family))
    length = draw(st.integers(0, family.bits))
    network = draw(st.integers(0, 2**family.bits - 1) | st.integers(0, 3).map(lambda top: top << (family.bits - 2)))
    return Prefix(family, network >> (family.bits - length) << (family.bits - length), length)


def columns(rows: list[Prefix], kinds: list[int]) -> RouteColumns:
    bits = [prefix.network << (128 - prefix.family.bits) for prefix in rows]
    empty = np.zeros(len(rows), np.uint32)
    return RouteColumns(
        time_us=np.zeros(len(rows), np.int64),
        high=np.array([each >> 64 for each in bits], np.uint64),
        low=np.array([each & (2**64 - 1) for each in bits], np.uint64),
        peer=empty,
        place=empty,
        path_id=empty,
        kind=np.array(kinds, c_uint8),
        family=np.array([prefix.family.value for prefix in rows], np.uint8),
        length=np.array([prefix.length for prefix in rows], np.uint8),
        form=np.zeros(len(rows), np.uint8),
    )


@example({Prefix(Family.IPV4, 0, 0)}, [Prefix(Family.IPV4, 0, 0)])
@given(st.sets(prefixes(), max_size=20), st.lists(prefixes(), min_size=1, max_size=40))
def test_rows(watched: set[Prefix], rows: list[Prefix]) -> None:
    ours = [WatchedPrefix(prefix, frozenset({ASN(64500)})) for prefix in watched]
    table = WatchedTable(ours)
    kinds = [STATE_CHANGE if number % 7 == 6 else ANNOUNCE for number in range(len(rows))]
    found = set(Spans(ours).rows(columns(rows, kinds)).tolist())
    for number, prefix in enumerate(rows):
        if kinds[number] == STATE_CHANGE or table.concern(prefix) is not None:
            assert number in found
        elif prefix.length and prefix.length <= 64 and all(each.length <= 64 for each in watched):
            assert number not in found
