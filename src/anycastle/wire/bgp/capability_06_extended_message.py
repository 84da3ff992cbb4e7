"""BGP Extended Message capability (RFC 8654 §3)."""

from dataclasses import dataclass
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 6


@dataclass(frozen=True, slots=True)
class ExtendedMessage:
    """The sender reads messages of up to 65535 octets."""


def decode(value: bytes) -> ExtendedMessage:
    """Decode the value, which is empty."""
    if value:
        raise malformed(CODE, "extended message", value)
    return ExtendedMessage()


def encode(_capability: ExtendedMessage) -> bytes:
    """Encode the value."""
    return b""
