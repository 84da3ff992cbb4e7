"""BGP4MP and BGP4MP_ET: messages and state changes of a collector's sessions (RFC 6396 §4.4, RFC 8050 §3)."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Family, family_of
from anycastle.wire.bgp.codec import MARKER, decode_message, encode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.family import IPV4_UNICAST, IPV6_UNICAST
from anycastle.wire.bgp.message import Message
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.mrt.kind import BGP4MPSubtype
from anycastle.wire.octets import DamagedError, OctetReader

_FAMILIES: Final = {family.value: family for family in Family}
_BOTH: Final = frozenset({IPV4_UNICAST, IPV6_UNICAST})
_AS4: Final = frozenset({4, 5, 7, 9, 11})
_LOCAL: Final = frozenset({6, 7, 10, 11})
_ADD_PATH: Final = frozenset({8, 9, 10, 11})
_STATE_CHANGES: Final = frozenset({0, 5})
MESSAGES: Final = frozenset(_AS4 | _LOCAL | _ADD_PATH | {1}) - _STATE_CHANGES
READ: Final = MESSAGES | _STATE_CHANGES
"""Subtypes that are read here; ENTRY and SNAPSHOT were never in use (RFC 6396 appendix B)."""

_ZEBRA_OPEN: Final = 0xFFFF
"""Zebra left interface, family and addresses out of some messages; the marker's ones stand in their place."""


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """Both ends of the session that a record is of."""

    peer: Address
    peer_asn: ASN
    local: Address
    local_asn: ASN
    interface: int = 0


@dataclass(frozen=True, slots=True)
class BGPMessage:
    """A message that the collector received, or sent where `sent` (subtypes ..._LOCAL, RFC 6396 §4.4.5)."""

    session: SessionEnds
    message: Message
    four_octet_asn: bool = True
    add_path: bool = False
    sent: bool = False


@dataclass(frozen=True, slots=True)
class StateChange:
    """The session's FSM went from one state to the other (RFC 6396 §4.4.1): 1 Idle to 6 Established.

    Quagga writes 7 and 8 too (Clearing, Deleted).
    """

    session: SessionEnds
    old_state: int
    new_state: int
    four_octet_asn: bool = True


def message_options(*, four_octet_asn: bool, add_path: bool) -> CodecOptions:
    """Give how the messages of a subtype are read and written."""
    families = _BOTH if add_path else frozenset()
    return CodecOptions(
        four_octet_asn=four_octet_asn,
        extended_message=True,
        add_path_receive=families,
        add_path_send=families,
        ebgp=False,
        confederation=True,
    )


_OPTIONS: Final = {
    (four, add_path): message_options(four_octet_asn=four, add_path=add_path)
    for four in (False, True)
    for add_path in (False, True)
}


def decode_bgp4mp(body: bytes, subtype: int) -> BGPMessage | StateChange:
    """Decode the body of a subtype in `READ`. Raises `DamagedError`."""
    reader = OctetReader(body)
    four = subtype in _AS4
    width = 4 if four else 2
    peer_asn = ASN(reader.unsigned(width, "peer's ASN"))
    local_asn = ASN(reader.unsigned(width, "local ASN"))
    if subtype in _STATE_CHANGES and reader.left == 4:  # Zebra's, without interface and addresses
        nowhere = SessionEnds(IPv4Address(0), peer_asn, IPv4Address(0), local_asn)
        return StateChange(nowhere, reader.unsigned(2, "old state"), reader.unsigned(2, "new state"), four)
    interface = reader.unsigned(2, "interface")
    afi = reader.unsigned(2, "address family")
    if subtype in MESSAGES and afi == interface == _ZEBRA_OPEN:
        session = SessionEnds(IPv4Address(0), peer_asn, IPv4Address(0), local_asn)
        octets = MARKER[:4] + reader.rest()
    else:
        family = _FAMILIES.get(afi)
        if family is None:
            raise DamagedError(f"address family {afi} is not known", reader.position - 2)
        peer = reader.address(family, "peer's address")
        local = reader.address(family, "local address")
        session = SessionEnds(peer, peer_asn, local, local_asn, interface)
        if subtype in _STATE_CHANGES:
            return StateChange(session, reader.unsigned(2, "old state"), reader.unsigned(2, "new state"), four)
        octets = reader.rest()
    add_path = subtype in _ADD_PATH
    message = _message(octets, len(body) - len(octets), _OPTIONS[four, add_path])
    return BGPMessage(session, message, four, add_path, subtype in _LOCAL)


def _message(octets: bytes, position: int, options: CodecOptions) -> Message:
    length = int.from_bytes(octets[16:18])
    try:
        return decode_message(octets[:length], options)  # what follows the message means nothing
    except NotificationError as error:
        raise DamagedError(error.text, position) from None


def encode_bgp4mp(value: BGPMessage | StateChange) -> tuple[int, bytes]:
    """Encode to subtype and body. Raises `MisuseError` for a message that does not fit."""
    session = value.session
    width = 4 if value.four_octet_asn else 2
    head = b"".join((
        session.peer_asn.to_bytes(width),
        session.local_asn.to_bytes(width),
        session.interface.to_bytes(2),
        family_of(session.peer).value.to_bytes(2),
        session.peer.packed,
        session.local.packed,
    ))  # fmt: skip
    if isinstance(value, StateChange):
        subtype = BGP4MPSubtype.STATE_CHANGE_AS4 if value.four_octet_asn else BGP4MPSubtype.STATE_CHANGE
        return subtype, head + value.old_state.to_bytes(2) + value.new_state.to_bytes(2)
    subtype = _SUBTYPES[value.four_octet_asn, value.sent, value.add_path]
    return subtype, head + encode_message(value.message, _OPTIONS[value.four_octet_asn, value.add_path])


_SUBTYPES: Final = {
    (subtype in _AS4, subtype in _LOCAL, subtype in _ADD_PATH): BGP4MPSubtype(subtype) for subtype in MESSAGES
}
