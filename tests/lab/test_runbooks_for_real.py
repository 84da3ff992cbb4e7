"""Each shipped runbook followed to its end while its trouble is really there: BIRD, agents, a controller, clients.

One lab for all. A test makes a fault, follows the runbook by its own commands and people's words, and looks as a client
whether the trouble is over: first by what the runbook does, then for good.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anycastle.io.runbooks import load
from anycastle.lab.namespaces import missing
from anycastle.model.fleet import Fleet
from anycastle.model.notify import Notifier, NotifyPlan, Route, Syslog
from anycastle.model.prefix import parse_prefix
from anycastle.response.runbook.document import Step, StepKind
from tests.lab.agent_rigs import until
from tests.lab.test_controller import ControlledLab, hijack, prefixes

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing()), reason=f"the namespaces lab needs {', '.join(missing())}: `sudo make lab`"),
]

PLAN = NotifyPlan(
    (Notifier("logs", Syslog("tcp://127.0.0.1:9601")),),
    (Route("page", ("logs",)), Route("ticket", ("logs",))),
    clear_after_s=5.0,
)
HALVES = tuple(map(parse_prefix, ("192.0.2.0/24", "192.0.3.0/24")))
VRPS = '{"roas": [{"asn": "AS64500", "prefix": "192.0.2.0/23", "maxLength": 24, "ta": "lab"}]}'
ADDRESS = "192.0.2.53"
LARGE_OCTETS = 200_000
WEB = f"""
import http.server
class Bodies(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        octets = 1000 if self.path == "/" else {LARGE_OCTETS}
        self.send_response(200)
        self.send_header("Content-Length", str(octets))
        self.end_headers()
        self.wfile.write(bytes(octets))
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("{ADDRESS}", 80), Bodies).serve_forever()
"""
FLOOD = f"""
import socket, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(20):
        out.sendto(bytes(40), ("{ADDRESS}", 53))
    time.sleep(0.01)
"""
Acts = Mapping[str, Callable[[], object]]


class Following:
    """The lab, and people who follow runbooks from where the client c1 is."""

    def __init__(self, led: ControlledLab, folder: Path) -> None:
        self.led = led
        self.folder = folder
        self.log = folder / "runs.db"
        self.fleet: Fleet = led.lab.fleet
        self.environment = {
            **os.environ,
            "ANYCASTLE_RUNBOOK_LOG": str(self.log),
            "ANYCASTLE_CONTROLLER_DIR": self.run_dir,
        }

    @property
    def run_dir(self) -> str:
        return str(self.led.equipment.run_dir(self.led.lab, self.led.leader))

    def typed(self, *words: str, wait_s: float = 300.0) -> tuple[int, str]:
        """Type a command at c1; give its exit code, and what it said."""
        command = (sys.executable, "-c", "from anycastle.cli.main import main; main()", *words)
        done = self.led.lab.namespace("c1").call(
            lambda: subprocess.run(
                command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=wait_s,
                check=False,
            )
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def run(self) -> dict[str, Any]:
        """Give the last run, as the log has it."""
        runs: list[dict[str, Any]] = json.loads(self.typed("runbook", "runs", "-o", "json")[1])
        return runs[-1]

    def follow(self, name: str, given: Mapping[str, str], acts: Acts, incident: int | None = None) -> dict[int, Any]:
        """Follow a runbook to its end; before a word is given, do what `acts` has under its step's title."""
        book = load(name, None)
        assert acts.keys() <= {step.title for step in book.steps}
        words = [word for each in given.items() for word in ("--set", "=".join(each))]
        told = [] if incident is None else ["--incident", str(incident)]
        code, said = self.typed("runbook", "run", name, *words, *told, "--owner", "ada")
        asked = 0
        while code == 3:
            run = self.run()
            step = _waiting(book.steps, run)
            assert step.kind is StepKind.APPROVAL, said
            acts.get(step.title, lambda: None)()
            who = "bob" if step.approver.value == "second person" else "ada"
            code, said = self.typed("runbook", "approve", run["run"], "--owner", who, "--reason", "seen")
            assert code == 0, said
            code, said = self.typed("runbook", "resume", run["run"], "--owner", "ada")
            asked += 1
        assert code == 0, said
        run = self.run()
        assert run["over"]
        steps = {each["step"]: each for each in run["steps"]}
        assert asked == sum(step.kind is StepKind.APPROVAL for step in book.steps)
        for step in book.steps:
            if step.kind in (StepKind.COMMAND, StepKind.WAIT_FOR):
                assert steps[step.number]["state"] == "done", steps[step.number]
            assert steps[step.number]["evidence"] or step.kind is StepKind.APPROVAL, step.title
        return steps

    # -- what clients see ---------------------------------------------------------------------------------------------

    def serves(self, client: str, pop: str) -> None:
        """Wait until a PoP answers a client, and nothing of it is lost."""
        until(lambda: self.led.lab.catchment(self.led.service)[client] == pop, f"{pop} serves {client}")
        until(lambda: answered(self.led, client) == 1.0, f"{client} is answered")

    def lost(self, client: str, at_most: float = 0.0) -> None:
        until(lambda: answered(self.led, client) <= at_most, f"{client} is not answered")

    def rules(self, node: str, *lines: str, hook: str = "prerouting") -> None:
        text = (
            f"table inet fault {{\nchain c {{\ntype filter hook {hook} priority -300;\n" + "\n".join(lines) + "\n}\n}\n"
        )
        self.led.lab.namespace(node).run("nft", "-f", "-", text=text)

    def without_rules(self, node: str) -> None:
        self.led.lab.namespace(node).run("nft", "delete", "table", "inet", "fault")

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def desired(self) -> str:
        return self.led.folder(self.fleet)


def answered(led: ControlledLab, client: str) -> float:
    """Give the part of a client's queries of a second that were answered."""
    file = led.lab.start_probe(client, led.service, 40.0, 1)
    until(lambda: file.exists() and file.stat().st_size > 0, "the client asks")
    time.sleep(1.0)  # of queries
    sent, lost = led.lost({client: file})
    return (sent - lost) / sent if sent else 0.0


def _waiting(steps: tuple[Step, ...], run: Mapping[str, Any]) -> Step:
    ended = {each["step"] for each in run["steps"] if each["state"] in ("done", "failed", "approved", "skipped")}
    return next(step for step in steps if step.number not in ended)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Following]:
    folder = tmp_path_factory.mktemp("runbooks")
    (folder / "vrps.json").write_text(VRPS)
    led = ControlledLab(vrps=folder / "vrps.json", notify=PLAN, prefix=parse_prefix("192.0.2.0/23"))
    try:
        led.begin()
        found = Following(led, folder)
        (service,) = led.lab.fleet.services
        found.fleet = replace(led.lab.fleet, services=(replace(service, mitigations=HALVES),))
        assert led.ended(led.apply(found.fleet))["state"] == "finished"
        for client, pop in (("c1", "pop1"), ("c2", "pop2")):
            found.serves(client, pop)
        yield found
    finally:
        led.lab.down()


@pytest.mark.mission("C15")
def test_pop_failure_with_a_name_server_that_died(here: Following) -> None:
    led = here.led
    led.lab.kill("nsd-pop1")
    until(lambda: led.ask("incidents")["incidents"], "an incident is opened", wait_s=60)
    (incident,) = led.ask("incidents")["incidents"]
    assert incident["pops"] == ["pop1"]

    def mended() -> None:
        here.serves("c1", "pop3")
        led.lab.start_service("pop1")

    given = {"pop": "pop1", "service": "dns", "fleet": here.desired(), "controller": here.run_dir}
    acts = {"Look for what is wrong while it is out": mended}
    here.follow("pop-failure", given, acts, incident["id"])
    here.serves("c1", "pop1")
    store = f"sqlite:///{led.lab.run_dir}/controller.db"
    words = ("--store", store, "--events", str(here.log), "--fleet", given["fleet"], "-o", "json")
    code, said = here.typed("incidents", "timeline", str(incident["id"]), *words)
    assert code == 0, said
    lines = json.loads(said)["timeline"]
    steps = [line["text"] for line in lines if line["lane"] == "runbook"]
    assert any("Drain it): done" in text for text in steps), steps


@pytest.mark.mission("C4", "C15")
def test_bad_rollout_that_takes_clients_from_their_pop(here: Following) -> None:
    led = here.led
    number = led.apply(_worse(here.fleet), bake_s=600.0)
    until(lambda: led.rollout(number)["state"] == "baking", "the first step is baked", wait_s=60)
    (moved,) = led.rollout(number)["steps"][0]["pops"]
    usual = {"pop1": "c1", "pop2": "c2", "pop3": "c3"}
    client = usual[moved]
    if moved != "pop3":
        here.serves(client, "pop3")
    steps = here.follow("bad-rollout", {"rollout": str(number)}, {})
    assert led.rollout(number)["state"] == "rolled back"
    assert "rolled back" in steps[6]["evidence"]
    here.serves(client, moved)


def _worse(fleet: Fleet) -> Fleet:
    (service,) = fleet.services
    policies = {
        key: replace(policy, attributes=replace(policy.attributes, prepend=policy.attributes.prepend + 4))
        for key, policy in service.policies.items()
    }
    return replace(fleet, services=(replace(service, policies=policies),))


@pytest.mark.mission("C5", "C15", "S3")
def test_hijack_by_another_client_of_a_part_of_the_prefix(here: Following) -> None:
    led = here.led
    hijack(led.lab, "c2", "10.102.0.0/24", str(HALVES[0]))
    here.lost("c1")

    def filtered() -> None:
        """The hijacker's upstream filters it."""
        here.serves("c1", "pop1")
        assert led.ask("status")["frozen"] is not None
        unhijack(here)

    with _second_person(here):
        given = {"prefix": str(HALVES[0]), "asn": "AS65537", "vrps": str(here.folder / "vrps.json")}
        here.follow("hijack", given, {"Tell upstreams and peers": filtered})
    assert led.ask("status")["frozen"] is None
    assert all(prefixes(led, pop) == {"192.0.2.0/23"} for pop in led.service.pops)
    here.serves("c1", "pop1")


def unhijack(here: Following) -> None:
    path = here.led.lab.wiring.folder("c2") / "bird.conf"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if f"route {HALVES[0]}" not in line))
    assert "Reconfigured" in here.led.lab.bird("c2", "configure")


@contextmanager
def _second_person(here: Following) -> Iterator[None]:
    """Have bob approve at the controller what waits for him, while ada follows the runbook."""
    process = subprocess.Popen((sys.executable, "-c", APPROVER, here.run_dir))
    try:
        yield
    finally:
        process.kill()
        process.wait()


APPROVER = """
import subprocess, sys, time
from pathlib import Path
from anycastle.io.local_socket import ask
socket = Path(sys.argv[1]) / "controller.sock"
while True:
    for each in ask(socket, {"command": "status"}, 60.0, of="the controller")["rollouts"]:
        if each["state"] == "waiting":
            words = ("rollout", "approve", str(each["number"]), "--owner", "bob", "--run-dir", sys.argv[1])
            subprocess.run((sys.executable, "-c", "from anycastle.cli.main import main; main()", *words), check=False)
    time.sleep(0.5)
"""


@pytest.mark.mission("C5", "C15")
def test_ddos_on_a_pop_that_takes_fifty_queries_a_second(here: Following) -> None:
    led = here.led
    here.rules("pop1", 'iifname != "lo" udp dport 53 limit rate over 50/second burst 5 packets drop')
    led.lab.spawn("flood", "c1", sys.executable, "-c", FLOOD)
    here.lost("c1", at_most=0.7)

    def over() -> None:
        here.serves("c1", "pop3")  # which has room, and takes the attack too
        led.lab.kill("flood")
        here.without_rules("pop1")

    given = {"fleet": here.desired(), "service": "dns", "attack": "20G", "load": "2G", "pop": "pop1"}
    here.follow("ddos", given, {"Confirm that the attack is over": over})
    assert led.ask("status")["frozen"] is None
    here.serves("c1", "pop1")


@pytest.mark.mission("C15", "S3")
def test_route_leak_of_a_peer_that_cannot_carry_it(here: Following) -> None:
    """pop2 is in maintenance; pop3's longer ways lose to what c3, its peer, hands on to t2; c3 drops what comes."""
    led = here.led
    longer = _at(here.fleet, "pop3", 2)
    assert led.ended(led.apply(longer))["state"] == "finished"
    led.ask("drain", pops=["pop2"], services=["dns"], reason="maintenance", soak_s=0.0, wait_s=0.0)
    until(lambda: led.lab.announcing(led.service) == {"pop1", "pop3"}, "pop2 is drained")
    here.serves("c2", "pop3")
    leaks = _leaking(here)
    here.rules("c3", f"ip daddr {ADDRESS} drop", hook="forward")
    here.lost("c2")

    def over() -> None:
        here.serves("c2", "pop1")
        _restore(here, leaks)
        here.without_rules("c3")

    graph = here.file("rel.txt", "64496|64500|-1\n64497|64500|-1\n64496|64497|0\n64496|65538|-1\n64497|65538|-1\n")
    given = {
        "prefix": "192.0.2.0/23", "leaker": "65538", "graph": graph, "fleet": here.desired(), "service": "dns",
        "pop": "pop3",
    }  # fmt: skip
    here.follow("route-leak", given, {"Confirm that the leak is over": over})
    assert led.ask("status")["frozen"] is None
    here.serves("c2", "pop3")
    led.ask("undrain", pops=["pop2"], services=["dns"], reason="done")
    here.serves("c2", "pop2")
    assert led.ended(led.apply(here.fleet))["state"] == "finished"


def _at(fleet: Fleet, pop: str, more: int) -> Fleet:
    """Give a fleet whose PoP prepends more to its transits."""
    (service,) = fleet.services
    policies = {
        key: replace(policy, attributes=replace(policy.attributes, prepend=policy.attributes.prepend + more))
        if key[0] == pop and key[1] in ("t1", "t2")
        else policy
        for key, policy in service.policies.items()
    }
    return replace(fleet, services=(replace(service, policies=policies),))


def _leaking(here: Following) -> dict[str, str]:
    """Have c3 hand on what its peer tells it, as a network without roles can (RFC 9234); give the files before."""
    lab = here.led.lab
    before = {}
    for node in ("t2", "c3"):
        path = lab.wiring.folder(node) / "bird.conf"
        text = before[node] = path.read_text()
        text = re.sub(r"local role \w+;", "", text)
        if node == "c3":
            # of all routes only what came straight from a PoP: a peer's route, handed on to a provider (RFC 7908 §3.4)
            text = re.sub(r"!\(\([^)]*\) ~ bgp_large_community\)", "!(bgp_path ~ [= 64500+ =])", text)
        path.write_text(text)
        assert "Reconfigur" in lab.bird(node, "configure")
    return before


def _restore(here: Following, before: Mapping[str, str]) -> None:
    for node, text in before.items():
        (here.led.lab.wiring.folder(node) / "bird.conf").write_text(text)
        assert "Reconfigur" in here.led.lab.bird(node, "configure")


@pytest.mark.mission("C15")
def test_partial_reachability_of_one_network_that_a_pop_drops(here: Following) -> None:
    led = here.led
    here.rules("pop1", "ip saddr 10.101.0.0/24 drop")
    here.lost("c1")
    assert answered(led, "c2") == 1.0, "others are served"
    _, lines = here.typed("probe", "run", "dns", ADDRESS, "--identity", "id.server", "-o", "ndjson")
    results = here.file("results.ndjson", "".join(f"{line}\n" for line in lines.splitlines() if line.startswith("{")))

    def over() -> None:
        here.serves("c1", "pop3")
        here.without_rules("pop1")

    given = {
        "fleet": here.desired(), "prefix": "192.0.2.0/23", "vrps": str(here.folder / "vrps.json"), "results": results,
        "service": "dns", "pop": "pop1",
    }  # fmt: skip
    here.follow("partial-reachability", given, {"Confirm that it is mended": over})
    here.serves("c1", "pop1")


@pytest.mark.mission("C15", "I3")
def test_mtu_of_a_way_that_swallows_large_packets(here: Following) -> None:
    led = here.led
    for pop in led.service.pops:
        led.lab.spawn(f"web-{pop}", pop, sys.executable, "-c", WEB)
    url = f"http://{ADDRESS}/large"
    until(lambda: here.typed("probe", "run", "http", url)[0] == 0, "a large answer comes")
    (near,) = re.findall(r"dev (\S+)", led.lab.namespace("t1").run("ip", "route", "get", "192.0.2.53"))
    (out,) = re.findall(r"dev (\S+)", led.lab.namespace("pop1").run("ip", "route", "get", "10.101.0.1"))
    led.lab.namespace("pop1").batch(f"link set {out} gso_max_segs 1")  # or the filter sees what segments are made of
    here.rules("t1", f'iifname "{near}" meta length > 1400 drop', hook="forward")

    def elsewhere() -> None:
        here.serves("c1", "pop3")
        assert here.typed("probe", "run", "large-body", url, "--timeout", "20")[0] == 0
        here.without_rules("t1")

    given = {"url": url, "endpoint": f"{ADDRESS}:80", "host": ADDRESS, "service": "dns", "pop": "pop1"}
    steps = here.follow("mtu", given, {"Confirm that the path is mended": elsewhere})
    assert steps[2]["state"] == "failed"
    assert "black_hole" in steps[2]["evidence"]
    here.serves("c1", "pop1")
    assert here.typed("probe", "run", "large-body", url, "--timeout", "20")[0] == 0
    for pop in led.service.pops:
        led.lab.kill(f"web-{pop}")
