"""The pages of a fleet of 1,000 PoPs with 50 services: the size of what they ask for, first render, and an update.

The API is the real one, on a real store; what agents say is made up here. The browser is the system's Chromium. First
render: from the beginning of the navigation until the first row of the table stands in the document. Update: from when
the event came out of the stream, in the browser, until the row shows it. Its peer is the API's own long form, which the
pages read before.
"""

import asyncio
import gzip
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import click
import httpx2
import msgspec

from anycastle.base.ports import Timestamp
from anycastle.daemons.api import ApiServer
from anycastle.daemons.api_place import ApiPlace
from anycastle.daemons.controller import ControllerDaemon
from anycastle.io.clock import now
from anycastle.io.store import open_store
from anycastle.io.store.people import SqlPeople, new_token
from anycastle.io.stored_folders import StoredFolders
from anycastle.io.watched import Watched
from anycastle.model.event import Event, StanceChanged
from anycastle.model.person import Grant, Role
from anycastle.web.limits import Rate
from anycastle.web.settings import WebSettings

RENDERS, UPDATES = 5, 6
VANTAGES = 1000
FAILS = "s07"


@dataclass(frozen=True)
class Looked:
    """A page: its address, its first row that means something, and what shows that a service fails at a PoP."""

    path: str
    first: str
    shows: tuple[str, str] | None
    """Element, and its words, with `{pop}` and `{words}`; None where no event changes the page."""


PAGES = {
    "on-call": Looked(
        "oncall", "[aria-label='PoPs and services'] tbody tr", ("[aria-label='PoPs and services'] tbody tr", "{words}")
    ),
    "fleet": Looked("fleet", "[aria-label='PoPs'] tbody tr", ("[aria-label='PoPs'] tbody tr", "{pop}")),
    "service": Looked(
        f"services/{FAILS}", "[aria-label='Where'] tbody tr", ("[aria-label='Where'] tbody tr", "{words}")
    ),
    "executive": Looked("executive", "#main .num .said", (f"#main tr[data-service='{FAILS}']", "999 of 1000")),
    "map": Looked("catchments", ".map .point", None),
}

_LOOK = """
(() => {
  const seen = window.__seen = { first: null, event: null, shown: null, wanted: null, row: "", words: "" };
  const look = () => {
    if (seen.first === null && document.querySelector("%FIRST%")) seen.first = performance.now();
    if (seen.event !== null && seen.shown === null) {
      const row = document.querySelector(seen.row);
      if (row && row.textContent.includes(seen.words)) seen.shown = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  const parse = JSON.parse;
  JSON.parse = (text, ...rest) => {
    if (seen.wanted && seen.event === null && typeof text === "string" && text.includes(seen.wanted)) {
      seen.event = performance.now();
    }
    return parse(text, ...rest);
  };
})();
"""


class MadeUpAgent:
    """An `AgentView` whose services announce, until one of them fails."""

    connected = True
    version = "0.1.0"
    assignment = None
    refused = None
    unsettled = None

    def __init__(self, services: list[str]) -> None:
        self.since = Timestamp(time.time())
        self._services = services
        self.fail(None)

    def fail(self, failing: tuple[str, str] | None) -> None:
        """Have a service fail, and the evidence for it; None: all is well."""
        self.failing = failing
        self.told = self._said()

    def report(self) -> dict[str, Any]:
        """Give it as an agent says it: the octets that a session holds are read anew, as the real one does."""
        read: dict[str, Any] = msgspec.json.decode(self.told)
        return read

    def _said(self) -> bytes:
        routes = [{"prefix": f"10.{n}.0.0/24", "upstream": up} for n in range(len(self._services)) for up in ("a", "b")]
        down = self.failing[0] if self.failing else None
        exported = routes if down is None else [
            each for each in routes if each["prefix"] != f"10.{self._services.index(down)}.0.0/24"
        ]  # fmt: skip
        sessions = [{"upstream": up, "neighbour": "192.0.2.1", "state": "established"} for up in ("a", "b")]
        services = [self._service(name, place) for place, name in enumerate(self._services)]
        said = {"services": services, "wanted": exported, "exported": exported, "sessions": sessions, "capacity": 1.0,
                "problems": []}  # fmt: skip
        return msgspec.json.encode(said)

    def _service(self, name: str, place: int) -> dict[str, Any]:
        fails = self.failing is not None and self.failing[0] == name
        evidence = self.failing[1] if fails and self.failing else "answered in 1.2 ms"
        check = {"name": "answers", "verdict": "unhealthy" if fails else "healthy", "evidence": evidence}
        return {
            "name": name, "stance": "withdraw" if fails else "announce", "permit": "held",
            "reason": "hard checks fail" if fails else "serving", "condition": "down" if fails else "up",
            "prefixes": [f"10.{place}.0.0/24"], "checks": [check], "suppressed": False, "drain": None,
        }  # fmt: skip


class Daemon(ControllerDaemon):
    """The controller, with agents that are made up."""

    made_up: Mapping[str, MadeUpAgent] = {}

    @property
    def agents(self) -> Any:  # type: ignore[override]
        """Give them."""
        return self.made_up


class _Nobody:
    """The link where nobody dials in."""

    def dismiss_all(self, elsewhere: object) -> None:
        """Nobody is there."""

    def assign(self, *_: object) -> bool:
        return False

    def command(self, *_: object) -> bool:
        return False

    def order(self, *_: object) -> None:
        """Nobody hears it."""


@dataclass
class Served:
    """What is measured."""

    url: str
    token: str
    agents: Mapping[str, MadeUpAgent]
    say: Any


def folder(pops: int, services: int) -> dict[str, str]:
    """Give the files of the fleet."""
    regions = [f"r{n}" for n in range(10)]
    files = {"fleet.yaml": f"name: wide\nasn: 64500\nregions: [{', '.join(regions)}]\n"}
    for n in range(pops):
        files[f"pops/p{n:04}.yaml"] = (
            f"name: p{n:04}\ncity: City {n}\nlocation: {{latitude: {n % 120 - 60}, longitude: {n % 340 - 170}}}\n"
            f"region: r{n % 10}\nrouter: {{driver: embedded, router_id: 10.200.{n // 250}.{n % 250 + 1}}}\nupstreams:\n"
            "  - {name: a, kind: transit, asn: 64496, bfd: false, neighbours: [{address: 192.0.2.1}]}\n"
        )
    for n in range(services):
        files[f"services/s{n:02}.yaml"] = (
            f"name: s{n:02}\nprefixes: [10.{n}.0.0/24]\naddresses: [10.{n}.0.1]\npops: all\nfloor: {{pops: 100}}\n"
            f"checks: [{{name: answers, tcp: {{address: 10.{n}.0.1, port: 53}}}}]\n"
        )
    return files


async def serve_wide(
    served: dict[str, Any], ready: threading.Event, where: Path, pops: int, services: int, logs: Sequence[Path] = ()
) -> None:
    """Serve the API of such a fleet until `over` is set; `it` is what can be asked. `logs`: of watches."""
    store = await open_store(f"sqlite:///{where}/store.db")
    daemon = Daemon(store, StoredFolders(store), "ctl.example.net:9479", lambda _: None)
    daemon.listener = _Nobody()  # type: ignore[assignment]
    names = [f"s{n:02}" for n in range(services)]
    daemon.made_up = {f"p{n:04}": MadeUpAgent(names) for n in range(pops)}
    settings = WebSettings(by_address=Rate(1e6, 1e6), by_person=Rate(1e6, 1e6))
    api = ApiServer(ApiPlace("127.0.0.1", 0), store, daemon, settings, watched=Watched(logs))
    await api.start()
    leading = asyncio.create_task(daemon.run())
    while daemon.term() is None:
        await asyncio.sleep(0.05)
    note, secret = new_token("bench", Grant(Role.ADMIN, None), "bench", "bench", 3600.0)
    await SqlPeople(store).add_token(note, secret, term=daemon.term())
    loop = asyncio.get_running_loop()

    def say(event: Event) -> None:
        term = daemon.term()
        assert term is not None
        asyncio.run_coroutine_threadsafe(store.commit(term, {}, [event]), loop).result(30)

    served["it"] = Served(f"http://127.0.0.1:{api.port}", secret, daemon.made_up, say)
    ready.set()
    await asyncio.get_running_loop().run_in_executor(None, served["over"].wait)
    await api.close()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    await store.close()


def adopt(it: Served, pops: int, services: int) -> None:
    """Have the fleet desired."""
    with httpx2.Client(base_url=it.url, timeout=300, headers={"Authorization": f"Bearer {it.token}"}) as http:
        asked: list[tuple[str, dict[str, Any]]] = [("/fleet/revisions", {"files": folder(pops, services)})]
        answer = http.post(f"/api/v1{asked[0][0]}", json=asked[0][1], headers={"Idempotency-Key": uuid4().hex})
        assert answer.is_success, answer.text[:500]
        body = {"revision": answer.json()["revision"], "reason": "bench"}
        answer = http.post("/api/v1/fleet/adoption", json=body, headers={"Idempotency-Key": uuid4().hex})
        assert answer.is_success, answer.text[:500]


def sizes(it: Served) -> tuple[int, int, int]:
    """Give octets of all standings: in full, in brief, and in brief compressed."""
    with httpx2.Client(base_url=it.url, timeout=300, headers={"Authorization": f"Bearer {it.token}"}) as http:

        def all_of(query: str) -> bytes:
            octets, cursor = b"", ""
            while True:
                answer = http.get(f"/api/v1/serving?{query}{cursor}")
                octets += answer.content
                if answer.json()["next"] is None:
                    return octets
                cursor = f"&cursor={answer.json()['next']}"

        full, brief = all_of("limit=200"), all_of("brief=true&limit=1000")
    return len(full), len(brief), len(gzip.compress(brief, 6))


def _until(page: Any, name: str) -> None:
    """Wait until the page has seen it; the policy of the pages allows no function that is made of a text."""
    while page.evaluate(f"window.__seen.{name}") is None:
        page.wait_for_timeout(20)


def renders(page: Any, looked: Looked) -> list[float]:
    """Give milliseconds of each first render."""
    found = []
    for _ in range(RENDERS):
        page.goto(f"/ui/{looked.path}")
        _until(page, "first")
        found.append(page.evaluate("window.__seen.first"))
    return found


def updates(page: Any, it: Served, looked: Looked) -> list[float]:
    """Give milliseconds of each update."""
    found: list[float] = []
    if looked.shows is None:
        return found
    page.wait_for_timeout(1_500)  # the page has read all it reads at its beginning
    for n in range(UPDATES):
        pop, words = f"p{(37 * n + 11) % len(it.agents):04}", f"refused {uuid4().hex[:8]}"
        row, shows = looked.shows[0], looked.shows[1].format(pop=pop, words=words)
        page.evaluate(
            "(told) => Object.assign(window.__seen, { ...told, event: null, shown: null })",
            {"wanted": words, "row": row, "words": shows},
        )
        it.agents[pop].fail((FAILS, words))
        it.say(Event(now().wall, pop, StanceChanged(FAILS, "withdraw", "hard checks fail", words)))
        _until(page, "shown")
        found.append(page.evaluate("window.__seen.shown - window.__seen.event"))
        it.agents[pop].fail(None)
        it.say(Event(now().wall, pop, StanceChanged(FAILS, "announce", "serving", "")))
        page.wait_for_timeout(600)
    return found


def deliver(it: Served) -> None:
    """Have vantage points tell whom they reach."""
    rows = [
        {"at": time.time() - 60, "vantage_point": f"v{n:04}", "asn": 65000 + n, "country": "NL", "target": "ns",
         "location": [n % 120 - 60, n % 340 - 170], "kind": "dns", "address": "10.0.0.1", "phases": {"answer": 12.5},
         "failure": None, "server": "ns1", "pop": f"p{n % len(it.agents):04}", "seen": {}}
        for n in range(VANTAGES)
    ]  # fmt: skip
    with httpx2.Client(base_url=it.url, timeout=300, headers={"Authorization": f"Bearer {it.token}"}) as http:
        body = b"\n".join(map(msgspec.json.encode, rows))
        kind = {"Content-Type": "application/x-ndjson"}
        assert http.post("/api/v1/probes/results", content=body, headers=kind).is_success


@click.command()
@click.option("--pops", default=1000, show_default=True)
@click.option("--services", default=50, show_default=True)
def main(pops: int, services: int) -> None:
    """Measure the pages of a wide fleet."""
    served: dict[str, Any] = {"over": threading.Event()}
    ready = threading.Event()
    with TemporaryDirectory(prefix="ui-scale-") as where:
        serving = threading.Thread(
            target=lambda: asyncio.run(serve_wide(served, ready, Path(where), pops, services)), daemon=True
        )
        serving.start()
        assert ready.wait(60)
        try:
            _measure(served["it"], pops, services)
        finally:
            served["over"].set()  # else the thread that waits for it keeps the process
            serving.join(30)


def _measure(it: Served, pops: int, services: int) -> None:
    from tests.ui.browser import browser, context, log_in

    adopt(it, pops, services)
    full, brief, packed = sizes(it)
    click.echo(f"{pops} PoPs, {services} services")
    told = f"{brief / 1e6:.3f} MB in brief ({packed / 1e3:.0f} kB packed)"
    click.echo(f"/serving: {full / 1e6:.2f} MB in full, {told}: {full / brief:.0f} times less")
    deliver(it)
    with browser() as launched:
        for name, looked in PAGES.items():
            window = context(launched, it.url)
            page = window.new_page()
            page.set_default_timeout(60_000)
            log_in(page, it.token)
            page.add_init_script(_LOOK.replace("%FIRST%", looked.first))
            click.echo(
                f"{name}: first render {_told(renders(page, looked))}; update {_told(updates(page, it, looked))}"
            )
            window.close()


def _told(values: list[float]) -> str:
    if not values:
        return "none: no event changes it"
    return f"p50 {statistics.median(values):.0f} ms, worst {max(values):.0f} ms of {len(values)}"


if __name__ == "__main__":
    main()
