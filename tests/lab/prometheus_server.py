"""A real Prometheus for tests."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ANSWER_S = 30.0


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package prometheus)")
    return found


class Prometheus:
    """A server on loopback, of an empty store."""

    def __init__(self, folder: Path, config: str = "{}\n") -> None:
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")
        with (folder / "log").open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                 "--web.listen-address=127.0.0.1:0", "--log.level=info"],
                cwd=folder, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        self.address = self._address(folder / "log")

    def _address(self, log: Path) -> str:
        """Give where it listens, which it says itself: no port is guessed that somebody else takes."""
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"address=(127\.0\.0\.1:[1-9]\d*)", log.read_text(encoding="utf-8"))
            if found and "Server is ready" in log.read_text(encoding="utf-8"):
                return found[1]
            time.sleep(0.05)
        self.stop()
        raise AssertionError(log.read_text(encoding="utf-8"))

    def ask(self, path: str, **query: str) -> dict[str, object]:
        url = f"http://{self.address}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        data = told["data"]
        assert isinstance(data, dict)
        return data

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=ANSWER_S)
