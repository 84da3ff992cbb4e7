"""The file check: a file is there, or is not; one that is older than `max_age_s` counts as not there.

A file system that hangs (a dead NFS server) would stop the whole agent, so the look is taken in a thread of its own. A
thread that hangs is left behind, once per path: until it comes back, further looks at that path are refused.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, FileTarget, Outcome

_FUTURE_TOLERANCE_S: Final = 5.0

_looking: set[str] = set()
"""Paths that a thread is looking at; only the event loop's thread adds, only the looking thread removes."""


async def run(target: FileTarget, timeout_s: float) -> CheckResult:
    """Look at the file once."""
    return await judged(_attempt(target), timeout_s, f"the file system of {target.path}", silence=Outcome.UNKNOWN)


async def _attempt(target: FileTarget) -> str:
    modified_at = await _look(target.path)
    there, seen = modified_at is not None, "is there" if modified_at is not None else "is not there"
    if modified_at is not None and target.max_age_s is not None:
        age_s = time.time() - modified_at
        if age_s < -_FUTURE_TOLERANCE_S:
            raise Undecided(f"{target.path} is dated {-age_s:.0f} s in the future: a clock has jumped")
        if age_s > target.max_age_s:
            there, seen = False, f"is {age_s:.0f} s old, more than {target.max_age_s:g} s"
    if there != (target.state == "present"):
        raise Failed(f"{target.path} {seen}, expected {target.state}")
    return f"{target.path} {seen}"


async def _look(path: str) -> float | None:
    if path in _looking:
        raise Undecided(f"the file system of {path} hangs: an earlier look has not come back")
    loop = asyncio.get_running_loop()
    result: asyncio.Future[float | None] = loop.create_future()
    _looking.add(path)
    thread = threading.Thread(target=_look_in_thread, args=(path, loop, result), daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        _looking.discard(path)
        raise Undecided(f"no thread to be had: {error}") from error
    return await result


def _look_in_thread(path: str, loop: asyncio.AbstractEventLoop, result: "asyncio.Future[float | None]") -> None:
    answer: float | OSError | None
    try:
        answer = Path(path).stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        answer = None
    except OSError as error:
        answer = error
    _looking.discard(path)
    deliver: Callable[[], None] = lambda: _deliver(result, answer)  # noqa: E731
    try:
        loop.call_soon_threadsafe(deliver)
    except RuntimeError:  # the loop has ended in the meantime
        return


def _deliver(result: "asyncio.Future[float | None]", answer: float | OSError | None) -> None:
    if result.done():
        return
    if isinstance(answer, OSError):
        result.set_exception(Undecided(f"cannot look: {answer.strerror}: {answer.filename}"))
    else:
        result.set_result(answer)
