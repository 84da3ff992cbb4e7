import asyncio
import os
import time
from pathlib import Path

import pytest

from anycastle.base.limits import EVIDENCE_CHARACTERS_MAX
from anycastle.io.checks.exec import execute, run
from anycastle.model.check import CheckResult, ExecTarget, Outcome


def check(*command: str, timeout_s: float = 10.0) -> CheckResult:
    return asyncio.run(run(ExecTarget(command), timeout_s))


def shell(script: str, timeout_s: float = 10.0) -> CheckResult:
    return check("/bin/sh", "-c", script, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(0, Outcome.PASS), (1, Outcome.FAIL), (2, Outcome.FAIL), (3, Outcome.UNKNOWN), (127, Outcome.UNKNOWN)],
)
@pytest.mark.mission("C1")
def test_the_exit_status_decides(status: int, outcome: Outcome) -> None:
    result = shell(f"echo words; echo more; exit {status}")
    assert result.outcome is outcome
    assert "sh: words" in result.evidence
    assert "more" not in result.evidence


def test_a_program_that_is_not_there_is_our_failure() -> None:
    assert check("/nonexistent/check").outcome is Outcome.UNKNOWN
    assert check("/etc/hostname/check").outcome is Outcome.UNKNOWN
    assert check("/etc/passwd").outcome is Outcome.UNKNOWN  # there, but not to be executed
    assert check("a\0b").outcome is Outcome.UNKNOWN


def test_a_program_that_was_killed_is_undecided() -> None:
    result = shell("kill -KILL $$")
    assert result.outcome is Outcome.UNKNOWN
    assert "killed by signal 9" in result.evidence


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        os.sched_yield()


def pids_of(file: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 10
    while not file.exists() or len(file.read_text().split()) < count:
        assert time.monotonic() < deadline
        os.sched_yield()
    return [int(text) for text in file.read_text().split()]


@pytest.mark.mission("C1")
def test_at_the_time_limit_the_whole_group_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    result = shell(f"trap '' TERM; sleep 100 & echo $$ $! > {file}; wait", timeout_s=0.3)
    assert result.outcome is Outcome.FAIL
    assert result.evidence == "no answer from sh within 0.3 s"
    wait_until_gone(pids_of(file, 2))


def test_a_cancelled_check_kills_its_group(tmp_path: Path) -> None:
    file = tmp_path / "pids"

    async def main() -> None:
        task = asyncio.create_task(run(ExecTarget(("/bin/sh", "-c", f"sleep 100 & echo $$ $! > {file}; wait")), 60))
        await asyncio.sleep(0)
        await asyncio.to_thread(pids_of, file, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    wait_until_gone(pids_of(file, 2))


def test_a_child_that_holds_the_output_open_is_neither_waited_for_nor_left(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    result = shell(f"sleep 100 & echo $! > {file}; echo done")
    assert result.outcome is Outcome.PASS
    assert result.duration_s < 10
    wait_until_gone(pids_of(file, 1))


def test_output_and_evidence_are_bounded() -> None:
    status, output = asyncio.run(execute(("/bin/sh", "-c", "head -c 10000000 /dev/zero | tr '\\0' x")))
    assert (status, len(output)) == (0, 65536)
    result = shell("head -c 100000 /dev/zero | tr '\\0' x; exit 1")
    assert len(result.evidence) == EVIDENCE_CHARACTERS_MAX
    assert result.evidence.endswith("…")


def test_control_characters_do_not_reach_the_evidence() -> None:
    assert shell(r"printf '\033[31mred\a\n'").evidence == "sh: [31mred"


def test_the_environment_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYCASTLE_TOKEN", "secret")
    assert "secret" not in shell("echo $ANYCASTLE_TOKEN").evidence


def test_there_is_no_input_and_no_shell() -> None:
    assert check("/bin/cat").evidence == "cat"
    assert check("/bin/echo", "$HOME; ls").evidence == "echo: $HOME; ls"
