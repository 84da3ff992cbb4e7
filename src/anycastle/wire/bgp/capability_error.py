"""The error for a capability that cannot be read."""

from anycastle.wire.bgp.errors import NotificationError

OPEN_MESSAGE_ERROR = 2
UNSPECIFIC = 0


def malformed(code: int, name: str, value: bytes) -> NotificationError:
    """Give the error for a capability of a wrong form: OPEN Message Error, Unspecific (RFC 4271 §6.2)."""
    data = bytes((code, min(len(value), 255))) + value[:255]
    return NotificationError(
        OPEN_MESSAGE_ERROR, UNSPECIFIC, data, f"{name} capability of {len(value)} octets is malformed"
    )
