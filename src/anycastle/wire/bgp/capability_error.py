"""The error for a capability that cannot be read."""

from anycastle.wire.bgp.error_codes import ErrorCode, OpenSubcode
from anycastle.wire.bgp.errors import NotificationError


def malformed(code: int, name: str, value: bytes) -> NotificationError:
    """Give the error for a capability of a wrong form: OPEN Message Error, Unspecific (RFC 4271 §6.2)."""
    data = bytes((code, min(len(value), 255))) + value[:255]
    return NotificationError(
        ErrorCode.OPEN_MESSAGE_ERROR,
        OpenSubcode.UNSPECIFIC,
        data,
        f"{name} capability of {len(value)} octets is malformed",
    )
