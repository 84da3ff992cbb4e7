import asyncio
import errno
import os

import pytest

from anycastle.base.limits import EVIDENCE_CHARACTERS_MAX
from anycastle.io.checks.verdict import OURS, Failed, Undecided, clean, judged
from anycastle.model.check import CheckResult, Outcome


def judge(error: BaseException | None, silence: Outcome = Outcome.FAIL) -> CheckResult:
    async def attempt() -> str:
        if error is not None:
            raise error
        return "well"

    async def main() -> CheckResult:
        return await judged(attempt(), 5.0, "192.0.2.53:53", silence=silence)

    return asyncio.run(main())


@pytest.mark.parametrize("code", sorted(OURS), ids=errno.errorcode.__getitem__)
@pytest.mark.mission("F7")
def test_what_is_wrong_with_this_machine_never_counts_against_the_service(code: int) -> None:
    assert judge(OSError(code, os.strerror(code))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "evidence"),
    [
        (errno.ECONNREFUSED, "connection refused by 192.0.2.53:53"),
        (errno.ECONNRESET, "connection reset by 192.0.2.53:53"),
        (errno.EHOSTUNREACH, "no route to 192.0.2.53:53"),
        (errno.ENETUNREACH, "no route to the network of 192.0.2.53:53"),
        (errno.ETIMEDOUT, "no answer from 192.0.2.53:53"),
        (errno.EMSGSIZE, "Message too long: 192.0.2.53:53"),
    ],
)
def test_what_the_target_did_fails_in_words(code: int, evidence: str) -> None:
    result = judge(OSError(code, os.strerror(code)))
    assert (result.outcome, result.evidence) == (Outcome.FAIL, evidence)
    assert judge(OSError(code, os.strerror(code)), Outcome.UNKNOWN).outcome is Outcome.UNKNOWN


def test_an_attempt_says_itself_how_it_ended() -> None:
    assert judge(None).outcome is Outcome.PASS
    assert judge(Failed("no")).outcome is Outcome.FAIL
    assert judge(Failed("no"), Outcome.UNKNOWN).outcome is Outcome.FAIL
    assert judge(Undecided("?")).outcome is Outcome.UNKNOWN


def test_our_own_bug_is_not_a_verdict() -> None:
    with pytest.raises(ZeroDivisionError):
        judge(ZeroDivisionError())


def test_evidence_is_one_short_printable_line() -> None:
    assert clean("a\r\n\tb\x1b[0m\x00c") == "a b [0m c"
    assert len(clean("x" * 10000)) == EVIDENCE_CHARACTERS_MAX
