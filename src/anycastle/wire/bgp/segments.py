"""AS_PATH segments as octets, shared by AS_PATH and AS4_PATH."""

from functools import lru_cache
from struct import pack, unpack_from
from typing import Final

from anycastle.model.asn import AS_TRANS
from anycastle.wire.bgp.as_path import SEGMENT_MAX, ASPath, Segment, SegmentKind
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Malformed

_KINDS: Final = {kind.value: kind for kind in SegmentKind}
_PATHS_KEPT: Final = 4096  # neighbours repeat their paths; one value for each saves time and memory
_OCTETS_KEPT_MAX: Final = 128  # of a path that is kept, so that no peer can fill the memory with long ones


def decode_segments(value: bytes, four_octet_asn: bool) -> ASPath | Malformed:
    """Decode segments; a zero, unknown or overrunning one is malformed (RFC 7606 §7.2)."""
    if len(value) <= _OCTETS_KEPT_MAX:
        return _decode_kept(value, four_octet_asn)
    return _decode(value, four_octet_asn)


def _decode(value: bytes, four_octet_asn: bool) -> ASPath | Malformed:
    width, letter = (4, "I") if four_octet_asn else (2, "H")
    end = len(value)
    position = 0
    segments: list[Segment] = []
    while position < end:
        if position + 2 > end:
            return Malformed("AS_PATH ends within a segment's head", UpdateSubcode.MALFORMED_AS_PATH)
        kind = _KINDS.get(value[position])
        count = value[position + 1]
        start = position + 2
        position = start + count * width
        if kind is None or not count or position > end:
            return Malformed(
                f"AS_PATH segment of type {value[start - 2]} and {count} ASNs", UpdateSubcode.MALFORMED_AS_PATH
            )
        asns = unpack_from(f"!{count}{letter}", value, start)
        if 0 in asns:  # RFC 7607 §2
            return Malformed("AS_PATH with AS 0", UpdateSubcode.MALFORMED_AS_PATH)
        segments.append(Segment(kind, asns))
    return ASPath(tuple(segments))


_decode_kept: Final = lru_cache(_PATHS_KEPT)(_decode)


def encode_segments(path: ASPath, four_octet_asn: bool) -> bytes:
    """Encode segments, those of more than 255 ASNs in several."""
    letter = "I" if four_octet_asn else "H"
    parts: list[bytes] = []
    for segment in path.segments:
        asns = segment.asns
        if not four_octet_asn:
            asns = tuple(asn if asn <= 0xFFFF else AS_TRANS for asn in asns)
        for first in range(0, len(asns), SEGMENT_MAX):
            some = asns[first : first + SEGMENT_MAX]
            parts.append(pack(f"!BB{len(some)}{letter}", segment.kind, len(some), *some))
    return b"".join(parts)
