"""Object code of kernels, kept from run to run in the user's cache folder.

Machine code is run as it is found: so the folder must be our own, and nobody else may be able to write to it. Where the
home cannot be written to, a folder beside the temporary files serves; where that fails too, each run compiles anew.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from anycastle.kernels.native import Kernel, ObjectCode, compile_kernel, kernel_key, link_kernel

_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_DIGEST_SIZE: Final = 32


def load_kernel(kernel: Kernel) -> Callable[..., int]:
    """Give a kernel ready to run, compiled only where no earlier run has."""
    name = f"{kernel.name}-{kernel_key(kernel)}.o"
    folders = list(_folders())
    for folder in folders:
        code = _read(folder / name)
        if code is not None:
            return link_kernel(kernel, code)
    if sys.stderr.isatty():
        print(f"compiling {kernel.name}, once on this machine ...", file=sys.stderr)  # noqa: T201
    code = compile_kernel(kernel)
    for folder in folders:
        if _write(folder / name, code):
            break
    return link_kernel(kernel, code)


def _folders() -> Iterator[Path]:
    """Give the folders that are ours alone, made where they are missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    for folder in (Path(home) / "anycastle" / "kernels", Path(tempfile.gettempdir()) / f"anycastle-{os.getuid()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = folder.lstat()
        except (OSError, RuntimeError):
            continue
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & _OTHERS_MAY_WRITE:
            yield folder


def _read(path: Path) -> ObjectCode | None:
    try:
        octets = path.read_bytes()
    except OSError:
        return None
    digest, rest = octets[:_DIGEST_SIZE], octets[_DIGEST_SIZE:]
    if sha256(rest).digest() != digest:
        return None  # cut or damaged; it is written anew
    symbol, _, code = rest.partition(b"\n")
    return ObjectCode(symbol.decode(), code)


def _write(path: Path, code: ObjectCode) -> bool:
    rest = code.symbol.encode() + b"\n" + code.octets
    partial = path.with_suffix(f".{os.getpid()}")
    try:
        partial.write_bytes(sha256(rest).digest() + rest)
        partial.replace(path)
    except OSError:
        return False
    return True
