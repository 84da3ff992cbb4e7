"""The ledger of what a lab has started."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.lab.ledger import FILE_NAME, Ledger, Started, load, take_down


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_ledger_is_read_as_it_was_saved(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "three-pops", Started(1, 2), ["a-pop1"], {"bird-pop1": Started(3, 4)})
    ledger.save()
    assert load(tmp_path) == ledger


def test_labs_in_different_places_have_different_names(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "a").prefix != Ledger(tmp_path / "b").prefix
    assert Ledger(tmp_path / "a").prefix == Ledger(tmp_path / "a").prefix


def test_a_process_is_alive_until_it_has_ended() -> None:
    process = sleeper()
    started = Started.of(process.pid)
    try:
        assert started.alive
    finally:
        process.kill()
    process.wait()
    assert not started.alive


def test_another_process_with_the_same_number_is_not_ours() -> None:
    process = sleeper()
    try:
        reused = Started(process.pid, Started.of(process.pid).born - 1)
        assert not reused.alive
        reused.signal(signal.SIGKILL)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.mission("C17")
def test_taking_down_ends_the_processes_and_the_owner_and_removes_the_files(tmp_path: Path) -> None:
    run_dir = tmp_path / "lab"
    owner, process = sleeper(), sleeper()
    try:
        Ledger(run_dir, "x", Started.of(owner.pid), [], {"nsd": Started.of(process.pid)}).save()
        assert take_down(run_dir)
        assert owner.wait(10) != 0
        assert process.wait(10) != 0
        assert not run_dir.exists()
        assert not take_down(run_dir)
    finally:
        for each in (owner, process):
            each.kill()
            each.wait()


def test_a_ledger_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(WorldError, match=FILE_NAME):
        load(tmp_path)
