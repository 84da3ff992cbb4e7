"""What a notifier is: it sends one message, and says how a failure is to be taken."""

from typing import Protocol

from anycastle.base.errors import WorldError
from anycastle.response.message import Message


class DeliveryError(WorldError):
    """A message was not taken. `retryable`: it may be, when it is sent again. Holds no secret."""

    def __init__(self, message: str, *, retryable: bool = True, again_s: float | None = None) -> None:
        super().__init__(message, retryable=retryable)
        self.again_s = again_s
        """When the server wants it again; None where it did not say."""


class Sender(Protocol):
    """Sends. A message that is sent twice carries the same key, by which whoever gets it can tell."""

    async def send(self, message: Message) -> None:
        """Return once it was taken. Raises `DeliveryError`."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...
