"""The drill: a PoP dies, and one person is woken once; a PoP is drained, and nobody is."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.config.write import write_fleet
from anycastle.lab.evidence import write_evidence
from anycastle.lab.namespaces import missing
from anycastle.model.notify import Alertmanager, Notifier, NotifyPlan, Route, Syslog
from tests.lab import alertmanager_server
from tests.lab.agent_rigs import until
from tests.lab.test_controller import CONTROLLER, ControlledLab, anycastle

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing()), reason=f"the namespaces lab needs {', '.join(missing())}: `sudo make lab`"),
    pytest.mark.skipif(alertmanager_server.BIN is None, reason="needs the Debian package prometheus-alertmanager"),
]

PLAN = NotifyPlan(
    (Notifier("alerts", Alertmanager("http://127.0.0.1:9093")),),
    (Route("page", ("alerts",)), Route("ticket", ("alerts",))),
    clear_after_s=10.0,
)
PAGE_S = 15.0
"""Within what a page is promised; so much later there is none to come."""


@dataclass
class Page:
    """A notification that reached somebody."""

    at: float
    status: str
    severity: str
    incident: str
    text: str


class Drill:
    """A lab whose controller tells a real Alertmanager, which wakes somebody."""

    def __init__(self) -> None:
        self.led = ControlledLab(notify=PLAN)

    def begin(self) -> None:
        self.led.begin()
        lab, folder = self.led.lab, self.led.lab.wiring.folder(CONTROLLER)
        lab.namespace(CONTROLLER).batch("link set lo up")
        self.pages_file = folder / "pages"
        lab.spawn("pager", CONTROLLER, sys.executable, "-c", alertmanager_server.PAGER, "9099", str(self.pages_file))
        (folder / "alertmanager.yml").write_text(alertmanager_server.config(9099))
        words = alertmanager_server.arguments(
            str(folder / "alertmanager.yml"), str(folder / "alertmanager"), "127.0.0.1:9093"
        )
        lab.spawn("alertmanager", CONTROLLER, *words)
        until(lambda: "Listening on" in (folder / "alertmanager.out").read_text(), "the Alertmanager listens")

    def pages(self) -> list[Page]:
        """Give what reached somebody; of a group, each alert."""
        if not self.pages_file.exists():
            return []
        found = []
        for line in self.pages_file.read_text().splitlines():
            at, _, body = line.partition(" ")
            for alert in json.loads(body)["alerts"]:
                labels = alert["labels"]
                text = alert["annotations"]["summary"]
                found.append(Page(float(at), alert["status"], labels["severity"], labels["incident"], text))
        return found

    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.led.ask("incidents")["incidents"]
        return found

    @property
    def run_dir(self) -> str:
        return str(self.led.equipment.run_dir(self.led.lab, CONTROLLER))


@pytest.fixture
def drill() -> Iterator[Drill]:
    made = Drill()
    try:
        made.begin()
        yield made
    finally:
        made.led.lab.down()


def power_cut(drill: Drill, pop: str) -> None:
    """Cut all of a PoP's wires at once: nobody says goodbye."""
    namespace = drill.led.lab.namespace(pop)
    links = json.loads(namespace.run("ip", "-j", "link", "show"))
    names = [each["ifname"] for each in links if each["ifname"] != "lo"]
    namespace.batch(*(f"link set {name} down" for name in names))


def all_killed(drill: Drill, pop: str) -> None:
    """Kill every process of a PoP: its agent, watchdog, router and name server."""
    for pid in drill.led.lab.namespace(pop).processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def power_back(drill: Drill, pop: str, routes: Sequence[str]) -> None:
    """Join the wires again; `routes` are those that went with them, by `ip route`."""
    namespace = drill.led.lab.namespace(pop)
    links = json.loads(namespace.run("ip", "-j", "link", "show"))
    namespace.batch(*(f"link set {each['ifname']} up" for each in links))
    namespace.batch(*(f"route replace {line}" for line in routes))


def static_routes(drill: Drill, pop: str) -> list[str]:
    lines = drill.led.lab.namespace(pop).run("ip", "route", "show").splitlines()
    return [line.strip() for line in lines if " via " in line and "proto bird" not in line]


@pytest.mark.mission("C15", "M4")
def test_the_postmortem_of_a_pop_that_died_tells_what_clients_lost_and_who_was_woken(
    drill: Drill, tmp_path: Path
) -> None:
    """From the death to the end of the incident, by the logs of all and by what the clients themselves lost."""
    led = drill.led
    dead = led.service.pops[0]
    routes = static_routes(drill, dead)
    clients = led.clients_ask()
    time.sleep(3.0)  # of queries that go well
    died_at = time.time()
    power_cut(drill, dead)
    (page,) = until(drill.pages, "somebody is woken", wait_s=60)
    anycastle("incidents", "ack", "1", "--owner", "ada", "--run-dir", drill.run_dir)
    anycastle(
        "incidents", "note", "1", "the line is cut: wires are joined", "--owner", "ada", "--run-dir", drill.run_dir
    )
    power_back(drill, dead, routes)
    until(lambda: led.lab.announcing(led.service) == set(led.service.pops), f"{dead} announces again", wait_s=90)
    until(lambda: [each["status"] for each in drill.incidents()] == ["cleared"], "the incident is over", wait_s=90)
    ahead_s = time.time() - time.monotonic()
    sent, lost, tallies = led.tallied(clients)
    write_evidence(tmp_path / "evidence", led.lab.topology, [], tallies, ahead_s)
    events = [str(led.lab.state_dir / pop / "events.db") for pop in led.service.pops]
    words = [word for path in events for word in ("--events", path)]
    words += ["--store", f"sqlite:///{led.lab.run_dir}/controller.db"]
    words += ["--probes", str(tmp_path / "evidence/results.ndjson"), "--fleet", str(led.lab.fleet_dir)]
    found = json.loads(anycastle("incidents", "list", *words, "-o", "json"))
    assert [(each["status"], each["pops"]) for each in found] == [("cleared", [dead])], found
    anycastle("postmortem", "1", *words, "-o", str(tmp_path / "postmortem.md"))
    text = (tmp_path / "postmortem.md").read_text()
    print(f"{page.at - died_at:.2f} s from the death to the page; {lost} of {sent} queries lost\n{text}")
    assert f"{dead} is gone" in text.splitlines()[0]
    assert text.count("| somebody paged | 20") == 1
    assert "Acknowledged by ada." in text
    assert f"| {sent} | {lost} (" in text, "what clients lost is what they counted themselves"


@pytest.mark.parametrize("death", [power_cut, all_killed])
@pytest.mark.mission("C15", "M4")
def test_a_dead_pop_is_one_incident_and_one_page_and_a_drain_is_none(
    drill: Drill, death: Callable[[Drill, str], None]
) -> None:
    led = drill.led
    dead, drained, _ = led.service.pops
    led.ask("drain", pops=[drained], services=["dns"], reason="line cards", soak_s=0.0, wait_s=0.0)
    until(lambda: led.lab.announcing(led.service) == set(led.service.pops) - {drained}, "it is drained")
    time.sleep(PAGE_S)  # what would page has paged
    assert drill.incidents() == []
    assert drill.pages() == []

    died_at = time.time()
    death(drill, dead)
    (page,) = until(drill.pages, "somebody is woken", wait_s=60)
    delay_s = page.at - died_at
    assert (page.status, page.severity) == ("firing", "page")
    assert page.text == f"{dead} is gone: its agent has no session"
    time.sleep(PAGE_S)  # what else would page has paged
    assert drill.pages() == [page]
    (incident,) = drill.incidents()
    assert (incident["status"], incident["urgency"], incident["pops"]) == ("open", "page", [dead])
    kinds = [(each["kind"], each.get("change")) for each in events(drill)]
    assert kinds.count(("incident_changed", "opened")) == 1
    assert kinds.count(("notice_sent", None)) == 1
    print(f"{death.__name__}: the page came {delay_s:.2f} s after the death; 1 incident, 1 page; the drain: none")


def events(drill: Drill) -> list[dict[str, Any]]:
    store = f"sqlite:///{drill.led.lab.run_dir}/controller.db"
    told = anycastle("events", "--store", store, "-o", "ndjson")
    return [json.loads(line) for line in told.splitlines()]


@pytest.mark.mission("C15")
def test_a_controller_that_is_killed_goes_on_with_the_incident_and_pages_nobody_again(drill: Drill) -> None:
    led = drill.led
    dead = led.service.pops[0]
    power_cut(drill, dead)
    until(drill.pages, "somebody is woken", wait_s=60)
    anycastle("incidents", "ack", "1", "--owner", "ada", "--run-dir", drill.run_dir)
    led.lab.kill(f"controller-{CONTROLLER}")
    led.equipment.start_controller(led.lab, CONTROLLER)
    until(lambda: leads(drill), "it leads again", wait_s=60)
    time.sleep(2 * PAGE_S)  # those that come back have come back, and what would page has paged
    (incident,) = drill.incidents()
    assert (incident["status"], incident["acknowledged_by"], incident["pops"]) == ("acknowledged", "ada", [dead])
    assert len(drill.pages()) == 1

    folder = led.lab.wiring.folder(CONTROLLER)
    other = NotifyPlan((*PLAN.notifiers, Notifier("logs", Syslog("tcp://127.0.0.1:9601"))),
                       (*PLAN.routes, Route("page", ("logs",))))  # fmt: skip
    write_fleet(replace(led.lab.fleet, notify=other), folder / "fleet")
    led.lab.signal(f"controller-{CONTROLLER}", signal.SIGHUP)
    log = folder / f"controller-{CONTROLLER}.out"
    until(lambda: "notify read anew: alerts, logs" in log.read_text(), "it goes by what the folder says now")


def leads(drill: Drill) -> bool:
    with suppress(WorldError):
        return bool(drill.led.ask("status")["leads"])
    return False
