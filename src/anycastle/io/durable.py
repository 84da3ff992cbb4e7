"""Files that are whole or absent, and on disk when the call returns."""

import os
from pathlib import Path

from anycastle.base.errors import WorldError


def write_durably(path: Path, octets: bytes, mode: int = 0o600) -> None:
    """Put `octets` at `path` in one step. Raises `WorldError`; the old content then stands."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:  # writes all of it, where os.write may write a part
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WorldError(f"{path} cannot be written: {error.strerror}") from error
