"""Commands of this program, run as real processes."""

import pytest

from anycastle.io import command_runner
from anycastle.io.command_runner import run_anycastle


def test_a_command_that_ends_tells_its_code_and_words() -> None:
    done = run_anycastle(("anycastle", "version"), 60.0)
    assert (done.code, done.output.startswith("anycastle ")) == (0, True), done
    wrong = run_anycastle(("anycastle", "no-such-command"), 60.0)
    assert (wrong.code, "No such command" in wrong.output) == (2, True), wrong


def test_of_a_long_output_the_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_anycastle(("anycastle", "--help"), 60.0).output
    monkeypatch.setattr(command_runner, "KEPT_OCTETS", 40)
    assert run_anycastle(("anycastle", "--help"), 60.0).output == whole.encode()[-40:].decode()


def test_one_that_takes_too_long_is_killed_and_has_no_code() -> None:
    assert run_anycastle(("anycastle", "demo"), 0.5).code is None
