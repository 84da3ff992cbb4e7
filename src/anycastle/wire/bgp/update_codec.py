"""UPDATE (RFC 4271 §4.3, §6.3; RFC 7606)."""

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Family
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.error_codes import ErrorCode, UpdateSubcode
from anycastle.wire.bgp.errors import Malformed, NotificationError
from anycastle.wire.bgp.family import IPV4_UNICAST
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, decode_nlri, encode_nlri_list
from anycastle.wire.bgp.options import CodecOptions


def decode_update(body: bytes, options: CodecOptions) -> Update:
    """Decode the body of an UPDATE. Raises `NotificationError` (3/x) where routes cannot be told."""
    size = len(body)
    withdrawn_end = 2 + (body[0] << 8 | body[1])
    start = withdrawn_end + 2
    if start > size:
        raise _overrun("withdrawn routes", withdrawn_end - 2)
    attributes_end = start + (body[withdrawn_end] << 8 | body[withdrawn_end + 1])
    if attributes_end > size:
        raise _overrun("path attributes", attributes_end - start)
    add_path = IPV4_UNICAST in options.add_path_receive
    withdrawn = _decode_routes(body[2:withdrawn_end], add_path=add_path)
    nlri = _decode_routes(body[attributes_end:], add_path=add_path)
    attributes, faults = decode_attributes(body[start:attributes_end], options, has_nlri=bool(nlri))
    return Update(withdrawn, attributes, nlri, faults)


def _decode_routes(octets: bytes, *, add_path: bool) -> tuple[NLRI, ...]:
    if not octets:
        return ()
    routes = decode_nlri(octets, Family.IPV4, add_path=add_path)
    if isinstance(routes, Malformed):  # RFC 7606 §3 i, j
        raise NotificationError(ErrorCode.UPDATE_MESSAGE_ERROR, routes.subcode, b"", routes.what)
    return routes


def _overrun(field: str, length: int) -> NotificationError:
    text = f"{field} of {length} octets run over the end of the UPDATE"
    subcode = UpdateSubcode.MALFORMED_ATTRIBUTE_LIST
    return NotificationError(ErrorCode.UPDATE_MESSAGE_ERROR, subcode, b"", text)


def encode_update(message: Update, options: CodecOptions) -> bytes:
    """Encode the body of an UPDATE; its faults are not written. Raises `MisuseError` for a field over 65535 octets."""
    add_path = IPV4_UNICAST in options.add_path_send
    withdrawn = encode_nlri_list(message.withdrawn, add_path=add_path)
    attributes = encode_attributes(message.attributes, options)
    if len(withdrawn) > 0xFFFF or len(attributes) > 0xFFFF:
        raise MisuseError("the UPDATE does not fit any message; split it")
    nlri = encode_nlri_list(message.nlri, add_path=add_path)
    return b"".join((len(withdrawn).to_bytes(2), withdrawn, len(attributes).to_bytes(2), attributes, nlri))
