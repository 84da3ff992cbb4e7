"""`anycastle up` as a process: what the first start makes, the next finds."""

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from anycastle.io.config.start import write_example
from anycastle.io.pki.certificates import identity_of, read_certificate
from tests.ports import free_port

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")

pytestmark = pytest.mark.mission("U1")


@contextmanager
def running(folder: Path, api: int, agents: int, *more: str) -> Iterator[list[str]]:
    """Run it until it has told how it stands; give what it told."""
    words = ("up", "fleet", "--listen", f"127.0.0.1:{agents}", "--api", f"127.0.0.1:{api}", *more)
    process = subprocess.Popen((*COMMAND, *words), cwd=folder, stderr=subprocess.PIPE, text=True)
    told = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line.rstrip())
            if line.startswith("how it stands"):
                break
        assert told, "it ended and said nothing"
        yield told
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def desired(folder: Path, api: int) -> dict[str, Any]:
    token = (folder / "anycastle-data/admin.token").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{api}/api/v1/fleet", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_the_first_start_makes_all_and_the_next_finds_it(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    api, agents = free_port(), free_port()
    data = tmp_path / "anycastle-data"
    with running(tmp_path, api, agents) as told:
        assert any("(new: controller, fra1, gru1, iad1, nrt1)" in line for line in told)
        first = desired(tmp_path, api)
    assert first["services"] == ["dns"]
    assert (data / "admin.token").stat().st_mode & 0o777 == 0o600
    kept = {path: path.read_bytes() for path in data.rglob("*.pem") if path.name != "crl.pem"}

    shutil.copy(tmp_path / "fleet/pops/fra1.yaml", tmp_path / "fleet/pops/lis1.yaml")
    text = (
        (tmp_path / "fleet/pops/lis1.yaml")
        .read_text()
        .replace("fra1", "lis1")
        .replace("198.51.100.1\n", "198.51.100.99\n")
    )
    (tmp_path / "fleet/pops/lis1.yaml").write_text(text)
    (data / "admin.token").unlink()  # as where the first start was killed before it had written it
    with running(tmp_path, api, agents) as told:
        assert any("is not what is desired; see: anycastle plan" in line for line in told), told
        assert any("(new: lis1)" in line for line in told)
        assert desired(tmp_path, api)["revision"] == first["revision"], "a start changes no route"
    assert {path: path.read_bytes() for path in kept} == kept
    assert identity_of(read_certificate(data / "agents/lis1.pem")).name == "lis1"


def test_an_api_in_the_clear_is_not_served_to_a_network(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    done = subprocess.run(
        (*COMMAND, "up", "fleet", "--api", "0.0.0.0:8080"), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "in the clear" in done.stderr
    assert not (tmp_path / "anycastle-data").exists()
