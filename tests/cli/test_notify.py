"""`anycastle notify`: a test notice to a real server, and what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from anycastle.io.config.start import write_example
from tests.unit.io.notifiers.servers import serving

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")


def notify(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((*COMMAND, "notify", *words), capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.mission("C15")
def test_a_test_notice_is_sent_and_its_end(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    (tmp_path / "secret").write_text("xyzzy\n")
    with serving(lambda _: (200, {}, "")) as server:
        with (tmp_path / "fleet/fleet.yaml").open("a") as file:
            file.write(
                "notify:\n  notifiers:\n"
                f"    - {{name: own, webhook: {{url: '{server.url}/in', secret_file: {tmp_path}/secret}}}}\n"
                "  routes: [{urgency: page, to: [own]}]\n"
            )
        fleet = ("--fleet", str(tmp_path / "fleet"))
        done = notify("test", "own", *fleet)
        assert (done.returncode, done.stderr) == (0, "own took it\n")
        assert notify("test", "own", "--over", *fleet).returncode == 0
        first, second = (got.body for got in server.got)
        assert (first["notice"], second["notice"], first["urgency"]) == ("ticket", "cleared", "ticket")
        assert first["incident_key"] == second["incident_key"]
        server.answer = lambda _: (403, {}, "no: xyzzy")
        done = notify("test", "own", *fleet)
    assert done.returncode == 1
    assert done.stderr == f"anycastle: {server.url}: status 403: no: (hidden)\n"
    done = notify("test", "ow", *fleet)
    assert done.returncode == 2
    assert "there is no notifier 'ow'" in done.stderr
    assert "known: own" in done.stderr


def test_letters_are_named_or_all_of_them() -> None:
    done = notify("again")
    assert done.returncode == 2
    assert "give --all" in done.stderr
