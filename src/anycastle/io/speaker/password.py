"""Passwords of sessions (TCP-MD5), each in a file of its own."""

from pathlib import Path

from anycastle.base.errors import WorldError


def read_password(path: str | None, whose: str) -> bytes | None:
    """Give a password without the space around it; None where no file is named. Raises `WorldError`."""
    if path is None:
        return None
    try:
        return Path(path).read_bytes().strip()
    except OSError as error:
        text = f"the password of {whose} cannot be read from {path}: {error.strerror}"
        raise WorldError(text, retryable=False) from error
