"""Octets to messages and back, and the framer that cuts a stream into messages (RFC 4271 §4, §6)."""

from collections.abc import Iterator

from anycastle.wire.bgp.message import Message
from anycastle.wire.bgp.options import CodecOptions

__all__ = ["CodecOptions", "Framer", "decode_message", "encode_message"]


def decode_message(octets: bytes | bytearray | memoryview, options: CodecOptions) -> Message:
    """Decode one whole message, header included. Raises `NotificationError` for what ends the session."""
    raise NotImplementedError


def encode_message(message: Message, options: CodecOptions) -> bytes:
    """Encode a message, header included. Raises `MisuseError` when it does not fit the session's limit."""
    raise NotImplementedError


class Framer:
    """Cuts what a peer sends into whole messages; octets over the buffer's bound are refused.

    `options` may be replaced once the OPENs are exchanged.
    """

    def __init__(self, options: CodecOptions) -> None:
        self.options = options

    def feed(self, octets: bytes | bytearray | memoryview) -> None:
        """Take octets as they came."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[bytes]:
        """Give each whole message not yet given, header included. Raises `NotificationError` for a bad header."""
        raise NotImplementedError
