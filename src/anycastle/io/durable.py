"""Files that are whole or absent, and on disk when the call returns."""

import os
from pathlib import Path

from anycastle.base.errors import WorldError


def write_durably(path: Path, octets: bytes, mode: int = 0o600) -> None:
    """Put `octets` at `path` in one step.

    Raises `WorldError`; the old content then stands, save where its directory could not be flushed after the rename:
    then the new one is there, and may be gone after a loss of power.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:  # writes all of it, where os.write may write a part
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        _replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WorldError(f"{path} cannot be written: {error.strerror}") from error


def rename_durably(path: Path, other: Path) -> None:
    """Have a file under another name of the same directory. Raises `WorldError`."""
    try:
        _replace(path, other)
    except OSError as error:
        raise WorldError(f"{path} cannot be renamed: {error.strerror}") from error


def _replace(path: Path, other: Path) -> None:
    # Opened before the rename: where no descriptor is to be had, the old content still stands.
    directory = os.open(other.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        path.replace(other)
        os.fsync(directory)
    finally:
        os.close(directory)
