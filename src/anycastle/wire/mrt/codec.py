"""Records to values and back: the table of types, and the one place where damage becomes a value."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.wire.mrt import bgp4mp, legacy, table_dump, table_dump_v2
from anycastle.wire.mrt.bgp4mp import BGPMessage, StateChange
from anycastle.wire.mrt.kind import RecordType
from anycastle.wire.mrt.record import HEADER_LENGTH, Damaged, RawRecord, RecordFramer, Unknown, encode_record
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, GeoPeerTable, PeerIndexTable
from anycastle.wire.octets import DamagedError

Content = BGPMessage | StateChange | TableDumpRoute | PeerIndexTable | GeoPeerTable | RIB
Value = Content | Damaged | Unknown


@dataclass(frozen=True, slots=True)
class Record:
    """A record with what it says; `offset` and `at_us` are those of the `RawRecord`."""

    offset: int
    at_us: int
    value: Value


class _Reading(NamedTuple):
    subtypes: frozenset[int]
    decode: Callable[[bytes, int], Content]


_BGP4MP: Final = _Reading(bgp4mp.READ, bgp4mp.decode_bgp4mp)
_TYPES: Final[dict[int, _Reading]] = {
    RecordType.BGP: _Reading(frozenset(legacy.READ), legacy.decode_legacy),
    RecordType.TABLE_DUMP: _Reading(frozenset(table_dump.READ), table_dump.decode_table_dump),
    RecordType.TABLE_DUMP_V2: _Reading(frozenset(table_dump_v2.READ), table_dump_v2.decode_table_dump_v2),
    RecordType.BGP4MP: _BGP4MP,
    RecordType.BGP4MP_ET: _BGP4MP,
}


def decode_record(raw: RawRecord) -> Record:
    """Decode a record; damage and unknown types are values. Raises nothing."""
    reading = _TYPES.get(raw.kind)
    if reading is None or raw.subtype not in reading.subtypes:
        return Record(raw.offset, raw.at_us, Unknown(raw.kind, raw.subtype))
    try:
        value: Value = reading.decode(raw.body, raw.subtype)
    except DamagedError as error:
        head = HEADER_LENGTH + (4 if raw.kind == RecordType.BGP4MP_ET else 0)
        value = Damaged(error.what, raw.offset + head + error.position)
    return Record(raw.offset, raw.at_us, value)


def decode_records(pieces: Iterable[bytes | bytearray | memoryview]) -> Iterator[Record]:
    """Give the records of a stream that comes in pieces; the last one says when the stream was cut."""
    framer = RecordFramer()
    for piece in pieces:
        framer.feed(piece)
        for raw in framer:
            yield decode_framed(raw)
    cut = framer.finish()
    if cut is not None:
        yield decode_framed(cut)


def decode_framed(framed: RawRecord | Damaged) -> Record:
    """Decode what a framer gives; damage has no time, so its `at_us` is 0."""
    return Record(framed.offset, 0, framed) if isinstance(framed, Damaged) else decode_record(framed)


def encode_content(at_us: int, content: Content, *, microseconds: bool = False) -> bytes:
    """Encode a whole record, BGP4MP ones with an extended header where `microseconds` are to be kept."""
    if isinstance(content, BGPMessage | StateChange):
        kind = RecordType.BGP4MP_ET if microseconds else RecordType.BGP4MP
        return encode_record(at_us, kind, *bgp4mp.encode_bgp4mp(content))
    if isinstance(content, TableDumpRoute):
        return encode_record(at_us, RecordType.TABLE_DUMP, *table_dump.encode_table_dump(content))
    return encode_record(at_us, RecordType.TABLE_DUMP_V2, *table_dump_v2.encode_table_dump_v2(content))
