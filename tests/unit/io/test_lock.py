import os
import subprocess
import sys
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.lock import claim


def test_a_folder_is_one_processs_until_it_ends(tmp_path: Path) -> None:
    claims = f"claim(Path({str(tmp_path)!r}), 'agent', 'x')"
    code = f"from pathlib import Path; from anycastle.io.lock import claim; {claims}; print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "1\n"
        with pytest.raises(WorldError, match=f"another agent has this state directory: {tmp_path}"):
            claim(tmp_path, "agent", "has this state directory")
        other.kill()
        other.wait()
    os.close(claim(tmp_path, "agent", "has this state directory"))


def test_a_folder_that_is_not_there_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot be locked"):
        claim(tmp_path / "none", "agent", "x")
