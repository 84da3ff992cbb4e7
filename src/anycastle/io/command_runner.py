"""Runs a command of this program in a process of its own, for at most so long, and keeps the end of what it says."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import WorldError

KEPT_OCTETS: Final = 256 * 1024
"""Of the output, in which an expectation is looked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command."""

    code: int | None
    """None where it did not end in time, and was killed: whether it was carried out is not known."""
    output: str
    took_s: float


def run_anycastle(words: Sequence[str], within_s: float) -> Answer:
    """Run `anycastle ...`; no shell is asked. Its standard error comes with its output. Raises `WorldError`.

    The output goes to a file, not to a pipe: of a long one the end is kept, and what the command leaves running (a
    watchdog, say) is not waited for.
    """
    command = (sys.executable, "-c", "from anycastle.cli.main import main; main()", *words[1:])
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        except OSError as error:
            raise WorldError(f"{words[0]} cannot be started: {error.strerror}", retryable=False) from error
        code = _ended(process, within_s)
        output.seek(max(0, output.seek(0, os.SEEK_END) - KEPT_OCTETS))
        return Answer(code, output.read(KEPT_OCTETS).decode("utf-8", "replace"), time.monotonic() - began)


def _ended(process: subprocess.Popen[bytes], within_s: float) -> int | None:
    """Wait for a command, and give its exit code; None where it was killed for the time that it took."""
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        raise
