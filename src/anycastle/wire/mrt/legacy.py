"""The deprecated BGP type as MRTd wrote it: UPDATEs without their header, and state changes (RFC 6396 appendix B.2)."""

from ipaddress import IPv4Address
from typing import Final

from anycastle.model.asn import ASN
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Keepalive
from anycastle.wire.bgp.update_codec import decode_update
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds, StateChange
from anycastle.wire.mrt.kind import LegacyBGPSubtype
from anycastle.wire.mrt.rib_attributes import TWO_OCTET
from anycastle.wire.octets import DamagedError, OctetReader

READ: Final = frozenset({LegacyBGPSubtype.UPDATE, LegacyBGPSubtype.STATE_CHANGE, LegacyBGPSubtype.KEEPALIVE})


def decode_legacy(body: bytes, subtype: int) -> BGPMessage | StateChange:
    """Decode the body of a subtype in `READ`. Raises `DamagedError`."""
    reader = OctetReader(body)
    asn = ASN(reader.unsigned(2, "ASN"))
    address = IPv4Address(reader.take(4, "address"))
    if subtype == LegacyBGPSubtype.STATE_CHANGE:
        session = SessionEnds(address, asn, IPv4Address(0), ASN(0))
        old, new = reader.unsigned(2, "old state"), reader.unsigned(2, "new state")
        return StateChange(session, old, new, four_octet_asn=False)
    local_asn = ASN(reader.unsigned(2, "ASN"))
    session = SessionEnds(address, asn, IPv4Address(reader.take(4, "address")), local_asn)
    if subtype == LegacyBGPSubtype.KEEPALIVE:
        return BGPMessage(session, Keepalive(), four_octet_asn=False)
    position = reader.position
    update = reader.rest()
    if len(update) < 4:
        raise DamagedError(f"an UPDATE of {len(update)} octets", position)
    try:
        return BGPMessage(session, decode_update(update, TWO_OCTET), four_octet_asn=False)
    except NotificationError as error:
        raise DamagedError(error.text, position) from None
