"""OPEN and its optional parameters (RFC 4271 §4.2, §6.2; RFC 5492; RFC 9072)."""

from ipaddress import IPv4Address
from struct import Struct
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.wire.bgp.capability import Capability, decode_capability, encode_capability
from anycastle.wire.bgp.capability_65_four_octet_asn import FourOctetASN
from anycastle.wire.bgp.error_codes import ErrorCode, OpenSubcode
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Open

VERSION: Final = 4
_FIXED: Final = Struct("!BHHIB")
_PARAMETER_CAPABILITIES: Final = 2  # RFC 5492 §4
_EXTENDED_LENGTH: Final = 255  # RFC 9072 §2


def decode_open(body: bytes) -> Open:
    """Decode the body of an OPEN. Raises `NotificationError` (2/x) for what RFC 4271 §6.2 refuses."""
    version, asn, hold_time_s, identifier, length = _FIXED.unpack_from(body)
    if version != VERSION:
        data = VERSION.to_bytes(2)
        raise _refuse(OpenSubcode.UNSUPPORTED_VERSION_NUMBER, data, f"BGP version {version}; 4 is spoken here")
    if not asn:  # RFC 7607 §2
        raise _refuse(OpenSubcode.BAD_PEER_AS, b"", "the peer's ASN is 0")
    if hold_time_s in (1, 2):
        raise _refuse(OpenSubcode.UNACCEPTABLE_HOLD_TIME, b"", f"hold time of {hold_time_s} s; 0, or 3 and more")
    if not identifier:  # RFC 6286 §2.2
        raise _refuse(OpenSubcode.BAD_BGP_IDENTIFIER, b"", "the peer's BGP identifier is 0.0.0.0")
    capabilities = _decode_parameters(body, length)
    if any(isinstance(capability, FourOctetASN) and not capability.asn for capability in capabilities):
        raise _refuse(OpenSubcode.BAD_PEER_AS, b"", "the peer's four-octet ASN is 0")
    return Open(version, ASN(asn), hold_time_s, IPv4Address(identifier), capabilities)


def _decode_parameters(body: bytes, length: int) -> tuple[Capability, ...]:
    position, width = _FIXED.size, 1
    if length and len(body) >= position + 3 and body[position] == _EXTENDED_LENGTH:  # RFC 9072 §2
        length = int.from_bytes(body[position + 1 : position + 3])
        position, width = position + 3, 2
    if position + length != len(body):
        raise _refuse(OpenSubcode.UNSPECIFIC, b"", f"optional parameters of {length} octets do not fill the OPEN")
    capabilities: dict[Capability, None] = {}
    while position < len(body):
        start = position + 1 + width
        end = start + int.from_bytes(body[position + 1 : start])
        if start > len(body) or end > len(body):
            raise _refuse(OpenSubcode.UNSPECIFIC, b"", "an optional parameter runs over the end of the OPEN")
        if body[position] != _PARAMETER_CAPABILITIES:
            text = f"optional parameter {body[position]} is not known"
            raise _refuse(OpenSubcode.UNSUPPORTED_OPTIONAL_PARAMETER, b"", text)
        capabilities.update(dict.fromkeys(_decode_capabilities(body[start:end])))
        position = end
    return tuple(capabilities)


def _decode_capabilities(octets: bytes) -> list[Capability]:
    capabilities: list[Capability] = []
    position, end = 0, len(octets)
    while position < end:
        start = position + 2
        if start > end or start + octets[position + 1] > end:
            raise _refuse(OpenSubcode.UNSPECIFIC, b"", "a capability runs over the end of its parameter")
        following = start + octets[position + 1]
        capabilities.append(decode_capability(octets[position], octets[start:following]))
        position = following
    return capabilities


def encode_open(message: Open) -> bytes:
    """Encode the body of an OPEN, with one parameter that holds every capability (RFC 5492 §4)."""
    octets = b"".join(map(encode_capability, message.capabilities))
    size = len(octets)
    if not size:
        parameters, length = b"", 0
    elif size + 2 <= 0xFF:
        parameters, length = bytes((_PARAMETER_CAPABILITIES, size)) + octets, size + 2
    elif size + 3 <= 0xFFFF:
        head = bytes((_EXTENDED_LENGTH,)) + (size + 3).to_bytes(2) + bytes((_PARAMETER_CAPABILITIES,))
        parameters, length = head + size.to_bytes(2) + octets, _EXTENDED_LENGTH
    else:
        raise MisuseError(f"capabilities of {size} octets do not fit an OPEN")
    fixed = _FIXED.pack(message.version, message.asn, message.hold_time_s, int(message.identifier), length)
    return fixed + parameters


def _refuse(subcode: OpenSubcode, data: bytes, text: str) -> NotificationError:
    return NotificationError(ErrorCode.OPEN_MESSAGE_ERROR, subcode, data, text)
