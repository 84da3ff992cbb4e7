"""The exec check: a program's exit status, as monitoring plugins give it (0 passes; 1 and 2 fail; others are unknown).

This is the only check that forks. The program gets no shell, no input, a small environment and a process group of its
own, which is killed as a whole at the time limit, and also after a normal end, so that a check leaves nothing behind.
The group is killed while its leader is still a zombie: until then its number cannot be given to another.
"""

import asyncio
import fcntl
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from anycastle.base.limits import EXEC_OUTPUT_BYTES_MAX
from anycastle.io.checks.stream import readable
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, ExecTarget

_FAILING: Final = (1, 2)
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "TZ")


async def run(target: ExecTarget, timeout_s: float) -> CheckResult:
    """Run the program once."""
    return await judged(_attempt(target), timeout_s, Path(target.command[0]).name)


async def _attempt(target: ExecTarget) -> str:
    name = Path(target.command[0]).name
    status, output = await execute(target.command)
    first_line = output.decode("utf-8", "replace").strip().partition("\n")[0]
    words = f"{name}: {first_line}" if first_line else name
    if status == 0:
        return words
    if status in _FAILING:
        raise Failed(f"exit {status}, {words}")
    ended = f"killed by signal {-status}" if status < 0 else f"exit {status}"
    raise Undecided(f"{ended}, {words}")


async def execute(command: tuple[str, ...]) -> tuple[int, bytes]:
    """Give a program's status (negative: a signal ended it) and bounded output. Raises `Undecided`, `OSError`."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns once the program is loaded; waiting is done below
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Undecided(f"there is no program {command[0]}") from error
    except ValueError as error:
        raise Undecided(f"the program cannot be started: {error}") from error
    with process:
        try:
            output = await _watch(process)
        finally:
            _kill_group(process)
    return process.returncode, output


async def _watch(process: subprocess.Popen[bytes]) -> bytes:
    """Read output until the program has ended; a child that it left behind with the pipe open is not waited for."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_NONBLOCK)
    output = bytearray()
    handle = os.pidfd_open(process.pid)
    loop = asyncio.get_running_loop()
    loop.add_reader(pipe, _drain, loop, pipe, output)
    try:
        await readable(handle)
    finally:
        loop.remove_reader(pipe)
        os.close(handle)
    _drain(loop, pipe, output)
    return bytes(output)


def _drain(loop: asyncio.AbstractEventLoop, pipe: int, output: bytearray) -> None:
    try:
        data = os.read(pipe, EXEC_OUTPUT_BYTES_MAX)
    except BlockingIOError:
        return
    if not data:
        loop.remove_reader(pipe)
    output += data[: EXEC_OUTPUT_BYTES_MAX - len(output)]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
