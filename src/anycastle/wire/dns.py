"""A DNS reply, as far as measuring needs it (RFC 1035 §4.1): rcode, answers, and which server wrote it.

The server tells itself apart in a TXT answer of class CHAOS (RFC 4892: `id.server`, `hostname.bind`) or in the NSID
option (RFC 5001). Octets come from anywhere, so every count and pointer is bounded, and what is not a reply is returned
as `NoReply`, never raised. Other record types are kept by number, with the length of their data.
"""

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

REPLY_BYTES_MAX: Final = 65535
"""Octets of a DNS message (RFC 1035 §4.2.2)."""

POINTERS_MAX: Final = 127
"""Compression pointers followed in one name: a name has at most 127 labels (RFC 1035 §2.3.4)."""

_HEADER: Final = struct.Struct(">HHHHHH")
_RECORD: Final = struct.Struct(">HHIH")
_QUESTION: Final = struct.Struct(">HH")
_TXT: Final = 16
_IN: Final = 1
_ADDRESS_OCTETS: Final = {1: 4, 28: 16}
"""A (RFC 1035 §3.4.1) and AAAA (RFC 3596 §2.2) -> octets of the address."""
_SOA: Final = 6
_OPT: Final = 41
_NSID: Final = 3
_CHAOS: Final = 3


@dataclass(frozen=True, slots=True)
class NoReply:
    """What came is no DNS message, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record. `text` is the strings of a TXT, joined, or the address of an A or AAAA; else empty."""

    name: str
    type: int
    klass: int
    ttl_s: int
    size: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class DNSReply:
    """A message."""

    id: int
    rcode: int
    """With the upper octet of the OPT record, where there is one (RFC 6891 §6.1.3)."""
    truncated: bool
    authoritative: bool
    question: str
    question_type: int
    answers: tuple[Record, ...]
    soa_serial: int | None
    """Of the first SOA record in any section."""
    nsid: bytes
    """Empty where the server sent none."""

    @property
    def server(self) -> str:
        """Give the name by which the server tells itself apart: of a CHAOS answer, else the NSID; or ''."""
        for record in self.answers:
            if record.type == _TXT and record.klass == _CHAOS and record.text:
                return record.text
        return text_of_nsid(self.nsid)


def text_of_nsid(nsid: bytes) -> str:
    """Give an NSID as text where it is printable ASCII, else as hexadecimal digits (RFC 5001 §3.1: opaque)."""
    if all(0x20 <= octet < 0x7F for octet in nsid):
        return nsid.decode("ascii")
    return nsid.hex()


class _Malformed(Exception):
    """The octets end, or point, where they must not."""


def decode_reply(octets: bytes) -> DNSReply | NoReply:
    """Decode a message. Octets after its last record are passed over."""
    if len(octets) > REPLY_BYTES_MAX:
        return NoReply(f"{len(octets)} octets; a message has at most {REPLY_BYTES_MAX}")
    try:
        return _decode(octets)
    except (_Malformed, struct.error) as error:
        return NoReply(str(error) or "the message ends too early")


def _decode(octets: bytes) -> DNSReply:
    identity, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(octets)
    at, question, question_type = _HEADER.size, "", 0
    for number in range(questions):
        name, at = _name(octets, at)
        kind, _klass = _QUESTION.unpack_from(octets, at)
        at += _QUESTION.size
        if number == 0:
            question, question_type = name, kind
    sections: list[list[Record]] = []
    rcode, nsid, serial = flags & 0x0F, b"", None
    for count in (answers, authorities, additionals):
        records = []
        for _ in range(count):
            record, data, at = _record(octets, at)
            records.append(record)
            if record.type == _OPT:
                rcode |= record.ttl_s >> 24 << 4
                nsid = nsid or _nsid(octets[data:at])
            elif record.type == _SOA and serial is None:
                serial = _serial(octets, data)
        sections.append(records)
    return DNSReply(
        identity,
        rcode,
        bool(flags & 0x0200),
        bool(flags & 0x0400),
        question,
        question_type,
        tuple(sections[0]),
        serial,
        nsid,
    )


def _record(octets: bytes, at: int) -> tuple[Record, int, int]:
    """Give a record, where its data begin, and where they end."""
    name, at = _name(octets, at)
    kind, klass, ttl_s, size = _RECORD.unpack_from(octets, at)
    data = at + _RECORD.size
    if data + size > len(octets):
        raise _Malformed("a record ends beyond the message")
    return Record(name, kind, klass, ttl_s, size, _text(kind, klass, octets[data : data + size])), data, data + size


def _text(kind: int, klass: int, data: bytes) -> str:
    if kind == _TXT:
        return _strings(data)
    if klass == _IN and len(data) == _ADDRESS_OCTETS.get(kind):
        return str(ip_address(data))
    return ""


def _strings(data: bytes) -> str:
    """Give the character strings of a TXT, joined."""
    parts, at = [], 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise _Malformed("a character string ends beyond its record")
        parts.append(data[at + 1 : end])
        at = end
    return b"".join(parts).decode("utf-8", "replace")


def _nsid(options: bytes) -> bytes:
    at = 0
    while at < len(options):
        code, size = _QUESTION.unpack_from(options, at)
        if code == _NSID:
            return options[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _serial(octets: bytes, at: int) -> int:
    _primary, at = _name(octets, at)
    _mailbox, at = _name(octets, at)
    return int(struct.unpack_from(">I", octets, at)[0])


def _name(octets: bytes, at: int) -> tuple[str, int]:
    """Give a name, and where it ends at its own place; pointers must lead backwards (RFC 1035 §4.1.4)."""
    labels: list[bytes] = []
    end, size, pointers = 0, 0, 0
    while True:
        if at >= len(octets):
            raise _Malformed("a name ends beyond the message")
        length = octets[at]
        if length & 0xC0 == 0xC0:
            if at + 1 >= len(octets):
                raise _Malformed("a pointer ends beyond the message")
            target = (length & 0x3F) << 8 | octets[at + 1]
            pointers += 1
            if target >= at or pointers > POINTERS_MAX:
                raise _Malformed("a pointer does not lead backwards")
            end = end or at + 2
            at = target
        elif length & 0xC0:
            raise _Malformed(f"a label begins with {length}")
        elif length == 0:
            return b".".join(labels).decode("ascii", "backslashreplace") + ("" if labels else "."), end or at + 1
        else:
            size += length + 1
            if at + 1 + length > len(octets) or size > 254:
                raise _Malformed("a name is too long")
            labels.append(octets[at + 1 : at + 1 + length])
            at += 1 + length
