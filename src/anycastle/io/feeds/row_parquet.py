"""Rows of batches as a Parquet file, batch by batch: what repeats is stored once in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from anycastle.io.feeds.route_batches import RouteBatch
from anycastle.io.feeds.row_values import KINDS, BlockValues, format_address
from anycastle.kernels.mrt_rows import ADD_PATH, STATE_CHANGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anycastle.kernels.attribute_decoder import AttributeColumns

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_TEXTS: Final = pa.dictionary(pa.int32(), pa.list_(pa.string()))
_OF_BLOCKS: Final = {
    "as_path": _TEXT,
    "origin": _TEXT,
    "next_hop": _TEXT,
    "local_preference": pa.uint32(),
    "med": pa.uint32(),
    "communities": pa.list_(pa.string()),
    "large_communities": pa.list_(pa.string()),
    "only_to_customer": pa.uint32(),
    "atomic_aggregate": pa.bool_(),
    "aggregator": _TEXT,
    "originated_at": pa.timestamp("s", "UTC"),
    "malformed": pa.bool_(),
}
SCHEMA: Final = pa.schema(
    {
        "time": pa.timestamp("us", "UTC"),
        "kind": _TEXT,
        "peer": _TEXT,
        "peer_asn": pa.uint32(),
        "prefix": _TEXT,
        "path_id": pa.uint32(),
        **_OF_BLOCKS,
        "old_state": pa.uint16(),
        "new_state": pa.uint16(),
    }
)
"""Columns as `FIELDS` of `row_values`, with types; what a row does not have is null."""


class RowParquet:
    """Writes rows to a file that is open for writing; close it to end the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer: Any = ParquetWriter(file, SCHEMA, compression="zstd")

    def write(self, batch: RouteBatch, rows: NDArray[np.uint32], attributes: AttributeColumns) -> None:
        """Write `rows`, whose attributes are given, as one group."""
        columns = batch.columns
        kind, form = columns.kind[rows], columns.form[rows]
        states = kind == STATE_CHANGE
        peers, peer_places = np.unique(columns.peer[rows], return_inverse=True)
        who = [batch.reader.peer(int(number)) for number in peers]
        arrays: list[Any] = [
            pa.array(columns.time_us[rows], SCHEMA.field("time").type),
            _dictionary(kind, list(KINDS)),
            _dictionary(peer_places, [str(peer.address) for peer in who]),
            pa.array(np.array([peer.asn for peer in who], np.uint32)[peer_places]),
            _prefixes(batch, rows, states),
            pa.array(columns.path_id[rows], mask=(form & ADD_PATH) == 0),
        ]
        without = columns.place[rows] == 0
        values = BlockValues(batch, attributes)
        blocks = [values[number] for number in range(len(attributes.origin))]
        places = pa.array(attributes.blocks, mask=without)
        for name, arrow in _OF_BLOCKS.items():
            plain = pa.array([value.get(name) for value in blocks], arrow.value_type if arrow == _TEXT else arrow)
            taken = (plain.dictionary_encode() if arrow == _TEXT else plain).take(places)
            arrays.append(taken.cast(arrow))
        arrays += [
            pa.array(np.where(states, column[rows], 0).astype(np.uint16), mask=~states)
            for column in (columns.high, columns.low)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


def _dictionary(places: NDArray[Any], texts: list[str], mask: NDArray[np.bool_] | None = None) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=mask), pa.array(texts, pa.string()))


def _prefixes(batch: RouteBatch, rows: NDArray[np.uint32], states: NDArray[np.bool_]) -> Any:
    columns = batch.columns
    key = np.empty(len(rows), [("f", "u1"), ("l", "u1"), ("high", "u8"), ("low", "u8")])
    key["f"], key["l"] = columns.family[rows], columns.length[rows]
    key["high"], key["low"] = columns.high[rows], columns.low[rows]
    different, places = np.unique(key, return_inverse=True)
    texts = [f"{format_address(family, high, low)}/{length}" for family, length, high, low in different.tolist()]
    return _dictionary(places, texts, states)
