"""How an attempt becomes a verdict: what passes, whose fault a failure is, and the time limit over all of it.

A check's coroutine returns its evidence when it passes, raises `Failed` when the service is at fault and `Undecided`
when we are. Errors of sockets are told apart here, by errno, so that all kinds agree. A deadline that fires late means
that our own process was held up; the answer may have been waiting for us, so that is undecided too.
"""

import asyncio
import errno
import os
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, Final

from anycastle.base.limits import EVIDENCE_CHARACTERS_MAX
from anycastle.model.check import CheckResult, Outcome
from anycastle.model.prefix import Address

OURS: Final = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EAGAIN,  # no local port or process to be had
        errno.EADDRNOTAVAIL,
        errno.EPERM,  # our own packet filter, or a missing capability
        errno.EACCES,
        errno.EAFNOSUPPORT,
        errno.EPROTONOSUPPORT,
    }
)
"""Errors that say something about this machine, and nothing about the service."""

_LATE_S: Final = 0.1
_LATE_SHARE: Final = 0.5

_WORDS: Final = {
    errno.ECONNREFUSED: "connection refused by {}",
    errno.ECONNRESET: "connection reset by {}",
    errno.EPIPE: "connection closed by {}",
    errno.ECONNABORTED: "connection aborted by {}",
    errno.ENETUNREACH: "no route to the network of {}",
    errno.EHOSTUNREACH: "no route to {}",
    errno.ETIMEDOUT: "no answer from {}",
}


class Failed(Exception):
    """The service did not do what the check expects; the message is the evidence."""


class Undecided(Exception):
    """We could not find out; the message is the evidence."""


@lru_cache(maxsize=4096)
def endpoint(address: Address, port: int) -> str:
    """Give `192.0.2.53:53` or `[2001:db8::53]:53`."""
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def clean(text: str) -> str:
    """Give a text as one printable line of at most `EVIDENCE_CHARACTERS_MAX` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= EVIDENCE_CHARACTERS_MAX else line[: EVIDENCE_CHARACTERS_MAX - 1] + "…"


def verdict_of(error: OSError, subject: str) -> tuple[Outcome, str]:
    """Tell whose fault an error of the operating system is, in words."""
    code = error.errno
    text = _WORDS[code].format(subject) if code in _WORDS else f"{os.strerror(code or 0)}: {subject}"
    return (Outcome.UNKNOWN if code in OURS else Outcome.FAIL), text


async def judged(
    attempt: Coroutine[Any, Any, str], timeout_s: float, subject: str, *, silence: Outcome = Outcome.FAIL
) -> CheckResult:
    """Run an attempt within `timeout_s` and give its verdict; `subject` names the target in the evidence.

    `silence` is what a timeout or an error of a socket says: FAIL, except where the one asked is not the service.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout_at(started + timeout_s):
            evidence = await attempt
        outcome = Outcome.PASS
    except Failed as failed:
        outcome, evidence = Outcome.FAIL, str(failed)
    except Undecided as undecided:
        outcome, evidence = Outcome.UNKNOWN, str(undecided)
    except TimeoutError as error:
        if error.errno is None:
            outcome, evidence = timed_out(loop.time() - started, timeout_s, subject)
        else:  # the kernel's ETIMEDOUT has the same class
            outcome, evidence = verdict_of(error, subject)
        outcome = silence if outcome is Outcome.FAIL else outcome
    except OSError as error:
        outcome, evidence = verdict_of(error, subject)
        outcome = silence if outcome is Outcome.FAIL else outcome
    return CheckResult(outcome, loop.time() - started, clean(evidence))


def timed_out(elapsed_s: float, timeout_s: float, subject: str) -> tuple[Outcome, str]:
    """Tell whose fault a deadline is that fired after `elapsed_s`, in words: ours where it fired late."""
    late_s = elapsed_s - timeout_s
    if late_s > max(_LATE_S, _LATE_SHARE * timeout_s):
        return Outcome.UNKNOWN, f"this process was held up for {late_s:.1f} s while it asked {subject}"
    return Outcome.FAIL, f"no answer from {subject} within {timeout_s:g} s"
