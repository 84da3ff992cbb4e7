"""With the real git."""

import os
import subprocess
from pathlib import Path

import pytest

from anycastle.io.config.start import write_example
from anycastle.io.folder_revision import folder_revision


def git(folder: Path, *arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = ("-c", "user.name=test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *who, *arguments), cwd=folder, env=clean, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example(tmp_path / "fleet")
    return tmp_path / "fleet"


@pytest.mark.mission("C3")
def test_a_folder_in_git_is_bound_to_its_commit_and_to_what_differs_from_it(folder: Path) -> None:
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-q", "-m", "all")
    clean = folder_revision(folder)
    assert clean.commit == git(folder.parent, "rev-parse", "HEAD")
    assert not clean.dirty
    (folder.parent / "other.txt").write_text("beside the folder")
    assert folder_revision(folder) == clean
    with (folder / "fleet.yaml").open("a") as file:
        file.write("# one more line\n")
    dirty = folder_revision(folder)
    assert dirty.commit == clean.commit
    assert dirty.dirty
    assert dirty.digest != clean.digest


def test_a_folder_without_git_has_a_digest_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    found = folder_revision(folder)
    assert (found.commit, found.dirty) == (None, False)
    monkeypatch.setenv("PATH", "")
    assert folder_revision(folder) == found


def test_the_digest_is_of_names_and_octets_and_not_of_the_place(folder: Path, tmp_path: Path) -> None:
    before = folder_revision(folder).digest
    moved = folder.rename(tmp_path / "moved")
    assert folder_revision(moved).digest == before
    (moved / "pops" / "fra1.yaml").rename(moved / "pops" / "fra2.yaml")
    assert folder_revision(moved).digest != before
