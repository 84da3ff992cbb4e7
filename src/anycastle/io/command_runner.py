"""Runs a command of this program in a process of its own, for at most so long, and keeps the end of what it says."""

import os
import signal
import subprocess
import sys
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
    """Run `anycastle ...`; no shell is asked. Its standard error comes with its output. Raises `WorldError`."""
    command = (sys.executable, "-c", "from anycastle.cli.main import main; main()", *words[1:])
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        raise WorldError(f"{words[0]} cannot be started: {error.strerror}", retryable=False) from error
    try:
        octets, _ = process.communicate(timeout=within_s)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        octets, _ = process.communicate()
        code = None
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    return Answer(code, octets[-KEPT_OCTETS:].decode("utf-8", "replace"), time.monotonic() - began)
