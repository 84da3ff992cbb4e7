"""NOTIFICATION for people: codes by name, and the shutdown communication of a Cease (RFC 9003)."""

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from anycastle.wire.bgp.error_codes import (
    SUBCODES,
    CeaseSubcode,
    ErrorCode,
    FSMSubcode,
    HeaderSubcode,
    OpenSubcode,
    RefreshSubcode,
    UpdateSubcode,
)
from anycastle.wire.bgp.message import Notification

__all__ = [
    "SHUTDOWN_COMMUNICATION_MAX",
    "CeaseSubcode",
    "ErrorCode",
    "FSMSubcode",
    "HeaderSubcode",
    "OpenSubcode",
    "RefreshSubcode",
    "UpdateSubcode",
    "cease",
    "code_name",
    "decode_shutdown_communication",
    "encode_shutdown_communication",
    "format_notification",
    "subcode_name",
]

SHUTDOWN_COMMUNICATION_MAX: Final = 255
"""Octets of UTF-8 (RFC 9003 §2)."""

_WITH_COMMUNICATION: Final = (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.ADMINISTRATIVE_RESET)
_SPELT: Final = MappingProxyType(
    {"bgp": "BGP", "as": "AS", "bfd": "BFD", "open": "OPEN", "update": "UPDATE", "origin": "ORIGIN"}
)


def cease(subcode: int, text: str = "") -> Notification:
    """Give a Cease; `text` tells the peer's operator why, where the subcode allows it (RFC 9003 §2)."""
    if not text or subcode not in _WITH_COMMUNICATION:
        return Notification(ErrorCode.CEASE, subcode)
    return Notification(ErrorCode.CEASE, subcode, encode_shutdown_communication(text))


def encode_shutdown_communication(text: str) -> bytes:
    """Encode the reason that an operator gives, cut at a character's end to 255 octets (RFC 9003 §2)."""
    octets = text.encode("utf-8", "replace")[:SHUTDOWN_COMMUNICATION_MAX]
    octets = octets.decode("utf-8", "ignore").encode()
    return bytes((len(octets),)) + octets


def decode_shutdown_communication(data: bytes) -> str | None:
    """Give the reason in a Cease's data, or None where there is none or it is not valid UTF-8 (RFC 9003 §4).

    The text is the peer's: control characters are escaped, so that it can be logged.
    """
    if not data or not data[0] or len(data) < 1 + data[0]:
        return None
    try:
        text = data[1 : 1 + data[0]].decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def code_name(code: int) -> str:
    """Name an error code: `OPEN Message Error`, or `code 9`."""
    return _title(ErrorCode(code)) if code in ErrorCode.__members__.values() else f"code {code}"


def subcode_name(code: int, subcode: int) -> str:
    """Name a subcode: `Bad Peer AS`, or `subcode 9`."""
    names = SUBCODES.get(code)
    if names is None or subcode not in names.__members__.values():
        return f"subcode {subcode}"
    return _title(names(subcode))


def format_notification(notification: Notification) -> str:
    """Format for people: `Cease, Administrative Shutdown (6/2): "maintenance"`."""
    code, subcode, data = notification.code, notification.subcode, notification.data
    subcodes = SUBCODES.get(code)
    name = code_name(code) if subcodes is None and not subcode else f"{code_name(code)}, {subcode_name(code, subcode)}"
    text = f"{name} ({code}/{subcode})"
    if code == ErrorCode.CEASE and subcode in _WITH_COMMUNICATION:
        reason = decode_shutdown_communication(data)
        if reason is not None:
            return f'{text}: "{reason}"'
    return f"{text}: data {data[:32].hex()}" if data else text


def _title(member: IntEnum) -> str:
    words = member.name.lower().split("_")
    return " ".join(_SPELT.get(word, word if word == "of" else word.capitalize()) for word in words)
