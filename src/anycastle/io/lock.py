"""What one process at a time may have: a lock that ends with the process, however it ends."""

import fcntl
import os
from pathlib import Path

from anycastle.base.errors import WorldError


def lock_file(path: Path) -> int | None:
    """Give the descriptor that holds the lock; None where another has it. The file stays: to remove it races."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def claim(folder: Path, name: str, what: str) -> int:
    """Have a folder for ourselves until the descriptor is closed. Raises `WorldError` that says `what` is another's."""
    try:
        descriptor = lock_file(folder / f"{name}.lock")
    except OSError as error:
        raise WorldError(f"{folder} cannot be locked: {error.strerror}", retryable=False) from error
    if descriptor is None:
        raise WorldError(f"another {name} {what}: {folder}", retryable=False)
    return descriptor
