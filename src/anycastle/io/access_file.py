"""How an agent reached its controllers last: what it dials by where its fleet files can not be read."""

from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably
from anycastle.model.controller_access import ControllerAccess

VERSION: Final = 1


class AccessFile:
    """Loads and saves a `ControllerAccess`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> ControllerAccess | None:
        """Give what was saved; None where nothing was. Raises `WorldError` for what cannot be read."""
        try:
            stored = msgspec.json.decode(self.path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorldError(f"{self.path} cannot be read: {error.strerror}", retryable=False) from error
        except msgspec.DecodeError as error:
            raise WorldError(f"{self.path} is damaged: {error}", retryable=False) from error
        if stored.version != VERSION:
            message = f"{self.path} is of version {stored.version}; this release reads version {VERSION}"
            raise WorldError(message, retryable=False)
        return stored.access

    def save(self, access: ControllerAccess | None) -> None:
        """Put what the files say on disk, where that is something else than before. Raises `WorldError`."""
        octets = msgspec.json.encode(_Stored(VERSION, access))
        try:
            if self.path.read_bytes() == octets:
                return
        except FileNotFoundError:
            if access is None:
                return
        except OSError:
            pass  # what cannot be read is written anew
        write_durably(self.path, octets)


class _Stored(msgspec.Struct):
    version: int
    access: ControllerAccess | None
