"""Runbooks carried out: against a fleet that a controller leads, through approvals, failures and kill -9."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anycastle.io.event_log import EventLog
from tests.cli.controlled_fleet import COMMAND, ControlledFleet
from tests.lab.agent_rigs import until

SLOW = """\
# Slow

```parameters
word = x: anything
```

## Look

```check
run: anycastle version
```

## Agree

```approval
ask: Go on with {word}?
by: second person
```

## Change something slowly

```command
run: anycastle freeze --reason {word}
danger: yes
within: 30s
```

## Look again

```check
run: anycastle version
expect: output anycastle
```
"""


class Typed:
    """What is typed in a folder, with a log of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "ANYCASTLE_RUNBOOK_LOG": str(folder / "runs.db"),
            "ANYCASTLE_CONTROLLER_DIR": str(folder / "controller"),
        }

    def __call__(self, *words: str, code: int = 0, wait_s: float = 120) -> str:
        done = subprocess.run(
            (*COMMAND, *words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=wait_s,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("runbook", "runs", "-o", "json"))
        return found

    def states(self) -> list[tuple[int, str]]:
        with EventLog(self.folder / "runs.db", read_only=True) as log:
            return [(each.fields["step"], each.fields["state"]) for each in log.read(kind="runbook_stepped")]


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    (tmp_path / "slow.md").write_text(SLOW, encoding="utf-8")
    return Typed(tmp_path)


@pytest.fixture
def led(tmp_path: Path) -> Iterator[ControlledFleet]:
    fleet = ControlledFleet(tmp_path)
    try:
        fleet.begin()
        yield fleet
    finally:
        fleet.end()


@pytest.mark.mission("C15", "C17")
def test_pop_failure_is_followed_from_end_to_end(led: ControlledFleet, tmp_path: Path) -> None:
    typed = Typed(tmp_path)
    typed("adopt", "fleet", "--reason", "begin")
    until(led.all_assigned, "all are assigned", wait_s=60)
    given = ("--set", "pop=fra", "--set", "service=dns", "--set", "fleet=fleet", "--set", "controller=controller")

    said = typed("runbook", "run", "pop-failure", *given, "--dry-run", code=0)
    assert "would run: anycastle drain dns --pop fra" in said
    assert "a dry run: nothing was changed or written; 0 of 8 steps would stop it" in said
    assert led.stance("fra") == "announce"
    assert typed.runs() == []

    said = typed("runbook", "run", "pop-failure", *given, "--incident", "1", "--owner", "ada", code=3)
    assert "waits for the word of anyone" in said
    (run,) = typed.runs()
    assert led.stance("fra") == "announce"  # nothing is moved without somebody's word
    typed("runbook", "approve", run["run"], "--owner", "bob", "--reason", "no light on the line")
    said = typed("runbook", "resume", run["run"], "--owner", "ada", code=3)
    assert led.stance("fra") == "withdraw"
    assert "dns at fra: dns withdraw: drained" in said
    typed("runbook", "approve", run["run"], "--owner", "ada")
    typed("runbook", "resume", run["run"], "--owner", "ada")
    assert led.stance("fra") == "announce"
    (run,) = typed.runs()
    assert run["over"]
    steps = {each["step"]: each for each in run["steps"]}
    assert [steps[number]["state"] for number in range(1, 9)] == [
        "done", "done", "approved", "done", "done", "approved", "done", "done",
    ]  # fmt: skip
    assert steps[3]["approved_by"] == "bob"
    assert "fra: done" in steps[4]["evidence"]
    timeline = json.loads(
        typed(
            "incidents", "list", "--store", f"sqlite:///{tmp_path}/controller.db", "--events", "runs.db", "-o", "json"
        )
    )
    assert isinstance(timeline, list)


def test_a_command_that_was_cut_off_is_asked_about_and_not_repeated(typed: Typed, tmp_path: Path) -> None:
    """The controller is a socket that never answers: the command hangs, and the run is killed with it under way."""
    import socket

    (tmp_path / "controller").mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "controller/controller.sock"))
        silent.listen(8)
        typed("runbook", "run", "slow.md", "--owner", "ada", code=3)
        run = typed.runs()[0]["run"]
        assert "needs a second person" in typed("runbook", "approve", run, "--owner", "ada", code=1)
        typed("runbook", "approve", run, "--owner", "bob")
        process = subprocess.Popen(
            (*COMMAND, "runbook", "resume", run),
            cwd=tmp_path,
            env=typed.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        until(lambda: (3, "begun") in typed.states(), "the command is under way", wait_s=30)
        silent.settimeout(30)
        connection, _ = silent.accept()  # it really asks
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        connection.close()  # so that what was asked for ends

    said = typed("runbook", "resume", run, code=3)
    assert "whether it was carried out is not known" in said
    assert typed.states().count((3, "begun")) == 1
    assert typed.states()[-1] == (3, "begun")  # nothing was written, nothing done
    typed("runbook", "resume", run, "--skip", "--reason", "x", code=2)
    typed("runbook", "resume", run, "--was", "done", "--owner", "bob", "--reason", "status says frozen")
    assert typed.states()[-3:] == [(4, "begun"), (4, "done"), (0, "ended")]
    assert typed.runs()[0]["steps"][2]["evidence"].startswith("bob says that it was carried out")


def test_a_step_that_fails_stops_and_can_be_tried_again_or_left_out(typed: Typed) -> None:
    typed("runbook", "run", "slow.md", "--owner", "ada", code=3)
    run = typed.runs()[0]["run"]
    typed("runbook", "approve", run, "--owner", "bob")
    said = typed("runbook", "resume", run, code=4)  # there is no controller
    assert "not as expected" in said
    typed("runbook", "resume", run, code=4)
    assert [state for step, state in typed.states() if step == 3] == ["begun", "failed", "again", "begun", "failed"]
    typed("runbook", "resume", run, "--skip", code=2)
    typed("runbook", "resume", run, "--skip", "--reason", "nobody leads")
    assert typed.runs()[0]["over"]


def test_what_is_typed_wrong_changes_nothing(typed: Typed, tmp_path: Path) -> None:
    said = typed("runbook", "run", "slow.md", "--set", "wrod=1", code=2)
    assert "slow has no parameter 'wrod'; did you mean 'word'?" in said
    said = typed("runbook", "run", "slow.md", "--set", "word=--reason", code=2)
    assert "step 3: the value '--reason' begins with -, and would be an option" in said
    assert "there is no runbook 'hijak'" in typed("runbook", "show", "hijak", code=2)
    (tmp_path / "bad.md").write_text(SLOW.replace("anycastle version", "anycastle versoin"), encoding="utf-8")
    assert "bad.md:9:1: step 1: `anycastle` has no subcommand 'versoin'" in typed("runbook", "check", "bad.md", code=2)
    assert typed.runs() == []


def test_two_processes_do_not_carry_out_one_run(typed: Typed, tmp_path: Path) -> None:
    typed("runbook", "run", "slow.md", "--owner", "ada", code=3)
    run = typed.runs()[0]["run"]
    from anycastle.io.lock import claim

    descriptor = claim(tmp_path, run, "is held by the test")
    try:
        assert "carries this run out" in typed("runbook", "approve", run, "--owner", "bob", code=1)
    finally:
        os.close(descriptor)
    typed("runbook", "approve", run, "--owner", "bob")
