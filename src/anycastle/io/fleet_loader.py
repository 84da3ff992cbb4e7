"""A fleet folder loaded by a process of its own, for processes that live long.

What reading YAML takes ends with the process that reads: a third of an agent's memory, and half a second of its loop at
each reload of 500 services. The values come back over a pipe; they are our own child's, so they may be pickled. Nothing
here imports `io.config`, whose shapes are a good part of that memory.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.model.fleet import Fleet

LOADING_S: Final = 60.0
"""How long a load may take: a thousand times a small fleet's, six times that of 10,000 services."""

_WORDS_MAX: Final = 500
"""Characters of what a child said last that go into an error."""


async def load_fleet_apart(path: Path) -> Fleet:
    """Give the fleet of a folder. Raises `MisuseError` with every finding, `WorldError` where the child ends badly."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "anycastle.io.fleet_loader", str(path), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
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
    return usable(*pickle.loads(octets))  # noqa: S301


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
    sys.stdout.buffer.write(pickle.dumps(load_here(Path(sys.argv[1]))))
