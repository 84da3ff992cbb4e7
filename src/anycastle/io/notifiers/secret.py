"""Secrets of notifiers: read from their files at each use, so that a new one needs no restart; never shown."""

from pathlib import Path
from typing import Final

from anycastle.base.errors import AnycastleError
from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.whole_file import read_whole

SECRET_BYTES_MAX: Final = 65_536


def read_secret(file: str) -> str:
    """Give the one line of a file. Raises `DeliveryError`, which names the file and nothing of what it holds."""
    try:
        text = read_whole(Path(file), SECRET_BYTES_MAX).decode("utf-8").strip()
    except AnycastleError as error:
        raise DeliveryError(str(error)) from error
    except UnicodeDecodeError:
        raise DeliveryError(f"{file}: not UTF-8") from None
    if not text:
        raise DeliveryError(f"{file}: the file is empty")
    if any(ord(each) < 0x20 for each in text):
        raise DeliveryError(f"{file}: more than one line, or control characters")
    return text
