"""The child's answer is what loading here gives; what ends the child is said."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io import fleet_loader
from anycastle.io.config import load_fleet
from anycastle.io.config.start import write_example
from anycastle.io.fleet_loader import load_fleet_apart


def test_a_fleet_comes_back_as_it_would_be_loaded_here(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    assert asyncio.run(load_fleet_apart(tmp_path / "fleet")) == load_fleet(tmp_path / "fleet").fleet


def test_errors_come_back_with_their_places(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    file = tmp_path / "fleet/pops/fra1.yaml"
    file.write_text(file.read_text().replace("city:", "citty:"))
    errors = [str(finding) for finding in load_fleet(tmp_path / "fleet").errors]
    assert errors
    with pytest.raises(MisuseError) as caught:
        asyncio.run(load_fleet_apart(tmp_path / "fleet"))
    assert str(caught.value) == "the fleet cannot be used:\n" + "\n".join(errors)


def test_a_child_that_breaks_is_an_error_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(WorldError, match="ended with 3: out of memory"):
        asyncio.run(load_fleet_apart(tmp_path))


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python, note = tmp_path / "python", tmp_path / "pid"
    python.write_text(f"#!/bin/sh\necho $$ > {note}\nexec sleep 1000\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(fleet_loader, "LOADING_S", 0.5)
    with pytest.raises(WorldError, match="not read within"):
        asyncio.run(load_fleet_apart(tmp_path))
    if note.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


def test_what_an_agent_imports_leaves_the_shapes_of_the_files_out() -> None:
    code = "import sys, anycastle.daemons.agent_process, anycastle.cli.agent; print('pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"


def test_a_child_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_example(tmp_path / "fleet")
    monkeypatch.setattr(fleet_loader, "_STAMP", bytes(32))
    with pytest.raises(WorldError, match="another version of anycastle was installed meanwhile"):
        asyncio.run(load_fleet_apart(tmp_path / "fleet"))


def test_an_interpreter_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(WorldError, match="no process can be started"):
        asyncio.run(load_fleet_apart(tmp_path))
