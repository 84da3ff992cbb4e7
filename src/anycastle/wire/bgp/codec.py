"""Octets to messages and back, and the framer that cuts a stream into messages (RFC 4271 §4, §6)."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.limits import MESSAGE_MAX, RECEIVE_BUFFER_MAX
from anycastle.wire.bgp.error_codes import ErrorCode, HeaderSubcode, RefreshSubcode
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import (
    Keepalive,
    Message,
    MessageType,
    Notification,
    Open,
    RefreshSubtype,
    RouteRefresh,
    Update,
)
from anycastle.wire.bgp.open_codec import decode_open, encode_open
from anycastle.wire.bgp.options import BEFORE_OPEN, CodecOptions
from anycastle.wire.bgp.update_codec import decode_update, encode_update

__all__ = ["BEFORE_OPEN", "HEADER_LENGTH", "CodecOptions", "Framer", "decode_message", "encode_message"]

Octets = bytes | bytearray | memoryview

HEADER_LENGTH: Final = 19
MARKER: Final = b"\xff" * 16
_SHORTEST: Final = {  # RFC 4271 §6.1, RFC 2918 §3
    MessageType.OPEN: 29,
    MessageType.UPDATE: 23,
    MessageType.NOTIFICATION: 21,
    MessageType.KEEPALIVE: 19,
    MessageType.ROUTE_REFRESH: 23,
}
_NEVER_EXTENDED: Final = (MessageType.OPEN, MessageType.KEEPALIVE)  # RFC 8654 §4
_REFRESH: Final = Struct("!HBB")
_FRAME: Final = Struct("!16sHB")


def check_header(octets: Octets, options: CodecOptions) -> int:
    """Give the length of the message that starts with these octets, at least 19. Raises `NotificationError` (1/x)."""
    marker, length, kind = _FRAME.unpack_from(octets)
    if marker != MARKER:
        subcode = HeaderSubcode.CONNECTION_NOT_SYNCHRONIZED
        raise NotificationError(ErrorCode.MESSAGE_HEADER_ERROR, subcode, b"", "the marker is not all ones")
    shortest = _SHORTEST.get(kind)
    if shortest is None:
        text = f"message type {kind} is not known"
        subcode = HeaderSubcode.BAD_MESSAGE_TYPE
        raise NotificationError(ErrorCode.MESSAGE_HEADER_ERROR, subcode, bytes((kind,)), text)
    longest = MESSAGE_MAX if kind in _NEVER_EXTENDED else options.message_max
    if kind == MessageType.KEEPALIVE:
        longest = HEADER_LENGTH
    elif kind == MessageType.ROUTE_REFRESH:
        shortest = HEADER_LENGTH  # its length has an error of its own (RFC 7313 §5)
    if not shortest <= length <= longest:
        raise _bad_length(kind, length)
    return length  # type: ignore[no-any-return]


def _bad_length(kind: int, length: int) -> NotificationError:
    text = f"{MessageType(kind).name} of {length} octets"
    subcode = HeaderSubcode.BAD_MESSAGE_LENGTH
    return NotificationError(ErrorCode.MESSAGE_HEADER_ERROR, subcode, length.to_bytes(2), text)


def decode_message(octets: Octets, options: CodecOptions) -> Message:
    """Decode one whole message, header included. Raises `NotificationError` for what ends the session."""
    whole = bytes(octets)
    if len(whole) < HEADER_LENGTH or check_header(whole, options) != len(whole):
        subcode = HeaderSubcode.BAD_MESSAGE_LENGTH
        data = whole[16:18]
        raise NotificationError(ErrorCode.MESSAGE_HEADER_ERROR, subcode, data, "the message is not whole")
    kind = whole[18]
    body = whole[HEADER_LENGTH:]
    if kind == MessageType.UPDATE:
        return decode_update(body, options)
    if kind == MessageType.KEEPALIVE:
        return Keepalive()
    if kind == MessageType.OPEN:
        return decode_open(body)
    if kind == MessageType.NOTIFICATION:
        return Notification(body[0], body[1], body[2:])
    return _decode_refresh(whole, body)


def _decode_refresh(whole: bytes, body: bytes) -> RouteRefresh:
    subtype = body[2] if len(body) > 2 else 0
    if len(body) == _REFRESH.size:
        afi, subtype, safi = _REFRESH.unpack(body)
        return RouteRefresh(afi, safi, subtype)
    if subtype in (RefreshSubtype.BEGIN, RefreshSubtype.END):
        code, subcode = ErrorCode.ROUTE_REFRESH_MESSAGE_ERROR, RefreshSubcode.INVALID_MESSAGE_LENGTH
        raise NotificationError(code, subcode, whole, f"ROUTE-REFRESH of {len(whole)} octets")
    if len(body) < _REFRESH.size or subtype == RefreshSubtype.REQUEST:
        raise _bad_length(MessageType.ROUTE_REFRESH, len(whole))
    return RouteRefresh(body[0] << 8 | body[1], body[3], subtype)  # not known, to be ignored (RFC 7313 §5)


def encode_message(message: Message, options: CodecOptions) -> bytes:
    """Encode a message, header included. Raises `MisuseError` when it does not fit the session's limit.

    The data of a NOTIFICATION is cut to fit.
    """
    match message:
        case Update():
            kind, body = MessageType.UPDATE, encode_update(message, options)
        case Keepalive():
            kind, body = MessageType.KEEPALIVE, b""
        case Open():
            kind, body = MessageType.OPEN, encode_open(message)
        case Notification():
            kind = MessageType.NOTIFICATION
            room = options.message_max - HEADER_LENGTH - 2  # a session can always end with its reason
            body = bytes((message.code, message.subcode)) + message.data[:room]
        case RouteRefresh():
            kind = MessageType.ROUTE_REFRESH
            body = _REFRESH.pack(message.afi, message.subtype, message.safi)
    length = HEADER_LENGTH + len(body)
    longest = MESSAGE_MAX if kind in _NEVER_EXTENDED else options.message_max
    if length > longest:
        raise MisuseError(f"{kind.name} of {length} octets is over the session's limit of {longest}")
    return _FRAME.pack(MARKER, length, kind) + body


class Framer:
    """Cuts what a peer sends into whole messages.

    `options` may be replaced between two messages, once the OPENs are exchanged. Octets that cannot be taken without
    crossing the buffer's bound are a caller's misuse: iterate after each `feed`.
    """

    __slots__ = ("_buffer", "_position", "options")

    def __init__(self, options: CodecOptions = BEFORE_OPEN) -> None:
        self.options = options
        self._buffer = bytearray()
        self._position = 0

    @property
    def buffered(self) -> int:
        """Octets taken and not yet given."""
        return len(self._buffer) - self._position

    def feed(self, octets: Octets) -> None:
        """Take octets as they came. Raises `MisuseError`, taking none, when the buffer would grow over its bound."""
        if self.buffered + len(octets) > RECEIVE_BUFFER_MAX:
            raise MisuseError(f"{len(octets)} octets more than the receive buffer holds")
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += octets

    def __iter__(self) -> Iterator[bytes]:
        """Give each whole message not yet given, header included.

        Raises `NotificationError` (1/x) as soon as a header is wrong, and again whenever it is asked.
        """
        while self.buffered >= HEADER_LENGTH:
            start = self._position
            head = bytes(self._buffer[start : start + HEADER_LENGTH])
            end = start + check_header(head, self.options)
            if end > len(self._buffer):
                return
            message = bytes(self._buffer[start:end])
            self._position = end
            yield message
