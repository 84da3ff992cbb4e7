"""Two controllers on one PostgreSQL, real processes: who is told of what, when the one that leads is killed.

What opens incidents is a watch's log, which both follow; the notifier is a webhook of the test's own, which takes,
refuses, and does not answer, as the test wants it.
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.config.start import write_example
from anycastle.io.event_log import EventLog
from anycastle.io.local_socket import ask
from anycastle.model.event import Event, FindingOpened
from tests.lab.agent_rigs import until
from tests.lab.postgresql import PostgreSQL, binaries, postgresql
from tests.unit.io.notifiers.servers import Answer, Got, Server, serving

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(binaries() is None, reason="needs the Debian package postgresql"),
]

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
WAIT_S = 120.0
TAKEN, SLOW, REFUSED, AWAY = "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "233.252.0.0/24"


class Two:
    """Two controllers, the watch's log, and the webhook."""

    def __init__(self, folder: Path, server: PostgreSQL, hook: Server) -> None:
        self.folder, self.hook = folder, hook
        self.net = f"127.{100 + os.getpid() // 250 % 100}.{os.getpid() % 250}."
        self.store = server.database()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.over, self.mended = threading.Event(), threading.Event()
        hook.answer = self.answer
        write_example(folder / "fleet")
        (folder / "secret").write_text("xyzzy\n")
        with (folder / "fleet/fleet.yaml").open("a") as file:
            file.write(
                "notify:\n  notifiers:\n"
                f"    - {{name: hook, webhook: {{url: '{hook.url}/in', secret_file: {folder}/secret}}}}\n"
                "  routes: [{urgency: page, to: [hook]}]\n"
            )
        self.log = EventLog(folder / "watch.db")
        self._pki("init", "pki", "--fleet", "two")
        for number, name in enumerate(("ctl1", "ctl2"), 1):
            self._pki("issue", "pki", "--controller", name, "--host", f"{self.net}{number}", "--out", name)
            self.start(name)

    def _pki(self, *words: str) -> None:
        subprocess.run((*COMMAND, "pki", *words), cwd=self.folder, check=True, capture_output=True)

    def start(self, name: str) -> None:
        at = f"{self.net}{name[-1]}:19479"
        words = (
            "controller", "run", "--store", self.store, "--listen", at, "--address", at, "--authorities",
            "pki/bundle.pem", "--certificate", f"{name}/{name}.pem", "--run-dir", f"run-{name}", "--fleet", "fleet",
            "--findings", "watch.db",
        )  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen((*COMMAND, *words), cwd=self.folder, stdout=log, stderr=log)

    def end(self) -> None:
        self.over.set()
        for process in self.processes.values():
            process.kill()
            process.wait(30)
        self.log.close()

    def say(self, name: str, command: str, **fields: Any) -> dict[str, Any]:
        return ask(self.folder / f"run-{name}/controller.sock", {"command": command, **fields}, 60.0)

    def leader(self) -> str | None:
        for name in self.processes:
            with suppress(WorldError):
                if self.say(name, "status")["leads"]:
                    return name
        return None

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait(30)

    def hijacked(self, *prefixes: str) -> None:
        self.log.append(
            [
                Event(
                    Timestamp(now().wall), "watch",
                    FindingOpened(
                        f"f-{prefix}", "origin_change", "critical", "AS64666", (prefix,), 90, (), 12, 9, 3, "invalid",
                        False, (),
                    ),
                )
                for prefix in prefixes
            ]
        )  # fmt: skip

    def answer(self, got: Got) -> Answer:
        """Take what is about one prefix, and others as the test wants it."""
        (prefix,) = json.loads(got.octets)["prefixes"]
        if prefix == SLOW and not self.mended.is_set():
            self.over.wait(WAIT_S)  # it came, and whoever sent it is killed before he hears so
        if prefix == REFUSED and not self.mended.is_set():
            return 400, {}, "no such channel"
        return (200, {}, "") if prefix == TAKEN or self.mended.is_set() else (503, {}, "later")

    def keys(self, prefix: str) -> Counter[str]:
        """Give each notice's key about a prefix, and how often it came."""
        told = [each.body for each in list(self.hook.got)]
        return Counter(each["key"] for each in told if each["prefixes"] == [prefix] and each["notice"] == "page")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with postgresql() as server, serving(lambda _: (200, {}, "")) as hook:
        made = Two(tmp_path, server, hook)
        try:
            yield made
        finally:
            made.end()


@pytest.mark.mission("C15", "C16", "P2")
def test_what_was_acknowledged_stays_and_nobody_is_told_twice_but_under_one_key(two: Two) -> None:
    until(lambda: two.leader() is not None, "one leads", wait_s=WAIT_S)
    first = two.leader()
    assert first is not None
    two.say(first, "adopt", owner="ada", folder=str(two.folder / "fleet"), reason="begin")
    two.hijacked(TAKEN)
    until(lambda: two.keys(TAKEN).total() == 1, "the first page", wait_s=WAIT_S)
    number = two.say(first, "incidents")["incidents"][0]["id"]
    two.say(first, "acknowledge", owner="ada", incident=number)
    two.say(first, "annotate", owner="ada", incident=number, text="the carrier filters it")

    two.hijacked(SLOW, REFUSED, AWAY)
    until(lambda: two.keys(SLOW) and two.keys(AWAY), "one came and is not answered, one is put off", wait_s=WAIT_S)
    until(lambda: two.say(first, "deliveries")["items"][0]["state"] == "dead", "one is refused", wait_s=WAIT_S)
    until(lambda: two.say(first, "incidents")["incidents"][-1]["id"] == 4, "four incidents", wait_s=WAIT_S)
    two.kill(first)
    two.mended.set()
    two.over.set()
    second = until(two.leader, "the other one leads", wait_s=WAIT_S)
    assert second != first
    until(lambda: two.keys(SLOW).total() >= 2, "what was not answered comes again", wait_s=WAIT_S)
    until(
        lambda: [each["state"] for each in two.say(second, "deliveries")["items"]] == ["dead"],
        "all is taken but the dead letter", wait_s=WAIT_S,
    )  # fmt: skip
    whole = two.say(second, "incident", incident=number)
    assert (whole["status"], whole["acknowledged_by"]) == ("acknowledged", "ada")
    assert "ada: the carrier filters it" in [each["text"] for each in whole["timeline"]]
    assert two.keys(TAKEN).total() == 1, "what was taken is told nobody again"
    for prefix in (SLOW, AWAY, REFUSED):
        assert len(two.keys(prefix)) == 1, f"{prefix}: however often it came, it is one page by its key"
    letter = two.say(second, "deliveries")["items"][0]
    refused = two.keys(REFUSED).total()
    assert two.say(second, "send-again", owner="ada", keys=[letter["key"]])["again"] == [letter["key"]]
    until(lambda: two.keys(REFUSED).total() == refused + 1, "the dead letter is sent again", wait_s=WAIT_S)
    until(lambda: two.say(second, "deliveries")["items"] == [], "nothing waits", wait_s=WAIT_S)
    assert len(two.keys(REFUSED)) == 1
    assert [each["id"] for each in two.say(second, "incidents")["incidents"]] == [1, 2, 3, 4]
