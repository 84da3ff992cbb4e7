"""By whose fault: the errors that leave a room, each told apart by who can mend it."""


class AnycastleError(Exception):
    """Root of every error that this project raises on purpose."""


class MisuseError(AnycastleError):
    """The caller asked for what cannot be; nothing was changed."""


class ParseError(AnycastleError):
    """A text is not what it should be; the message names the text."""


class WorldError(AnycastleError):
    """The world failed us (a socket, a file, a router). `retryable` says whether trying again can help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable
