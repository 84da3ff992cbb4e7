"""Autonomous system numbers (RFC 6793) and their text forms (RFC 5396)."""

from typing import Final, NewType

from anycastle.base.errors import ParseError

ASN = NewType("ASN", int)
"""A four-octet AS number, 0 to 4294967295."""

AS_TRANS: Final = ASN(23456)
"""Stands for a four-octet ASN where only two octets fit (RFC 6793 §9)."""

_DIGITS_MAX: Final = 64
"""Digits that are read, so that a long number is told to be too large, and costs little to read."""

_PRIVATE = ((64512, 65534), (4200000000, 4294967294))  # RFC 6996 §5
_DOCUMENTATION = ((64496, 64511), (65536, 65551))  # RFC 5398 §3
_RESERVED = (0, 65535, 4294967295)  # RFC 7607, RFC 7300


def parse_asn(text: str | int) -> ASN:
    """Parse `64500`, `AS64500` or asdot `1.10`. Raises `ParseError`."""
    raw = str(text).strip()
    digits = raw[2:] if raw[:2].upper() == "AS" else raw
    high, dot, low = digits.partition(".")
    parts = [high, low] if dot else [high]
    if not all(map(_is_number, parts)):
        raise ParseError(f"{_shown(raw)} is not an AS number; write 64500, AS64500 or 1.10")
    if dot and max(int(high), int(low)) > 0xFFFF:
        raise ParseError(f"{_shown(raw)} is not an AS number: each half of the dotted form is at most 65535")
    value = (int(high) << 16) + int(low) if dot else int(high)
    if value > 0xFFFFFFFF:
        raise ParseError(f"{_shown(raw)} is not an AS number: the largest is 4294967295")
    return ASN(value)


def _is_number(part: str) -> bool:
    """Tell digits of some number, also of one that is far too large; more zeros before them are a slip."""
    return part.isascii() and part.isdigit() and len(part) <= (_DIGITS_MAX if part[0] != "0" else 10)


def _shown(raw: str) -> str:
    return repr(raw if len(raw) <= _DIGITS_MAX else f"{raw[:_DIGITS_MAX]}…")


def is_private(asn: ASN) -> bool:
    """Tell whether the ASN is for private use (RFC 6996)."""
    return any(low <= asn <= high for low, high in _PRIVATE)


def is_documentation(asn: ASN) -> bool:
    """Tell whether the ASN is for documentation (RFC 5398)."""
    return any(low <= asn <= high for low, high in _DOCUMENTATION)


def is_reserved(asn: ASN) -> bool:
    """Tell whether no network may use the ASN: 0, AS_TRANS and the last of each size."""
    return asn in _RESERVED or asn == AS_TRANS
