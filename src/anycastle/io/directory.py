"""Directories that processes of ours live in."""

from pathlib import Path

from anycastle.base.errors import WorldError


def make_directory(path: Path, mode: int) -> None:
    """Make a directory and those above it. Raises `WorldError`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise WorldError(f"{path} cannot be made: {error.strerror}", retryable=False) from error
