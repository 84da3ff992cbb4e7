import asyncio
import os
import time
from pathlib import Path

import pytest

from anycastle.io.checks import file as file_check
from anycastle.model.check import CheckResult, FileTarget, Outcome


def check(path: Path | str, timeout_s: float = 5.0, **settings) -> CheckResult:
    return asyncio.run(file_check.run(FileTarget(str(path), **settings), timeout_s))


def test_present_and_absent(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    assert check(flag).outcome is Outcome.FAIL
    assert check(flag).evidence == f"{flag} is not there, expected present"
    assert check(flag, state="absent").outcome is Outcome.PASS
    flag.touch()
    assert check(flag).outcome is Outcome.PASS
    assert check(flag, state="absent").evidence == f"{flag} is there, expected absent"
    assert check(flag / "below").outcome is Outcome.FAIL


def test_an_old_file_counts_as_not_there(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    assert check(flag, max_age_s=60.0).outcome is Outcome.PASS
    old = time.time() - 600
    os.utime(flag, (old, old))
    stale = check(flag, max_age_s=60.0)
    assert (stale.outcome, stale.evidence) == (
        Outcome.FAIL,
        f"{flag} is 600 s old, more than 60 s, expected present",
    )
    assert check(flag, state="absent", max_age_s=60.0).outcome is Outcome.PASS


@pytest.mark.mission("F7")
def test_a_file_of_the_future_is_a_jump_of_the_clock(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    later = time.time() + 600
    os.utime(flag, (later, later))
    assert check(flag, max_age_s=60.0).outcome is Outcome.UNKNOWN


def test_a_name_that_cannot_be_looked_at_is_our_failure(tmp_path: Path) -> None:
    result = check(tmp_path / ("x" * 300))
    assert result.outcome is Outcome.UNKNOWN
    assert "File name too long" in result.evidence


@pytest.mark.mission("F7")
def test_a_file_system_that_hangs_is_our_failure_and_costs_one_thread(tmp_path: Path) -> None:
    async def main() -> CheckResult:
        file_check._looking.add(str(tmp_path))  # what a look that never came back leaves
        try:
            return await file_check.run(FileTarget(str(tmp_path)), 1.0)
        finally:
            file_check._looking.discard(str(tmp_path))

    result = asyncio.run(main())
    assert result.outcome is Outcome.UNKNOWN
    assert "hangs" in result.evidence


def test_a_look_that_was_cancelled_can_be_taken_again(tmp_path: Path) -> None:
    async def main() -> CheckResult:
        first = asyncio.create_task(file_check.run(FileTarget(str(tmp_path)), 5.0))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        while str(tmp_path) in file_check._looking:
            await asyncio.sleep(0)
        return await file_check.run(FileTarget(str(tmp_path)), 5.0)

    assert asyncio.run(main()).outcome is Outcome.PASS
