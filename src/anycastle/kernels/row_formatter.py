"""The host of `mrt_text`: rows of a batch as the lines of `bgpdump -m`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.attribute_decoder import AttributeColumns, AttributeDecoder
from anycastle.kernels.mrt_text import LINE_MAX, OCTETS_PER_OCTET, WORDS
from anycastle.kernels.route_decoder import RouteColumns, RouteDecoder

TEXT_SIZE: Final = LINE_MAX + OCTETS_PER_OCTET * 8 * 65536
"""Octets of text written at once: room for the longest line, and for some thousand of usual length."""


class RowFormatter:
    """Writes rows as text. `format_rows` is the linked kernel, or any function of its shape."""

    def __init__(self, format_rows: Callable[..., int]) -> None:
        self._format = format_rows
        self._text = np.empty(TEXT_SIZE, np.uint8)
        self._words = np.frombuffer(WORDS, np.uint8)
        self._written = np.zeros(1, np.int64)

    def lines(
        self,
        routes: RouteDecoder,
        decoder: AttributeDecoder,
        columns: RouteColumns,
        attributes: AttributeColumns,
        rows: NDArray[np.uint32],
    ) -> Iterator[memoryview]:
        """Give the lines of `rows`, whose attributes are `attributes`; each piece is good until the next."""
        view = columns
        tables: list[Any] = [
            view.time_us, view.high, view.low, view.peer, view.path_id, view.kind, view.family, view.length, view.form,
        ]  # fmt: skip
        peers = list(routes.peer_addresses)
        blocks: list[Any] = [
            attributes.origin, attributes.path, attributes.next_hop_family, attributes.next_hop_high,
            attributes.next_hop_low, attributes.med, attributes.local_preference, attributes.communities,
            attributes.aggregator_asn, attributes.aggregator, attributes.flags, decoder.paths.octets,
            decoder.paths.starts, decoder.lists.octets, decoder.lists.starts,
        ]  # fmt: skip
        done = 0
        while done < len(rows):
            done = self._format(
                _at(self._text), len(self._text), _at(self._words), len(rows), done, _at(rows), _at(attributes.blocks),
                *map(_at, tables), *peers, *map(_at, blocks), _at(self._written),
            )  # fmt: skip
            yield self._text[: int(self._written[0])].data


def _at(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)
