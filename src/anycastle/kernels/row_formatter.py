"""The host of `mrt_text`: rows of a batch as the lines of `bgpdump -m`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.attribute_decoder import AttributeColumns, AttributeDecoder, Store
from anycastle.kernels.mrt_attributes import SCRATCH_SIZE
from anycastle.kernels.mrt_text import COMMUNITIES, LINE_MAX, OCTETS_PER_OCTET, PATH, WORDS
from anycastle.kernels.route_decoder import RouteColumns, RouteDecoder

TEXT_SIZE: Final = LINE_MAX + OCTETS_PER_OCTET * (SCRATCH_SIZE + 65536) + (1 << 19)
"""Octets of text written at once: room for the longest line, and for some thousand of usual length."""


class _Texts:
    """The texts of what a store keeps, made once."""

    def __init__(self, format_kept: Callable[..., int], what: int, words: NDArray[np.uint8]) -> None:
        self._format, self._what, self._words = format_kept, what, words
        self._store: Store | None = None

    def extend(self, store: Store) -> None:
        """Add the texts of what is new in the store; another store than before begins anew."""
        if store is not self._store:
            self._store, self.done = store, 0
            self.octets, self.starts = np.zeros(1, np.uint8), np.zeros(1, np.int64)
        if len(self.octets) < OCTETS_PER_OCTET * store.used:
            self.octets = _grown(self.octets, 2 * OCTETS_PER_OCTET * store.used)
        if len(self.starts) < store.count + 1:
            self.starts = _grown(self.starts, 2 * (store.count + 1))
        self.done = self._format(
            self._what, _at(self._words), _at(store.octets), _at(store.starts), self.done, store.count,
            _at(self.octets), _at(self.starts),
        )  # fmt: skip


class RowFormatter:
    """Writes rows as text. `format_rows` and `format_kept` are the linked kernels, or any functions of their shape."""

    def __init__(self, format_rows: Callable[..., int], format_kept: Callable[..., int]) -> None:
        self._format = format_rows
        self._text = np.empty(TEXT_SIZE, np.uint8)
        self._words = np.frombuffer(WORDS, np.uint8)
        self._written = np.zeros(1, np.int64)
        self._paths = _Texts(format_kept, PATH, self._words)
        self._lists = _Texts(format_kept, COMMUNITIES, self._words)

    def lines(
        self,
        routes: RouteDecoder,
        decoder: AttributeDecoder,
        columns: RouteColumns,
        attributes: AttributeColumns,
        rows: NDArray[np.uint32],
    ) -> Iterator[memoryview]:
        """Give the lines of `rows`, whose attributes are `attributes`; each piece is good until the next."""
        self._paths.extend(decoder.paths)
        self._lists.extend(decoder.lists)
        view = columns
        tables: list[Any] = [
            view.time_us, view.high, view.low, view.peer, view.path_id, view.kind, view.family, view.length, view.form,
        ]  # fmt: skip
        peers = list(routes.peer_addresses)
        blocks: list[Any] = [
            attributes.origin, attributes.path, attributes.next_hop_family, attributes.next_hop_high,
            attributes.next_hop_low, attributes.med, attributes.local_preference, attributes.communities,
            attributes.aggregator_asn, attributes.aggregator, attributes.flags, self._paths.octets,
            self._paths.starts, self._lists.octets, self._lists.starts,
        ]  # fmt: skip
        done = 0
        while done < len(rows):
            before = done
            done = self._format(
                _at(self._text), len(self._text), _at(self._words), len(rows), done, _at(rows), _at(attributes.blocks),
                *map(_at, tables), *peers, *map(_at, blocks), _at(self._written),
            )  # fmt: skip
            assert done > before
            yield self._text[: int(self._written[0])].data


def _at(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    larger = np.zeros(size, array.dtype)
    larger[: len(array)] = array
    return larger
