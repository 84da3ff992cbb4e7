"""A watch tells a controller what it finds, all real: BIRD, networks that do wrong, `anycastle up`; each is killed.

What a webhook of the test's own is told says whether anybody was told twice.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from anycastle.base.errors import WorldError
from anycastle.io.local_socket import ask
from tests.lab.namespaces import end, joined
from tests.lab.test_watch_bgp import SESSIONS, start_router
from tests.lab.watch_rig import ATTACKER, DNS, PEERS, UPSTREAM, USUAL, WEB, Internet, Watch, until
from tests.unit.io.notifiers.servers import Server, serving

pytestmark = pytest.mark.lab

API = "http://127.0.0.1:8080"
COMMAND = (sys.executable, "-m", "anycastle.cli.main")
NAME = "ams"
OTHER = 64667
WAIT_S, CLEARED_S = 90.0, 150.0
HIJACKED = {**USUAL, DNS: (UPSTREAM, ATTACKER)}
ANOTHER = {**USUAL, WEB: (UPSTREAM, OTHER)}
NOTIFY = """notify:
  notifiers:
    - {{name: hook, webhook: {{url: '{url}/in', secret_file: {secret}}}}}
  routes: [{{urgency: page, to: [hook]}}]
  clear_after: 5s
"""


class Place:
    """The watch, the controller and what they need, in one namespace; the router is in another."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="remote-watch-")))
        self.folder.chmod(0o777)
        self.here, there = stack.enter_context(joined("rw"))
        self.here.run("ip", "link", "set", "lo", "up")
        for address in PEERS.values():
            self.here.run("ip", "addr", "add", f"{address}/24", "dev", "eth")
        self.hook: Server = self.here.call(lambda: stack.enter_context(serving(lambda _: (200, {}, ""))))
        (self.folder / "secret").write_text("xyzzy\n")
        self.internet = stack.enter_context(Internet(self.here).running())
        self.watch = self.start_watch()
        self.controller = self.start_controller()
        start_router(there, self.folder, stack)
        self.until(lambda: self.internet.established)
        self.internet.say(USUAL)
        self.until(self.serves)
        self.until(lambda: self.hears(*PEERS, UPSTREAM))
        made = self.here.run(*COMMAND, "controller", "token", NAME, "--role", "watch", "--run-dir", f"{self.data}/run")
        (self.folder / "watch.token").write_text(made)

    # -- processes ----------------------------------------------------------------------------------------------------

    def start_watch(self) -> Watch:
        """Start it, also anew. It tells once its token is there."""
        notify = NOTIFY.format(url=self.hook.url, secret=self.folder / "secret")
        tell = ("--deliver-to", f"{API}/api/v1/findings/events", "--token-file", f"{self.folder}/watch.token")
        return Watch(
            self.here, self.folder, self.stack, "--bgp", "10.99.0.1:179", *tell, "--name", NAME, more=SESSIONS + notify
        )

    def start_controller(self) -> "subprocess.Popen[bytes]":
        words = ("up", f"{self.folder}/fleet", "--dir", f"{self.data}", "--listen", "127.0.0.1:9479")
        process = self.here.spawn(*COMMAND, *words, "--api", API.removeprefix("http://"), log=self.folder / "up.log")
        self.stack.callback(end, process)
        return process

    # -- what they say ------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def serves(self) -> bool:
        assert self.controller.poll() is None, self.said()
        with suppress(httpx2.HTTPError):
            return (
                self.here.call(lambda: httpx2.get(f"{API}/readyz", timeout=5)).status_code == 200
                and (self.data / "admin.token").exists()
            )
        return False

    def hears(self, *asns: int) -> bool:
        """Tell whether the watch shows a route by each AS."""
        with suppress(WorldError):
            told = json.dumps(ask(self.folder / "run/watch.sock", {"command": "show", "prefix": DNS}, of="the watch"))
            return all(str(asn) in told for asn in asns)
        return False

    def ask(self, path: str) -> Any:
        admin = {"Authorization": f"Bearer {(self.data / 'admin.token').read_text().strip()}"}
        answer = self.here.call(lambda: httpx2.get(f"{API}/api/v1/{path}", headers=admin, timeout=30))
        assert answer.is_success, answer.text
        return answer.json()

    def findings(self) -> list[dict[str, Any]]:
        """Give the hijacks that the controller knows; the ASNs of the lab, all private, are findings too."""
        return [each for each in self.ask("findings")["items"] if each["kind"] == "origin_change"]

    def stand(self, prefix: str) -> list[bool]:
        """Give for each finding that the controller has about a prefix whether it is open."""
        return [each["cleared"] is None for each in self.findings() if prefix in each["prefixes"]]

    def incidents(self, prefix: str) -> list[str]:
        """Give the state of each incident of a hijack of a prefix."""
        items = self.ask("incidents")["items"]
        return [each["status"] for each in items if each["kind"] == "hijack" and prefix in each["prefixes"]]

    def pages(self) -> Counter[tuple[str, ...]]:
        """Give for how many pages, by their keys, somebody was woken for which prefixes.

        A controller that is killed before it notes that a page was taken sends it again, under its key.
        """
        told = [each.body for each in list(self.hook.got)]
        pages = {(each["key"], tuple(each["prefixes"])) for each in told if each["notice"] == "page"}
        return Counter(prefixes for _, prefixes in pages if prefixes)

    def logged(self) -> list[int]:
        """Give the rows of the watch's log that are to be told."""
        kinds = ("finding_opened", "finding_updated", "finding_cleared")
        return sorted(each.sequence for kind in kinds for each in self.watch.events(kind))

    def told(self) -> bool:
        """Tell whether the controller has all rows that are to be told."""
        (watch,) = self.ask("findings")["watches"]
        assert watch["name"] == NAME
        return bool(watch["sequence"] >= max(self.logged()))

    def until(self, condition: Callable[[], object], seconds: float = WAIT_S) -> None:
        until(condition, self.said, seconds)

    def said(self) -> str:
        logs = [path for path in sorted(self.folder.glob("*.log")) if path.name != "bird.log"]
        told = json.dumps([each.body for each in self.hook.got])
        return "\n".join([*(f"{path.name}:\n{path.read_text()[-4000:]}" for path in logs), told])


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(WAIT_S)


@pytest.fixture
def place() -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(stack)


@pytest.mark.mission("C6", "C15")
def test_a_hijack_opens_an_incident_and_what_a_dead_controller_missed_is_told_once(place: Place) -> None:
    place.internet.say(HIJACKED, networks=1)
    place.until(lambda: place.stand(DNS) == [True])
    (found,) = place.findings()
    assert (found["watch"], found["kind"], found["subject"]) == (NAME, "origin_change", f"AS{ATTACKER}")
    place.until(lambda: place.incidents(DNS) == ["open"])
    place.until(lambda: place.pages() == {(DNS,): 1})

    kill(place.controller)
    place.internet.say(ANOTHER, networks=1)
    place.until(lambda: ("origin_change", WEB) in place.watch.findings("finding_opened"))
    place.until(lambda: ("origin_change", DNS) in place.watch.findings("finding_cleared"), CLEARED_S)
    place.controller = place.start_controller()
    place.until(place.serves)
    place.until(place.told)
    place.until(lambda: place.incidents(DNS) == ["cleared"] and place.incidents(WEB) == ["open"])
    place.until(lambda: (WEB,) in place.pages())
    assert (place.stand(DNS), place.stand(WEB)) == ([False], [True])
    assert place.pages() == {(DNS,): 1, (WEB,): 1}


@pytest.mark.mission("C6", "C15")
def test_what_a_killed_watch_had_found_is_told_once_by_the_next_one(place: Place) -> None:
    place.internet.say(HIJACKED, networks=1)
    place.until(lambda: place.incidents(DNS) == ["open"])
    before = [each["finding"] for each in place.findings()]
    kill(place.controller)
    place.internet.say({**HIJACKED, WEB: (UPSTREAM, OTHER)}, networks=1)
    place.until(lambda: ("origin_change", WEB) in place.watch.findings("finding_opened"))
    kill(place.watch.process)
    place.watch = place.start_watch()
    place.controller = place.start_controller()
    place.until(place.serves)
    place.until(lambda: place.hears(*PEERS, ATTACKER))
    place.until(lambda: place.stand(WEB) == [True])
    place.until(place.told)
    place.until(lambda: place.incidents(WEB) == ["open"] and place.incidents(DNS) == ["open"])
    place.until(lambda: (WEB,) in place.pages())
    assert [each["finding"] for each in place.findings() if DNS in each["prefixes"]] == before
    assert (place.stand(DNS), place.stand(WEB)) == ([True], [True])
    assert place.pages() == {(DNS,): 1, (WEB,): 1}
