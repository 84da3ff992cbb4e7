"""The path attributes of a RIB entry, which collectors write in a form of their own.

In TABLE_DUMP_V2 the MP_REACH_NLRI attribute holds the next hop alone (RFC 6396 §4.3.4); many writers put the whole
attribute there all the same, and TABLE_DUMP has the whole one. Here both are made what the neighbour sent: the
attribute with family, next hop and the entry's prefix. The codec of UPDATE then reads them, and its faults are values.
"""

from typing import Final

from anycastle.model.prefix import Family, Prefix
from anycastle.wire.bgp.attributes import FLAG_EXTENDED_LENGTH, NO_ATTRIBUTES, PathAttributes
from anycastle.wire.bgp.attributes_codec import decode_attributes
from anycastle.wire.bgp.errors import Action, AttributeFault, NotificationError
from anycastle.wire.bgp.nlri import NLRI, encode_nlri
from anycastle.wire.bgp.options import CodecOptions

_MP_REACH: Final = 14
_NEXT_HOP_LENGTHS: Final = (4, 16, 32)

TWO_OCTET: Final = CodecOptions(ebgp=False, confederation=True, extended_message=True)
"""How an archive is read: what a collector was sent is shown, also where a router would discard it (LOCAL_PREF)."""

FOUR_OCTET: Final = CodecOptions(four_octet_asn=True, ebgp=False, confederation=True, extended_message=True)


def decode_rib_attributes(
    octets: bytes, prefix: Prefix | None, safi: int, options: CodecOptions
) -> tuple[PathAttributes, tuple[AttributeFault, ...]]:
    """Decode an entry's attributes; `prefix` is None for a family that is kept as octets.

    What would end a session is a fault here too, and leaves the entry without attributes.
    """
    whole, multiprotocol = _whole_attributes(octets, prefix, safi)
    try:
        attributes, faults = decode_attributes(
            whole, options, has_nlri=not multiprotocol and prefix is not None and prefix.family is Family.IPV4
        )
    except NotificationError as error:
        fault = AttributeFault(0, Action.SESSION_RESET, error.text, error.subcode, error.data)
        return NO_ATTRIBUTES, (fault,)
    return attributes, faults


def _whole_attributes(octets: bytes, prefix: Prefix | None, safi: int) -> tuple[bytes, bool]:
    """Give the attributes with a whole MP_REACH_NLRI, and whether there is one."""
    position, end = 0, len(octets)
    while position + 3 <= end:
        extended = octets[position] & FLAG_EXTENDED_LENGTH
        start = position + (4 if extended else 3)
        if start > end:
            break
        stop = start + int.from_bytes(octets[position + 2 : start])
        if octets[position + 1] == _MP_REACH and stop <= end:
            if prefix is None:
                return octets, True
            value = whole_reach(octets[start:stop], prefix, safi)
            flags = octets[position] | FLAG_EXTENDED_LENGTH
            head = bytes((flags, _MP_REACH)) + len(value).to_bytes(2)
            return octets[:position] + head + value + octets[stop:], True
        position = stop
    return octets, False


def whole_reach(value: bytes, prefix: Prefix, safi: int) -> bytes:
    """Give MP_REACH_NLRI as in an UPDATE, from the abbreviated or the whole one."""
    next_hop = _next_hop(value)
    if next_hop is None:
        return value  # the codec says what is wrong with it
    head = prefix.family.value.to_bytes(2) + bytes((safi, len(next_hop)))
    return head + next_hop + b"\0" + encode_nlri(NLRI(prefix), add_path=False)


def _next_hop(value: bytes) -> bytes | None:
    if value and value[0] and len(value) == 1 + value[0]:  # abbreviated: length, next hop
        return value[1:]
    if len(value) >= 4 and not value[0] and value[3] in _NEXT_HOP_LENGTHS and len(value) >= 4 + value[3]:
        return value[4 : 4 + value[3]]
    return None
