"""Rows of a batch as plain values under the names that every output of rows has."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, Final

from anycastle.io.feeds.route_batches import RouteBatch
from anycastle.kernels.mrt_attributes import AGGREGATOR, ATOMIC_AGGREGATE, MALFORMED, NO_ORIGIN
from anycastle.kernels.mrt_rows import ADD_PATH, STATE_CHANGE, WITHDRAW
from anycastle.wire.bgp.attributes import Origin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anycastle.kernels.attribute_decoder import AttributeColumns

FIELDS: Final = (
    "time", "kind", "peer", "peer_asn", "prefix", "path_id", "as_path", "origin", "next_hop", "local_preference", "med",
    "communities", "large_communities", "only_to_customer", "atomic_aggregate", "aggregator", "originated_at",
    "malformed", "old_state", "new_state",
)  # fmt: skip
"""Names of the values, in the order of columns. One that a row does not have is absent."""

KINDS: Final = ("announce", "withdraw", "rib", "state")
"""Texts of the column `kind`."""

_ORIGINS: Final = tuple(str(origin) for origin in Origin)


def format_address(family: int, high: int, low: int) -> str:
    """Format an address that is left-aligned in 128 bits."""
    if family == 1:
        return str(IPv4Address(high >> 32 & 0xFFFFFFFF))
    return str(IPv6Address((high & 0xFFFFFFFFFFFFFFFF) << 64 | low & 0xFFFFFFFFFFFFFFFF))


def row_values(batch: RouteBatch, rows: NDArray[np.uint32], attributes: AttributeColumns) -> Iterator[dict[str, Any]]:
    """Give each of `rows`, whose attributes are given, as a dictionary of JSON's values."""
    columns = batch.columns
    names = ("time_us", "kind", "peer", "family", "high", "low", "length", "path_id", "form")
    lists = [getattr(columns, name)[rows].tolist() for name in names]
    blocks = BlockValues(batch, attributes)
    for number, (time_us, kind, peer, family, high, low, length, path_id, form) in enumerate(
        zip(*lists, strict=True)
    ):  # fmt: skip
        who = batch.reader.peer(peer)
        value: dict[str, Any] = {
            "time": time_us / 1e6 if time_us % 1_000_000 else time_us // 1_000_000,
            "kind": KINDS[kind],
            "peer": str(who.address),
            "peer_asn": who.asn,
        }
        if kind == STATE_CHANGE:
            value |= {"old_state": high, "new_state": low}
        else:
            value["prefix"] = f"{format_address(family, high, low)}/{length}"
            if form & ADD_PATH:
                value["path_id"] = path_id
            if kind != WITHDRAW:
                value |= blocks[int(attributes.blocks[number])]
        yield value


class BlockValues:
    """The values of a batch's blocks of attributes, each made once."""

    def __init__(self, batch: RouteBatch, attributes: AttributeColumns) -> None:
        self._decoder = batch.reader.attributes
        self._attributes = attributes
        self._made: dict[int, dict[str, Any]] = {}

    def __getitem__(self, block: int) -> dict[str, Any]:
        if block not in self._made:
            self._made[block] = self._make(block)
        return self._made[block]

    def _make(self, block: int) -> dict[str, Any]:
        columns, decoder = self._attributes, self._decoder
        value: dict[str, Any] = {"as_path": decoder.path_text(int(columns.path[block]))}
        origin, flags = int(columns.origin[block]), int(columns.flags[block])
        if origin != NO_ORIGIN:
            value["origin"] = _ORIGINS[origin]
        family = int(columns.next_hop_family[block])
        if family:
            value["next_hop"] = format_address(
                family, int(columns.next_hop_high[block]), int(columns.next_hop_low[block])
            )  # fmt: skip
        for name, number in (("local_preference", columns.local_preference), ("med", columns.med)):
            if number[block] >= 0:
                value[name] = int(number[block])
        if columns.communities[block]:
            value["communities"] = [str(each) for each in decoder.communities(int(columns.communities[block]))]
        if columns.large_communities[block]:
            large = decoder.large_communities(int(columns.large_communities[block]))
            value["large_communities"] = [str(each) for each in large]
        if columns.only_to_customer[block]:
            value["only_to_customer"] = int(columns.only_to_customer[block])
        if flags & ATOMIC_AGGREGATE:
            value["atomic_aggregate"] = True
        if flags & AGGREGATOR:
            address = IPv4Address(int(columns.aggregator[block]))
            value["aggregator"] = f"{columns.aggregator_asn[block]} {address}"
        if columns.originated_at[block]:
            value["originated_at"] = int(columns.originated_at[block])
        if flags & MALFORMED:
            value["malformed"] = True
        return value
