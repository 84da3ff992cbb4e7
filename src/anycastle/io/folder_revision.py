"""Which version of a fleet folder this is: git's commit, and a digest of the files as they are."""

import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from anycastle.io.config.findings import Findings
from anycastle.io.config.folder import read_folder
from anycastle.rollout.live import REVISION_DIGITS
from anycastle.rollout.plan import FolderRevision

GIT_S: Final = 30.0
"""How long git may take: a repository of 100,000 files answers in a second."""


def folder_revision(path: Path) -> FolderRevision:
    """Give the revision of a fleet folder. Without git, or outside a repository, there is no commit."""
    commit = _git(path, "rev-parse", "--verify", "HEAD")
    changed = None if commit is None else _git(path, "status", "--porcelain", "--", ".")
    return FolderRevision(commit, bool(changed), _digest(path))


def _git(path: Path, *arguments: str) -> str | None:
    """Give what git prints; None where it cannot say. A repository's own hooks are not run."""
    command = ("git", "-c", "core.fsmonitor=false", "--no-optional-locks", "-C", str(path), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def _digest(path: Path) -> str:
    folder = read_folder(path, Findings())
    files = [*([folder.fleet] if folder.fleet else []), *folder.pops, *folder.services]
    digest = sha256()
    for file in files:
        digest.update(f"{file.name.removeprefix(str(path))} {len(file.octets)}\n".encode())
        digest.update(file.octets)
    return digest.hexdigest()[:REVISION_DIGITS]
