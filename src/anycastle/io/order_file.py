"""What became of the last orders, on the agent's disk."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably
from anycastle.session.link_orders import Answer

VERSION = 1


class _Stored(msgspec.Struct):
    version: int
    orders: list[Answer]


class OrderFile:
    """Loads and saves answers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> list[Answer]:
        """Give the saved answers; none where none were ever saved. Raises `WorldError` for what cannot be read."""
        try:
            stored = msgspec.json.decode(self.path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise WorldError(f"{self.path} cannot be read: {error.strerror}", retryable=False) from error
        except msgspec.DecodeError as error:
            raise WorldError(f"{self.path} is damaged: {error}", retryable=False) from error
        if stored.version != VERSION:
            raise WorldError(
                f"{self.path} is of version {stored.version}; this release reads {VERSION}", retryable=False
            )
        return stored.orders

    def save(self, orders: Sequence[Answer]) -> None:
        """Put them on disk. Raises `WorldError`."""
        write_durably(self.path, msgspec.json.encode(_Stored(VERSION, list(orders))))
