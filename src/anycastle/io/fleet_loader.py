"""A fleet folder loaded by a process of its own, for processes that live long.

What reading YAML takes ends with the process that reads: a third of an agent's memory, and half a second of its loop at
each reload of 500 services. The values come back over a pipe; they are our own child's, so they may be pickled. Nothing
here imports `io.config`, whose shapes are a good part of that memory.

The child runs what is installed now, the parent what was installed at its start. Values are restored by position, so
each side says what its model looks like, and a parent that knows another one refuses: it is to be restarted.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import fields, is_dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.model.fleet import Fleet

LOADING_S: Final = 60.0
"""How long a load may take: a thousand times a small fleet's, six times that of 10,000 services."""

_MODELS: Final = (
    "announcement",
    "check",
    "community",
    "controller_access",
    "fleet",
    "notify",
    "objective",
    "pop",
    "prefix",
    "service",
    "upstream",
    "watch",
)
"""Modules of `model` whose values a fleet is made of."""

_WORDS_MAX: Final = 500
"""Characters of what a child said last that go into an error."""


async def load_fleet_apart(path: Path) -> Fleet:
    """Give the fleet of a folder. Raises `MisuseError` with every finding, `WorldError` where the child ends badly."""
    command = (sys.executable, "-P", "-m", "anycastle.io.fleet_loader", str(path))  # -P: no module of this folder's
    try:
        child = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        raise WorldError(f"{path} cannot be read, no process can be started for it: {error.strerror}") from error
    try:
        async with asyncio.timeout(LOADING_S):
            octets, words = await child.communicate()
    except TimeoutError as error:
        raise WorldError(f"{path} was not read within {LOADING_S:g} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        said = words.decode("utf-8", "replace").strip()[-_WORDS_MAX:]
        raise WorldError(f"{path} cannot be read, the process that loads it ended with {child.returncode}: {said}")
    if not octets.startswith(_STAMP):
        raise WorldError(f"{path} cannot be read: another version of anycastle was installed meanwhile; restart")
    return usable(*pickle.loads(octets[len(_STAMP) :]))  # noqa: S301


def stamp() -> bytes:
    """Give what the model looks like in this process: every dataclass with its fields, as a digest."""
    digest = sha256()
    for name in _MODELS:
        for found in vars(import_module(f"anycastle.model.{name}")).values():
            if isinstance(found, type) and is_dataclass(found):
                digest.update(f"{found.__qualname__} {[field.name for field in fields(found)]}\n".encode())
    return digest.digest()


_STAMP: Final = stamp()  # of this process's start: an import later on could find another version


def usable(fleet: Fleet | None, errors: list[str]) -> Fleet:
    """Give a fleet that was loaded. Raises `MisuseError` with every error where there is none."""
    if fleet is None:
        raise MisuseError("the fleet cannot be used:\n" + "\n".join(errors))
    return fleet


def load_here(path: Path) -> tuple[Fleet | None, list[str]]:
    """Give the fleet of a folder, read by this process, or its errors as lines."""
    from anycastle.io.config import load_fleet

    result = load_fleet(path)
    return result.fleet, [str(finding) for finding in result.errors]


if __name__ == "__main__":
    sys.stdout.buffer.write(_STAMP + pickle.dumps(load_here(Path(sys.argv[1]))))
