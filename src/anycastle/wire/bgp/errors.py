"""The error that ends a session, with the NOTIFICATION that says why."""

from anycastle.base.errors import AnycastleError


class NotificationError(AnycastleError):
    """The peer sent what ends the session; answer with this code, subcode and data (RFC 4271 §6)."""

    def __init__(self, code: int, subcode: int, data: bytes, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.subcode = subcode
        self.data = data
        self.text = text
