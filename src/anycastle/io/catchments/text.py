"""Text files, plain or packed with gzip or bzip2, read under a limit."""

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any, Final

from anycastle.base.errors import ParseError, WorldError

FILE_BYTES_MAX: Final = 1 << 30
"""Octets of an unpacked file; a Verfploeter round over the whole of IPv4 has some 600 million."""
_CHUNK: Final = 1 << 20


def read_text(path: Path) -> str:
    """Give a file's text. Raises `WorldError` where it cannot be read, `ParseError` for octets that are no UTF-8."""
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, open)
    parts, size = [], 0
    try:
        with opener(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > FILE_BYTES_MAX:
                    raise ParseError(f"{path}: more than {FILE_BYTES_MAX} octets")
                parts.append(chunk)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise WorldError(f"{path}: {error}", retryable=False) from error
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError as error:
        raise ParseError(f"{path}: octet {error.start} is not UTF-8") from error


def read_json(path: Path) -> Any:
    """Give a file's JSON value. Raises `ParseError` with line and column."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ParseError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ParseError(f"{path}: nested too deeply") from error
