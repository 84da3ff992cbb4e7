"""What the kernels must give, made from the object path; and what they do give, in the same shape."""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from anycastle.io.feeds.row_values import format_address
from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels import mrt_rows as routes
from anycastle.kernels.attribute_decoder import AttributeDecoder, PathLocator
from anycastle.kernels.mrt import DECODE_ATTRIBUTES, DECODE_PATHS, DECODE_ROUTES, FILL_SLOTS, LOCATE_PATHS
from anycastle.kernels.mrt_attributes import ATOMIC_AGGREGATE
from anycastle.kernels.route_decoder import RouteDecoder
from anycastle.model.prefix import Family, Prefix
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, decode_nlri
from anycastle.wire.mrt.bgp4mp import BGPMessage, StateChange
from anycastle.wire.mrt.codec import Record
from anycastle.wire.mrt.record import Damaged
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, PeerIndexTable


class Attributes(NamedTuple):
    origin: int | None = None
    path: str = ""
    origin_asn: int = 0
    next_hop: str | None = None
    med: int | None = None
    local_preference: int | None = None
    communities: tuple[Any, ...] = ()
    large_communities: tuple[Any, ...] = ()
    only_to_customer: int = 0
    aggregator: tuple[int, int] | None = None
    atomic: bool = False
    originated_at: int = 0


class Row(NamedTuple):
    time_us: int
    kind: int
    peer: str
    peer_asn: int
    route: Any  # prefix, path identifier; or old and new state
    attributes: Attributes | None = None  # None: the row has none, or they are faulty and not compared


def _attributes(value: PathAttributes, *, multiprotocol: bool, originated_at: int = 0) -> Attributes:
    reach = value.mp_reach
    hop: Any = value.next_hop
    if multiprotocol and reach is not None:
        hop = reach.next_hops[0] if reach.next_hops else None
    path, aggregator = value.as_path, value.aggregator
    return Attributes(
        None if value.origin is None else int(value.origin),
        "" if path is None else str(path),
        0 if path is None else path.origin or 0,
        None if hop is None else str(hop),
        value.med,
        value.local_preference,
        value.communities,
        value.large_communities,
        value.only_to_customer or 0,
        None if aggregator is None else (aggregator.asn, int(aggregator.address)),
        value.atomic_aggregate,
        originated_at,
    )


def _nlri(field: Any, *, add_path: bool) -> tuple[NLRI, ...]:
    """Give the routes of a multiprotocol attribute, those of multicast too."""
    if field is None or field.afi not in (1, 2) or field.safi not in (1, 2):
        return ()
    if field.safi == 1:
        return tuple(field.nlri)
    decoded = decode_nlri(field.opaque, Family(field.afi), add_path=add_path)
    assert isinstance(decoded, tuple)
    return decoded


class Reference:
    """Rows of records; it remembers the peer table."""

    def __init__(self) -> None:
        self.peers: PeerIndexTable | None = None
        self.damaged = 0

    def rows(self, records: Iterable[Record]) -> Iterator[Row]:
        for record in records:
            match record.value:
                case PeerIndexTable():
                    self.peers = record.value
                case StateChange() as change:
                    who = (str(change.session.peer), change.session.peer_asn)
                    yield Row(record.at_us, routes.STATE_CHANGE, *who, (change.old_state, change.new_state))
                case BGPMessage(message=Update()) as message:
                    yield from self._update(record.at_us, message)
                case TableDumpRoute() as route:
                    where = (str(route.peer), route.peer_asn)
                    value = None
                    if not route.faults:
                        value = _attributes(route.attributes, multiprotocol=True, originated_at=route.originated_at)
                    yield Row(record.at_us, routes.RIB_ROUTE, *where, (route.prefix, None), value)
                case RIB() as rib if rib.prefix is not None:
                    yield from self._rib(record.at_us, rib, rib.prefix)
                case Damaged():
                    self.damaged += 1
                case _:
                    pass

    def _update(self, at_us: int, value: BGPMessage) -> Iterator[Row]:
        update = value.message
        assert isinstance(update, Update)
        who = (str(value.session.peer), value.session.peer_asn)
        found = update.attributes
        reach = _nlri(found.mp_reach, add_path=value.add_path)
        unreach = _nlri(found.mp_unreach, add_path=value.add_path)
        for nlri in (*update.withdrawn, *unreach):
            yield Row(at_us, routes.WITHDRAW, *who, (nlri.prefix, nlri.path_id))
        for nlri in update.nlri:
            attributes = None if update.errors else _attributes(found, multiprotocol=False)
            yield Row(at_us, routes.ANNOUNCE, *who, (nlri.prefix, nlri.path_id), attributes)
        for nlri in reach:
            attributes = None if update.errors else _attributes(found, multiprotocol=True)
            yield Row(at_us, routes.ANNOUNCE, *who, (nlri.prefix, nlri.path_id), attributes)

    def _rib(self, at_us: int, rib: RIB, prefix: Prefix) -> Iterator[Row]:
        peers = () if self.peers is None else self.peers.peers
        if any(entry.peer_index >= len(peers) for entry in rib.entries):
            self.damaged += 1
            return
        for entry in rib.entries:
            peer = peers[entry.peer_index]
            value = None
            if not entry.faults:
                value = _attributes(entry.attributes, multiprotocol=True, originated_at=entry.originated_at)
            yield Row(at_us, routes.RIB_ROUTE, str(peer.address), peer.asn, (prefix, entry.path_id), value)


class Kernels:
    """The kernels over a whole stream that is in memory."""

    def __init__(
        self,
        decode_routes: Callable[..., int] | None = None,
        decode_attributes: Callable[..., int] | None = None,
        rows_max: int = 2 * routes.RECORD_ROWS_MAX,
    ) -> None:
        self.decoder = RouteDecoder(decode_routes or load_kernel(DECODE_ROUTES), rows_max)
        self.attributes = AttributeDecoder(
            decode_attributes or load_kernel(DECODE_ATTRIBUTES), load_kernel(DECODE_PATHS), load_kernel(FILL_SLOTS)
        )
        self.locator = PathLocator(load_kernel(LOCATE_PATHS))
        self.damaged = 0
        self.end = 0
        self._size = 0

    def rows(self, stream: bytes) -> Iterator[Row]:
        memory = ctypes.create_string_buffer(stream, len(stream) or 1)
        self._size = len(stream)
        address = ctypes.addressof(memory)
        stopped = -1
        while stopped != routes.AT_END:
            stopped = self.decoder.decode(address, self.end, len(stream))
            assert stopped != routes.AT_OVERSIZED
            self.end = self.decoder.position
            self.damaged += self.decoder.damaged
            yield from self._batch(address)

    def _batch(self, address: int) -> Iterator[Row]:
        columns = self.decoder.columns
        located = self.locator.locate(address, columns)
        paths = self.attributes.decode_paths(address, columns)
        decoded = self.attributes.decode(address, columns)
        assert (paths.path == decoded.path[decoded.blocks]).all()
        assert (located.origin_asn == paths.origin_asn).all()
        octets = (ctypes.c_char * self._size).from_address(address)
        three = (located.place.tolist(), located.length.tolist(), paths.path.tolist())
        for at, length, number in zip(*three, strict=True):
            assert not at or octets[at : at + length] == self.attributes.paths[number]
        assert (paths.origin_asn == decoded.origin_asn[decoded.blocks]).all()
        fields = [getattr(columns, name).tolist() for name in columns.__dataclass_fields__]
        blocks = [getattr(decoded, name).tolist() for name in decoded.__dataclass_fields__]
        values: dict[int, Attributes] = {}
        for row, (time_us, high, low, peer, place, path_id, kind, family, length, form) in enumerate(
            zip(*fields, strict=True)
        ):
            who = self.decoder.peer(peer)
            head = (time_us, kind, str(who.address), who.asn)
            if kind == routes.STATE_CHANGE:
                yield Row(*head, (high, low))
                continue
            bits = (high << 64 | low) >> (96 if family == 1 else 0)
            route = (Prefix(Family(family), bits, length), path_id if form & routes.ADD_PATH else None)
            block = blocks[0][row]
            if block not in values:
                values[block] = self._value(*[column[block] for column in blocks[1:]])
            yield Row(*head, route, values[block] if place else None)

    def _value(
        self, origin: int, path: int, origin_asn: int, hop_family: int, hop_high: int, hop_low: int, med: int,
        preference: int, communities: int, large: int, _extended: int, customer: int, aggregator_asn: int,
        aggregator: int, flags: int, originated_at: int,
    ) -> Attributes:  # fmt: skip
        return Attributes(
            None if origin > 2 else origin,
            self.attributes.path_text(path),
            origin_asn,
            format_address(hop_family, hop_high, hop_low) if hop_family else None,
            None if med < 0 else med,
            None if preference < 0 else preference,
            self.attributes.communities(communities),
            self.attributes.large_communities(large),
            customer,
            (aggregator_asn, aggregator) if flags & 2 else None,
            bool(flags & ATOMIC_AGGREGATE),
            originated_at,
        )


def assert_equal(kernel: Iterable[Row], reference: Iterable[Row]) -> int:
    """Compare row by row; attributes that have faults are not compared. Give how many rows there were."""
    count = 0
    for ours, wanted in zip(kernel, reference, strict=True):
        if wanted.attributes is None:
            ours = ours._replace(attributes=None)
        assert ours == wanted
        count += 1
    return count
