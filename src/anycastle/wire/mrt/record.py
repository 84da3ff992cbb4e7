"""One MRT record: header, what became of its body, and the framer that cuts a stream into records (RFC 6396 §2, §3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.wire.mrt.kind import RecordType, format_kind

HEADER_LENGTH: Final = 12
"""Octets of timestamp, type, subtype and length (RFC 6396 §2)."""

RECORD_MAX: Final = 16 * 1024 * 1024
"""Octets of a record's body that are read. The longest in use, a RIB record of some thousand peers, has under one
million; a longer length is taken for damage, and no damaged file may fill the memory."""

HEADER: Final = Struct("!IHHI")


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record before its body is looked at.

    `offset` is where its header starts in the stream, after decompression. `at_us` counts microseconds since
    1970-01-01 UTC; those of an extended header are in it, and no more in `body`.
    """

    offset: int
    at_us: int
    kind: int
    subtype: int
    body: bytes

    def __str__(self) -> str:
        return f"{format_kind(self.kind, self.subtype)} at octet {self.offset}"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record that cannot be read: what is wrong, and where, in octets from the start of the stream."""

    what: str
    offset: int

    def __str__(self) -> str:
        return f"{self.what} (octet {self.offset})"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A record of a type or subtype that is not read here."""

    kind: int
    subtype: int

    def __str__(self) -> str:
        return f"{format_kind(self.kind, self.subtype)} is not read here"


def encode_header(at_us: int, kind: int, subtype: int, length: int) -> bytes:
    """Encode a record's header for a body of `length` octets, with microseconds where the type has them."""
    seconds, microseconds = divmod(at_us, 1_000_000)
    if kind != RecordType.BGP4MP_ET:
        return HEADER.pack(seconds, kind, subtype, length)
    return HEADER.pack(seconds, kind, subtype, length + 4) + microseconds.to_bytes(4)


def encode_record(at_us: int, kind: int, subtype: int, body: bytes) -> bytes:
    """Encode a whole record. Raises `MisuseError` for a body over `RECORD_MAX`."""
    if len(body) > RECORD_MAX:
        raise MisuseError(f"a record of {len(body)} octets is over the limit of {RECORD_MAX}")
    return encode_header(at_us, kind, subtype, len(body)) + body


class RecordFramer:
    """Cuts a stream into records, whatever the pieces it comes in.

    A record over `RECORD_MAX` is passed over, and given as `Damaged`. Feed, iterate, and at the end of the stream ask
    `finish` for what was cut.
    """

    __slots__ = ("_buffer", "_passing", "_position", "offset")

    def __init__(self) -> None:
        self.offset = 0
        self._buffer = bytearray()
        self._position = 0
        self._passing = 0

    def feed(self, octets: bytes | bytearray | memoryview) -> None:
        """Take octets of the stream. Iterate before the next call: what is whole is not kept twice."""
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += octets

    def __iter__(self) -> Iterator[RawRecord | Damaged]:
        """Give each record that is whole by now."""
        while True:
            if self._passing:
                passed = min(self._passing, len(self._buffer) - self._position)
                self._advance(passed)
                self._passing -= passed
            if self._passing or len(self._buffer) - self._position < HEADER_LENGTH:
                return
            seconds, kind, subtype, length = HEADER.unpack_from(self._buffer, self._position)
            if length > RECORD_MAX:
                yield Damaged(f"a record of {length} octets is over the limit of {RECORD_MAX}", self.offset)
                self._passing = HEADER_LENGTH + length
                continue
            end = self._position + HEADER_LENGTH + length
            if end > len(self._buffer):
                return
            body = bytes(self._buffer[self._position + HEADER_LENGTH : end])
            offset = self.offset
            self._advance(HEADER_LENGTH + length)
            yield _with_microseconds(offset, seconds, kind, subtype, body)

    def _advance(self, octets: int) -> None:
        self._position += octets
        self.offset += octets

    def finish(self) -> Damaged | None:
        """Give what the stream was cut in, or None when it ended after a whole record."""
        left = len(self._buffer) - self._position
        if not left and not self._passing:
            return None
        return Damaged(f"the stream ends within a record, {left} octets after its start", self.offset)


def _with_microseconds(offset: int, seconds: int, kind: int, subtype: int, body: bytes) -> RawRecord | Damaged:
    if kind != RecordType.BGP4MP_ET:
        return RawRecord(offset, seconds * 1_000_000, kind, subtype, body)
    if len(body) < 4:  # RFC 6396 §3
        return Damaged(f"{format_kind(kind, subtype)} without its microseconds", offset)
    return RawRecord(offset, seconds * 1_000_000 + int.from_bytes(body[:4]), kind, subtype, body[4:])
