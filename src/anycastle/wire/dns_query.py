"""A DNS query (RFC 1035 §4.1), with the options that measuring needs: NSID (RFC 5001) and no recursion."""

import struct
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError

TYPES: Final = MappingProxyType(
    {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43,
     "RRSIG": 46, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "CAA": 257, "ANY": 255}
)  # fmt: skip
"""Mnemonic -> number, of the types that are asked for; any other is written as TYPE65280 (RFC 3597 §5)."""

IN: Final = 1
CHAOS: Final = 3
EDNS_OCTETS: Final = 1232
"""UDP payload that we take: what the DNS Flag Day of 2020 agreed on."""

LABEL_OCTETS_MAX: Final = 63
NAME_OCTETS_MAX: Final = 255

_HEADER: Final = struct.Struct(">HHHHHH")
_OPT: Final = struct.Struct(">BHHIH")
_RD: Final = 0x0100
_NSID: Final = 3
_DO: Final = 0x8000
"""DNSSEC OK, in the OPT record's TTL (RFC 3225 §3)."""


def parse_type(text: str) -> int:
    """Give the number of a record type. Raises `ParseError`."""
    if text in TYPES:
        return TYPES[text]
    digits = text.removeprefix("TYPE")
    if text.startswith("TYPE") and digits.isascii() and digits.isdigit() and 0 < int(digits) < 65536:
        return int(digits)
    raise ParseError(f"{text!r} is no record type; there are {', '.join(TYPES)}, and TYPE with a number")


def encode_name(text: str) -> bytes:
    """Give a name in wire form, uncompressed. Raises `ParseError`."""
    octets = b""
    for label in text.rstrip(".").split(".") if text.rstrip(".") else ():
        try:
            part = label.encode("ascii") if label.isascii() else label.encode("idna")
        except UnicodeError as error:
            raise ParseError(f"{text!r} is no name: {error}") from error
        if not 0 < len(part) <= LABEL_OCTETS_MAX:
            raise ParseError(f"{text!r} is no name: a label has 1 to {LABEL_OCTETS_MAX} octets (RFC 1035 §2.3.4)")
        octets += bytes([len(part)]) + part
    if len(octets) + 1 > NAME_OCTETS_MAX:
        raise ParseError(f"{text!r} is no name: it has at most {NAME_OCTETS_MAX} octets (RFC 1035 §2.3.4)")
    return octets + b"\0"


def encode_question(name: str, record_type: int, klass: int = IN) -> bytes:
    """Give a question section of one question. Raises `ParseError`."""
    return encode_name(name) + struct.pack(">HH", record_type, klass)


def encode_query(
    question: bytes, *, recursion: bool = False, nsid: bool = True, dnssec: bool = False, octets_max: int = EDNS_OCTETS
) -> bytes:
    """Give a query without its ID, which comes before: two octets, drawn for each probe (RFC 5452 §4.3).

    `dnssec` asks for signatures (the DO bit, RFC 3225); `octets_max` is the UDP payload that we take (RFC 6891 §6.2.3).
    """
    options = struct.pack(">HH", _NSID, 0) if nsid else b""
    opt = _OPT.pack(0, 41, octets_max, _DO if dnssec else 0, len(options)) + options
    return _HEADER.pack(0, _RD if recursion else 0, 1, 0, 0, 1)[2:] + question + opt


def answers(reply: bytes, identity: bytes, question: bytes) -> bool:
    """Tell whether octets are a response to our query: ID and question are ours (RFC 5452 §4.2).

    An error may leave the question out. Names are equal in any case; a length octet is never a capital letter.
    """
    if len(reply) < _HEADER.size or reply[:2] != identity or not reply[2] & 0x80:
        return False
    if reply[4:6] == b"\0\0":
        return bool(reply[3] & 0x0F)
    return reply[_HEADER.size : _HEADER.size + len(question)].lower() == question.lower()
