"""`anycastle telemetry` as an operator runs it: a log that is written, rotated, damaged; the collector killed."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "anycastle.cli.main", "telemetry")
DEADLINE_S = 30.0


def line(status: int, second: float) -> str:
    told = {"at": f"{second:.3f}", "client": "192.0.2.7", "status": str(status), "octets": "10", "cache": "HIT"}
    return json.dumps(told) + "\n"


class Running:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "access.log"
        (folder / "telemetry.yaml").write_text(
            "name: fra\npop: fra\nregion: eu\naccess_logs:\n"
            f"  - {{name: web, format: nginx, path: {self.log}, counts: [client_errors, cache_hits]}}\n"
        )
        self.processes: list[subprocess.Popen] = []

    def start(self) -> None:
        said = self.folder / f"said{len(self.processes)}"
        with said.open("w") as output:
            process = subprocess.Popen(
                [*COMMAND, "run", str(self.folder / "telemetry.yaml"), "--state-dir", str(self.folder / "state"),
                 "--listen", "127.0.0.1:0"],
                stderr=output,
            )  # fmt: skip
        self.processes.append(process)
        self.until(lambda: "serving at" in said.read_text(), said.read_text)
        self.url = f"http://{said.read_text().partition('serving at ')[2].split()[0]}"

    def said(self) -> str:
        return (self.folder / f"said{len(self.processes) - 1}").read_text()

    def until(self, condition: Callable[[], bool], what: Callable[[], str]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, what()
            time.sleep(0.05)

    def kept(self) -> int:
        """How far the log was read, as it is on disk."""
        with closing(sqlite3.connect(self.folder / "state" / "telemetry.db")) as base:
            found = base.execute("select body from places where source = 'web'").fetchone()
        return json.loads(found[0])["offset"] if found else 0

    def readings(self) -> dict[str, dict]:
        with urllib.request.urlopen(f"{self.url}/indicators", timeout=20) as answer:
            rows = json.load(answer)
        return {row["name"]: row for row in rows if row["scope"] == "global" and row["note"] != "octets"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


@pytest.mark.mission("M5", "M7")
def test_a_line_counts_once_through_kills_rotation_and_damage(running: Running) -> None:
    written = 0

    def write(good: int, bad: int) -> None:
        nonlocal written
        with running.log.open("a") as log:
            log.writelines(line(200, time.time()) for _ in range(good))
            log.writelines(line(500, time.time()) for _ in range(bad))
        written += good + bad

    def all_counted() -> bool:
        return running.readings()["client_errors"]["count"] == written

    write(90, 10)
    running.start()
    running.until(all_counted, lambda: str(running.readings()))
    running.until(lambda: running.kept() > 0, lambda: "a log that was never read has no place to go on from")
    for _ in range(3):
        write(9, 1)
        running.processes[-1].send_signal(signal.SIGKILL)
        running.processes[-1].wait()
        running.log.rename(running.folder / f"access.log.{len(running.processes)}")
        write(9, 1)
        running.start()
        running.until(all_counted, lambda: str(running.readings()))
    with running.log.open("a") as log:
        log.write("no line of nginx\n")
    write(9, 1)
    running.until(all_counted, lambda: str(running.readings()))
    assert running.readings()["client_errors"]["value"] == pytest.approx(0.1)
    running.until(lambda: "web:" in running.said(), running.said)
    assert f"web: {running.log}: octet " in running.said()
    assert "neither the recommended format nor the combined one" in running.said()
    told = subprocess.run([*COMMAND, "show", running.url, running.url], capture_output=True, text=True, check=True)
    (row,) = [text for text in told.stdout.splitlines() if text.startswith("M5")]
    assert (row.split()[3:5], str(2 * written) in row) == (["10", "%"], True), (
        "the same collector twice: all counts twice"
    )
    running.processes[-1].send_signal(signal.SIGTERM)
    assert running.processes[-1].wait(20) == 0, running.said()


def test_wrong_usage(tmp_path: Path) -> None:
    def ask(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)

    (tmp_path / "t.yaml").write_text("name: fra\naccess_log: []\n")
    done = ask("check", str(tmp_path / "t.yaml"))
    assert (done.returncode, "t.yaml:2:1: access_log: unknown key 'access_log'" in done.stderr) == (2, True), (
        done.stderr
    )
    (tmp_path / "t.yaml").write_text("name: fra\n")
    done = ask("check", str(tmp_path / "t.yaml"))
    assert (done.returncode, done.stdout) == (0, "fra: OTLP alone; cells of 60 s\n")
    assert ask("run", str(tmp_path / "absent.yaml")).returncode == 1
    assert ask("show", "--window", "soon").returncode == 2
    done = ask("show", "http://127.0.0.1:1")
    assert (done.returncode, done.stderr.startswith("anycastle: http://127.0.0.1:1: ")) == (1, True), done.stderr
