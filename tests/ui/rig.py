"""A fleet on the loopback that `anycastle up` leads, with agents and speakers of every PoP; and stories told with it.

All of it are real processes in a folder of the test. Nothing needs root. What a check looks at is a file of the PoP:
whoever empties it has the service fail there.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests.graph_file import write_graph_for
from tests.ports import free_port
from tests.ui.internet import Internet
from tests.ui.measured import Measured

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
ROOT = Path(__file__).parents[2]
GRAPH = "20250901.as-rel.txt"
WAIT_S = 240.0
LOOK_S = 0.1

T = TypeVar("T")

PLACES = {
    "ams": ("Amsterdam", "europe", 52.3, 4.9),
    "fra": ("Frankfurt", "europe", 50.1, 8.7),
    "iad": ("Ashburn", "americas", 39.0, -77.5),
    "sin": ("Singapore", "asia", 1.35, 103.8),
    "lhr": ("London", "europe", 51.5, -0.1),
    "gru": ("São Paulo", "americas", -23.4, -46.5),
    "nrt": ("Tokyo", "asia", 35.8, 140.4),
    "sjc": ("San Jose", "americas", 37.4, -121.9),
    "syd": ("Sydney", "oceania", -33.9, 151.2),
}
FAR = {"transit-a": 64496, "ix-b": 64497}

_POP = """\
name: {name}
city: {city}
location: {{latitude: {latitude}, longitude: {longitude}}}
region: {region}
capacity: 10G
router: {{driver: embedded, router_id: {address}, options: {{port: "{port}", listen: {address}}}}}
upstreams:
"""
_UPSTREAM = """\
  - name: {upstream}
    kind: peer
    asn: {asn}
    hold_time: 30s
    neighbours: [{{address: {neighbour}, local_address: {address}, port: {port}}}]
"""
_SERVICE = """\
name: {name}
prefixes: {prefixes}
addresses: [{address}]
manage_addresses: false
pops: all
floor: {{pops: {floor}}}
dampening: {{penalty: 1}}
checks:
  - name: answers
    exec: {{command: [/bin/sh, -c, 'read -r line < {name}.state; echo "$line"; [ "$line" = ok ]']}}
    interval: 1s
    timeout: 1s
    rise: 2
    fall: 2
announcement: {{prepend: {prepend}}}
objectives:
  - {{name: reach, indicator: routing_success, target: 99.9%, by_region: true}}
  - {{name: fast, indicator: edge_latency, threshold: 100ms, target: 95%, window: month}}
"""
_NONE = _SERVICE.partition("objectives:")[0].replace(
    "announcement: {{prepend: {prepend}}}", "announcement: {{announce: false}}"
)

_PUBLIC = """\
status:
  name: Example
  components:
    - {name: Name servers, service: dns, description: They answer for our customers' zones., detail: regions}
    - {name: Websites, service: web, detail: pops}
"""

SERVICES = {
    "dns": ("[192.0.2.0/24, 203.0.113.0/24]", "192.0.2.53"),
    "web": ("[198.51.100.0/24]", "198.51.100.80"),
}


def until(found: Callable[[], T], what: str, wait_s: float = WAIT_S) -> T:
    """Give what is found, once it is true."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        with suppress(AssertionError, httpx2.HTTPError):  # a controller that begins refuses, and is asked again
            value = found()
            if value:
                return value
        time.sleep(LOOK_S)
    raise AssertionError(f"it did not come to this within {wait_s:g} s: {what}")


@dataclass
class Rig:
    """Starts all of it, and ends it."""

    folder: Path
    pops: tuple[str, ...]
    floor: int = 1
    api: int = field(default_factory=free_port)
    link: int = field(default_factory=free_port)
    http: httpx2.Client | None = None
    internet: Internet | None = None
    """The networks that the fleet's watch hears."""
    measured: Measured | None = None
    """What clients got; None where no Prometheus is installed."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api}"

    def begin(self) -> None:
        """Start it, and wait until every PoP announces what it serves."""
        port = free_port()
        self.internet = Internet(self._net, free_port())
        self._write(port)
        write_graph_for(self.folder / "fleet", self.folder / GRAPH, wide=True)
        self._running["watch"] = self.internet.watch(self.folder)
        if shutil.which("prometheus") is not None:
            regions = {name: PLACES[name][1] for name in self.pops}
            self.measured = Measured(self.folder / "prometheus", tuple(SERVICES), regions)
            (self.folder / "indicators.yaml").write_text(self.measured.settings())
        self.start_controller()
        self.start_pops()
        self.internet.begin()
        self.http = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.admin}"}, timeout=30)
        until(self.all_serve, "every PoP announces, and says so")

    def end(self) -> None:
        """End all that was started here, by its number."""
        if self.http is not None:
            self.http.close()
        if self.internet is not None:
            self.internet.end()
        if self.measured is not None:
            self.measured.close()
        for process in self._running.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # -- processes --------------------------------------------------------------------------------------------------

    def start_controller(self) -> None:
        """Start `anycastle up`, also anew."""
        words = ("up", "fleet", "--listen", f"127.0.0.1:{self.link}", "--api", f"127.0.0.1:{self.api}",
                 "--findings", "watch-state/events.db", "--watch", "watch-run", "--graph", GRAPH,
                 *(() if self.measured is None else ("--indicators", "indicators.yaml")))  # fmt: skip
        self._start("controller", *COMMAND, *words)
        token = self.folder / "anycastle-data/admin.token"

        def serves() -> bool:
            if self._running["controller"].poll() is not None:  # on a machine that does much else it gave its start up
                self._start("controller", *COMMAND, *words)
            return token.exists() and self._answers()

        until(serves, "the API is served")
        self.admin = token.read_text().strip()

    def stop_controller(self) -> None:
        process = self._running.pop("controller")
        process.terminate()
        assert process.wait(30) == 0

    def start_pops(self) -> None:
        words = (sys.executable, "-m", "tests.ui.pops", str(self.folder), f"127.0.0.1:{self.link}", *FAR, *self.pops)
        self._start("pops", *words, cwd=ROOT)

    def hang_controller(self) -> None:
        """Have the controller say nothing more, with its connections open."""
        self._running["controller"].send_signal(signal.SIGSTOP)

    def wake_controller(self) -> None:
        self._running["controller"].send_signal(signal.SIGCONT)

    def end_agent(self, pop: str) -> None:
        os.kill(int((self.folder / pop / "agent.pid").read_text()), signal.SIGTERM)

    def _start(self, name: str, *words: str, cwd: Path | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(words, cwd=cwd or self.folder, stdout=log, stderr=log)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    # -- what an operator does ----------------------------------------------------------------------------------------

    def says(self, pop: str, service: str, line: str = "ok") -> None:
        """Have a service answer at a PoP, or say why not."""
        path = self.folder / pop / f"{service}.state"
        fresh = path.with_suffix(".new")
        fresh.write_text(line + "\n")
        fresh.rename(path)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> Any:
        """Give the answer of the API."""
        sent = {"Idempotency-Key": os.urandom(8).hex(), **headers}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        assert self.http is not None
        answer = self.http.request(method, f"/api/v1{path}", headers=sent, **({} if body is None else {"json": body}))
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def token(self, name: str, role: str, services: list[str] | None = None) -> str:
        body = {"name": name, "role": role, "services": services, "principal": name}
        return str(self.ask("POST", "/tokens", body)["token"])

    def roll_out(self, reason: str, policy: Mapping[str, Any], token: str | None = None, **changes: Any) -> int:
        """Roll the fleet out with other prepends: `dns=2`."""
        files = {str(path.relative_to(self.folder / "fleet")): path.read_text() for path in self._files()}
        for name, prepend in changes.items():
            files[f"services/{name}.yaml"] = self._service(name, prepend)
            (self.folder / f"fleet/services/{name}.yaml").write_text(files[f"services/{name}.yaml"])
        revision = self.ask("POST", "/fleet/revisions", {"files": files}, token)["revision"]
        body = {"revision": revision, "reason": reason, "policy": dict(policy)}
        return int(self.ask("POST", "/rollouts", body, token)["number"])

    def rollout_is(self, number: int, *states: str) -> bool:
        return self.ask("GET", f"/rollouts/{number}")["state"] in states

    def standing(self, pop: str, service: str) -> dict[str, Any]:
        """Give how a service stands at a PoP, as the API tells it."""
        items = self.ask("GET", f"/serving?pop={pop}")["items"]
        found: dict[str, Any] = (
            next((each for each in items[0]["services"] if each["name"] == service), {}) if items else {}
        )
        return found

    def all_serve(self) -> bool:
        items = self.ask("GET", "/serving?limit=200")["items"]
        return len(items) == len(self.pops) and all(
            len(each["services"]) == len(SERVICES)
            and each["sessions"] == each["sessions_up"] == len(FAR)
            and all(own["routes_exported"] > 0 for own in each["services"])
            for each in items
        )  # fmt: skip

    # -- files ------------------------------------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        return sorted((self.folder / "fleet").rglob("*.yaml"))

    def _service(self, name: str, prepend: int) -> str:
        prefixes, address = SERVICES[name]
        return _SERVICE.format(name=name, prefixes=prefixes, address=address, floor=self.floor, prepend=prepend)

    @property
    def _net(self) -> str:
        pid = os.getpid()
        return f"127.{100 + pid // 250 % 100}.{pid % 250}."

    def _write(self, port: int) -> None:
        addresses = {name: f"{self._net}{place}" for place, name in enumerate((*self.pops, *FAR), 1)}
        regions = sorted({PLACES[name][1] for name in self.pops})
        files = {"fleet/fleet.yaml": f"name: edge\nasn: 64500\nregions: {regions}\n".replace("'", "")}
        assert self.internet is not None
        files["fleet/fleet.yaml"] += self.internet.watch_yaml + _PUBLIC
        for name in SERVICES:
            files[f"fleet/services/{name}.yaml"] = self._service(name, 0)
        for name in self.pops:
            city, region, latitude, longitude = PLACES[name]
            place = {"city": city, "region": region, "latitude": latitude, "longitude": longitude}
            files[f"fleet/pops/{name}.yaml"] = self._pop(name, place, port, addresses, FAR)
            files.update({f"{name}/{service}.state": "ok\n" for service in SERVICES})
        for name, asn in FAR.items():
            place = {"city": "Elsewhere", "region": "far", "latitude": 0, "longitude": 0}
            files[f"far-{name}/fleet.yaml"] = f"name: {name}\nasn: {asn}\nregions: [far]\n"
            files[f"far-{name}/pops/{name}.yaml"] = self._pop(
                name, place, port, addresses, dict.fromkeys(self.pops, 64500)
            )
            files[f"far-{name}/services/none.yaml"] = _NONE.format(
                name="none", prefixes="[192.0.2.0/24]", address="192.0.2.1", floor="0, allow_no_floor: true"
            )
            files[f"{name}/none.state"] = "ok\n"
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def _pop(
        self, name: str, place: dict[str, Any], port: int, addresses: dict[str, str], upstreams: dict[str, int]
    ) -> str:
        made = _POP.format(name=name, port=port, address=addresses[name], **place)
        for upstream, asn in upstreams.items():
            made += _UPSTREAM.format(
                upstream=upstream, asn=asn, neighbour=addresses[upstream], address=addresses[name], port=port
            )
        return made
