"""Octets from a file, a pipe or the web, unpacked by what they start with, and what became of them at the end.

All comes in pieces of about `PIECE_MAX` octets, so that memory stays the same for any size of file. A stream that ends
too early or cannot be unpacked to its end is no error: what came before stands, and `cut` says what happened.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self, cast

from anycastle.base.errors import WorldError

PIECE_MAX: Final = 1024 * 1024
"""Octets of a piece after unpacking: large enough for the kernels, small enough for the processor's cache."""

READ_MAX: Final = 256 * 1024
"""Octets read at once, before unpacking."""

ZSTANDARD_STEP: Final = 2048
"""Packed octets given to zstd at once, which gives all of them back unpacked: up to 128 KiB for every four."""

URL_TIMEOUT_S: Final = 30.0
"""Silence of a web server after which a download fails."""

_URL_SCHEMES: Final = ("http://", "https://")
_MAGIC_LONGEST: Final = 6


class _Unpacker(Protocol):
    """The shape that the standard library's decompressors share."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _gzip() -> tuple[_Unpacker, type[Exception]]:
    from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

    return cast("_Unpacker", IgzipDecompressor(flag=DECOMP_GZIP)), cast("type[Exception]", IsalError)


def _xz() -> tuple[_Unpacker, type[Exception]]:
    from lzma import LZMADecompressor, LZMAError

    return cast("_Unpacker", LZMADecompressor()), LZMAError


_UNPACKERS: Final = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"\xfd7zXZ\0", "xz", _xz),
)
_BZIP2: Final = b"BZh"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"


class ByteSource:
    """One opened source. `packing` is `plain`, `gzip`, `bzip2`, `xz` or `zstd`; `name` is what it was opened by.

    Raises `WorldError` where the world fails. Close it, or use it as a context.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.cut: str | None = None
        self.octets_read = 0
        self._file = _open(name)
        self.octets_total = _size(self._file)
        self._start = b""
        while len(self._start) < _MAGIC_LONGEST and (more := self._read(_MAGIC_LONGEST - len(self._start))):
            self._start += more  # a pipe gives what it has
        self.packing = next((kind for magic, kind, _ in _UNPACKERS if self._start.startswith(magic)), "plain")
        for magic, kind in ((_ZSTANDARD, "zstd"), (_BZIP2, "bzip2")):
            if self._start.startswith(magic):
                self.packing = kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened; standard input stays open."""
        self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """Give the octets, unpacked, once. Raises `WorldError` when reading fails."""
        if self.packing in ("zstd", "bzip2"):
            yield from self._zstandard() if self.packing == "zstd" else self._bzip2()
            return
        for _, kind, make in _UNPACKERS:
            if kind == self.packing:
                yield from self._unpacked(make)
                return
        piece = self._start
        while piece:
            yield piece
            piece = self._read(READ_MAX)

    def _unpacked(self, make: Callable[[], tuple[_Unpacker, type[Exception]]]) -> Iterator[bytes]:
        unpacker, damage = make()
        packed = self._start
        while True:
            try:
                piece = unpacker.decompress(packed, PIECE_MAX)
            except damage as error:
                self.cut = f"{self.packing} is damaged before its octet {self.octets_read} ({error})"
                return
            packed = b""
            if piece:
                yield piece
            if unpacker.eof:
                packed = unpacker.unused_data.lstrip(b"\0") or self._read(READ_MAX).lstrip(b"\0")
                if not packed:
                    return
                unpacker, _ = make()  # another member (RFC 1952 §2.2)
            elif unpacker.needs_input:
                packed = self._read(READ_MAX)
                if not packed:
                    self.cut = f"{self.packing} ends too early, at its octet {self.octets_read}"
                    return

    def _bzip2(self) -> Iterator[bytes]:
        from anycastle.io.feeds.bzip2_blocks import DamagedBlockError, unpack_blocks

        first = [self._start]
        try:
            for block in unpack_blocks(lambda: first.pop() if first else self._read(READ_MAX)):
                for at in range(0, len(block), PIECE_MAX):
                    yield block[at : at + PIECE_MAX]
        except DamagedBlockError as error:
            what = "ends too early, at" if error.early else f"is damaged ({error}) before"
            self.cut = f"bzip2 {what} its octet {self.octets_read}"

    def _zstandard(self) -> Iterator[bytes]:
        import zstandard

        packed, unpacker, piece = self._start, zstandard.ZstdDecompressor().decompressobj(), bytearray()
        while packed:
            for first in range(0, len(packed), ZSTANDARD_STEP):
                step = packed[first : first + ZSTANDARD_STEP]
                while step:
                    if unpacker.eof:
                        unpacker = zstandard.ZstdDecompressor().decompressobj()  # another frame (RFC 8878 §3.1)
                    try:
                        piece += unpacker.decompress(step)
                    except zstandard.ZstdError as error:
                        self.cut = f"zstd is damaged before its octet {self.octets_read} ({error})"
                        yield bytes(piece)
                        return
                    step = unpacker.unused_data if unpacker.eof else b""
                if len(piece) >= PIECE_MAX:
                    yield bytes(piece)
                    piece.clear()
            packed = self._read(READ_MAX)
        if not unpacker.eof:
            self.cut = f"zstd ends too early, at its octet {self.octets_read}"
        yield bytes(piece)

    def _read(self, size: int) -> bytes:
        try:
            octets = self._file.read(size)
        except (OSError, ValueError) as error:
            raise WorldError(f"{self.name}: {error}") from error
        self.octets_read += len(octets)
        return octets


def _open(name: str) -> BinaryIO:
    if name == "-":
        return cast("BinaryIO", FileIO(sys.stdin.fileno(), closefd=False))
    if name.startswith(_URL_SCHEMES):
        return _download(name)
    try:
        return cast("BinaryIO", Path(name).open("rb", buffering=0))
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError)
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise WorldError(f"{name}: {what}", retryable=not missing) from error


def _download(address: str) -> BinaryIO:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        return cast("BinaryIO", urlopen(address, timeout=URL_TIMEOUT_S))  # noqa: S310
    except HTTPError as error:
        error.close()
        what = f"the server says {error.code} {error.reason}"
        raise WorldError(f"{address}: {what}", retryable=error.code >= 500) from error
    except (OSError, ValueError, HTTPException) as error:
        raise WorldError(f"{address}: {_words(error)}", retryable=isinstance(error, OSError)) from error


def _words(error: Exception) -> str:
    """Give what the system said, without the wrapper that urllib puts around it."""
    inner = getattr(error, "reason", error)
    return inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)


def _size(file: BinaryIO) -> int | None:
    """Give the octets of a regular file, or of a download that says so; None for a pipe."""
    length = getattr(file, "length", None)
    if isinstance(length, int):
        return length
    try:
        status = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
