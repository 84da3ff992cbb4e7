"""The MRT kernels run as plain Python, with every access checked: what a pointer would not notice fails here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from anycastle.kernels import mrt_attributes, mrt_paths, mrt_routes, mrt_rows, mrt_text
from anycastle.kernels.mrt_rows import AT_END, AT_OVERSIZED

ROWS = 2048
PEERS = 2048
STORE = 1 << 16
KINDS = ("i8", "u8", "u8", "u4", "u4", "u4", "u1", "u1", "u1", "u1")
BLOCK_KINDS = ("u1", "u4", "u4", "u1", "u8", "u8", "i8", "i8", "u4", "u4", "u4", "u4", "u4", "u4", "u1", "u4")
LONGEST = ROWS
"""Octets of a stream: no record of it has more rows than there is room for."""


class Memory:
    """A column or octets. A number that is stored is cut to the column's size, as in memory."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.bits = 8 * values.dtype.itemsize
        self.signed = values.dtype.kind == "i"

    def __getitem__(self, place: int) -> int:
        assert 0 <= place < len(self.values), f"read at {place} of {len(self.values)}"
        return int(self.values[place])

    def __setitem__(self, place: int, value: int) -> None:
        assert 0 <= place < len(self.values), f"write at {place} of {len(self.values)}"
        value &= (1 << self.bits) - 1
        if self.signed and value >> (self.bits - 1):
            value -= 1 << self.bits
        self.values[place] = value


@dataclass
class Decoded:
    """Rows, the positions of damage, the columns of attributes, and the text, of one stream."""

    columns: list[Any]
    damage: list[int]
    blocks: list[Any]
    text: bytes


def zeros(kind: str, size: int) -> Memory:
    return Memory(np.zeros(size, kind))


def decode(stream: bytes) -> Decoded:
    """Decode a stream of at most `LONGEST` octets; it fails where a kernel leaves its memory."""
    octets = Memory(np.frombuffer(stream, np.uint8))
    columns = [zeros(kind, ROWS) for kind in KINDS]
    peers = [zeros(kind, PEERS) for kind in ("u8", "u8", "i8", "u1")]
    slots, index, damage, state = zeros("u4", 2 * PEERS), zeros("u4", 65536), zeros("i8", 64), zeros("i8", 24)
    state[mrt_rows.CAPACITY], state[mrt_rows.PEERS_MAX] = ROWS, PEERS
    state[mrt_rows.SLOT_MASK], state[mrt_rows.DAMAGED_MAX] = 2 * PEERS - 1, 64
    stopped = mrt_routes.decode_routes(octets, 0, len(stream), *columns, *peers, slots, index, damage, state)
    assert stopped in (AT_END, AT_OVERSIZED) or state[mrt_rows.ROWS]
    rows = state[mrt_rows.ROWS]
    blocks, stores, counts = attributes(octets, columns, rows)
    texts = [
        each
        for what, (kept, starts) in ((mrt_text.PATH, stores[0:2]), (mrt_text.COMMUNITIES, stores[3:5]))
        for each in kept_texts(what, kept, starts, counts[what])
    ]
    text = lines(columns, peers, blocks, texts, rows)
    kept = [column.values[:rows] for column in columns]
    found = damage.values[: min(64, state[mrt_rows.DAMAGED])].tolist()
    return Decoded(kept, found, [block.values for block in blocks], text)


def attributes(octets: Memory, columns: list[Memory], rows: int) -> tuple[list[Memory], list[Memory], list[int]]:
    """Decode the attributes of every row, a block for each; give them, the stores, and how much these hold."""
    blocks = [zeros(kind, rows) for kind in BLOCK_KINDS]
    tables = [zeros(kind, size) for _ in range(2) for kind, size in (("u1", STORE), ("i8", 4097), ("u4", 8192))]
    store = [1, 4096, 0, STORE, 8191, 0]
    stores = Memory(np.array(store + store, np.int64))
    scratch, found = zeros("u1", mrt_attributes.SCRATCH_SIZE), zeros("i8", mrt_attributes.FOUND_SIZE)
    places, forms, families = columns[4], columns[9], columns[7]
    done = mrt_attributes.decode_attributes(
        octets, rows, places, forms, families, 0, *blocks, *tables, stores, scratch, found
    )  # fmt: skip
    assert done == rows
    check_paths(octets, rows, places, forms, blocks)
    return blocks, tables, [stores[place + mrt_attributes.COUNT] for place in (0, mrt_attributes.LISTS)]


def check_paths(octets: Memory, rows: int, places: Memory, forms: Memory, blocks: list[Memory]) -> None:
    """Read paths and origins alone: within bounds, and as all attributes give them."""
    numbers, origins, located = (zeros("u4", rows) for _ in range(3))
    tables = [zeros(kind, size) for kind, size in (("u1", STORE), ("i8", 4097), ("u4", 8192))]
    stores = Memory(np.array([1, 4096, 0, STORE, 8191, 0] * 2, np.int64))
    scratch, found = zeros("u1", mrt_attributes.SCRATCH_SIZE), zeros("i8", mrt_attributes.FOUND_SIZE)
    done = mrt_paths.decode_paths(
        octets, rows, places, forms, 0, numbers, origins, *tables, stores, scratch, found
    )  # fmt: skip
    assert done == rows
    mrt_paths.locate_paths(
        octets, rows, places, forms, located, zeros("u4", rows), zeros("u2", rows), scratch, found
    )  # fmt: skip
    assert (numbers.values == blocks[1].values).all()
    assert (origins.values == blocks[2].values).all()
    assert (located.values == blocks[2].values).all()


def kept_texts(what: int, kept: Memory, starts: Memory, count: int) -> tuple[Memory, Memory]:
    """Write the texts of what a store keeps, into just the room that they may need."""
    texts = zeros("u1", mrt_text.OCTETS_PER_OCTET * starts[count])
    text_starts = zeros("i8", count + 1)
    words = Memory(np.frombuffer(mrt_text.WORDS, np.uint8))
    assert mrt_text.format_kept(what, words, kept, starts, 0, count, texts, text_starts) == count
    return texts, text_starts


def lines(columns: list[Memory], peers: list[Memory], blocks: list[Memory], texts: list[Memory], rows: int) -> bytes:
    """Write every row as text."""
    out, written = zeros("u1", 1 << 18), zeros("i8", 1)
    words = Memory(np.frombuffer(mrt_text.WORDS, np.uint8))
    every = Memory(np.arange(rows, dtype=np.uint32))
    shown = (0, 1, 2, 3, 5, 6, 7, 8, 9)
    values = (0, 1, 3, 4, 5, 6, 7, 8, 12, 13, 14)
    text, done = b"", 0
    while done < rows:
        before = done
        done = mrt_text.format_rows(
            out, 1 << 18, words, rows, done, every, every, *(columns[place] for place in shown), *peers,
            *(blocks[place] for place in values), *texts, written,
        )  # fmt: skip
        assert done > before
        text += out.values[: written[0]].tobytes()
    return text
