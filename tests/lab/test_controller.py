"""A controller with real agents, BIRD and clients: rollouts as operators see them, and what clients lose."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.config.write import write_fleet
from anycastle.lab.client import Tally
from anycastle.lab.controlled import ControlledAgents
from anycastle.lab.ledger import default_run_dir
from anycastle.lab.namespaces import NamespacesLab, missing
from anycastle.lab.netns import run
from anycastle.lab.observation import read_observation
from anycastle.lab.topology import Timers
from anycastle.lab.topology_file import find_topology
from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.notify import NotifyPlan
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Dampening, Lease, Policy
from tests.lab.agent_rigs import until
from tests.lab.postgresql import binaries, postgresql

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(missing()), reason=f"the namespaces lab needs {', '.join(missing())}: `sudo make lab`"),
]

CONTROLLER = "ctl"
SESSION_S = 2.0
"""A session that BIRD enables is up within its connect delay of a second, and then its routes reach the kernel."""
OPERATOR = "ann"


class ControlledLab:
    """A lab whose agents are led, and what an operator does with it."""

    def __init__(
        self,
        controllers: tuple[str, ...] = (CONTROLLER,),
        store: str | None = None,
        vrps: Path | None = None,
        notify: NotifyPlan | None = None,
        **changes: Any,
    ) -> None:
        topology = find_topology("three-pops")
        services = tuple(
            replace(service, lease=Lease(duration_s=2.0), dampening=Dampening(penalty=1.0), **changes)
            for service in topology.services
        )
        topology = replace(topology, services=services, timers=Timers(hold_time_s=240, bfd_ms=200))
        self.equipment = ControlledAgents(controllers, store, vrps, notify)
        self.lab = NamespacesLab(topology, default_run_dir(f"test-ctl-{os.getpid()}"), self.equipment)
        self.service = topology.services[0]
        self.leader = controllers[0]
        self._folders = 0

    def begin(self) -> None:
        """Build it, and adopt the fleet as it is announced."""
        self.lab.build()
        self.lab.wait_steady()
        until(self._find_leader, "a controller leads")
        self.ask("adopt", folder=str(self.lab.fleet_dir), reason="begin")
        until(self.all_assigned, "all agents live by what they are assigned")

    def _find_leader(self) -> bool:
        for controller in self.equipment.controllers:
            self.leader = controller
            if _answers(self):
                return True
        return False

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        owner = {} if command in ("status", "report") else {"owner": OPERATOR}
        return self.equipment.ask(self.lab, self.leader, {"command": command, **owner, **fields})

    def agents(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("status")["agents"] or {}
        return found

    def told(self, pop: str) -> dict[str, Any]:
        """Give what a PoP's agent told the controller last."""
        return self.ask("report", pop=pop)

    def permits(self) -> list[str]:
        """Give the permit of each PoP, as its agent says."""
        return [self.lab.agent(pop, {"command": "status"})["services"][0]["permit"] for pop in self.service.pops]

    def reason(self, pop: str) -> str:
        """Give why a PoP's agent does with the service what it does."""
        return str(self.lab.agent(pop, {"command": "status"})["services"][0]["reason"])

    def all_assigned(self) -> bool:
        agents = self.agents()
        return len(agents) == 3 and all(seen["assignment"] and not seen["unsettled"] for seen in agents.values())

    def rollout(self, number: int = 1) -> dict[str, Any]:
        rollouts: list[dict[str, Any]] = self.ask("status")["rollouts"]
        return next(each for each in rollouts if each["number"] == number)

    def folder(self, fleet: Fleet) -> str:
        """Write a fleet folder; give its path."""
        self._folders += 1
        path: Path = self.lab.run_dir / f"folder-{self._folders}"
        write_fleet(fleet, path)
        return str(path)

    def apply(self, fleet: Fleet, **settings: Any) -> int:
        usual = {"reason": "less load", "bake_s": 1.0, "patience_s": 60.0, "gates": ["healthy_checks_share >= 100%"]}
        number: int = self.ask("apply", folder=self.folder(fleet), **usual | settings)["number"]
        return number

    def prepended(self, times: int) -> Fleet:
        """Give the fleet with a longer path everywhere."""
        fleet = self.lab.fleet
        service = fleet.services[0]
        policies = {
            key: replace(policy, attributes=replace(policy.attributes, prepend=policy.attributes.prepend + times))
            for key, policy in service.policies.items()
        }
        return replace(fleet, services=(replace(service, policies=policies),))

    def prepends(self) -> dict[str, set[int]]:
        """Give, of each PoP, the prepends that its agent reads back from BIRD."""
        return {
            pop: {route.get("prepend", 0) for route in self.lab.agent(pop, {"command": "status"})["exported"]}
            for pop in self.service.pops
        }

    def ended(self, number: int = 1) -> dict[str, Any]:
        """Wait until a rollout has ended."""
        return until(lambda: self._if_ended(number), f"rollout {number} ends", wait_s=90)

    def _if_ended(self, number: int) -> dict[str, Any] | None:
        found = self.rollout(number)
        return found if found["state"] in ("finished", "rolled back", "aborted") else None

    def timeline(self) -> list[str]:
        return [f"{each['state']} {each['step']}/{len(each['steps'])}" for each in self.ask("status")["rollouts"]]

    # -- clients ----------------------------------------------------------------------------------------------------

    def clients_ask(self) -> dict[str, Path]:
        return {client.name: self.lab.start_probe(client.name, self.service, 50.0, 1) for client in self.lab.clients}

    def lost(self, files: dict[str, Path]) -> tuple[int, int]:
        """End the clients; give how many queries they sent, and how many had no answer."""
        return self.tallied(files)[:2]

    def tallied(self, files: dict[str, Path]) -> tuple[int, int, dict[str, Tally]]:
        """See `lost`; and each client's queries."""
        keys = [f"probe-{client}-{self.service.name}" for client in files]
        for key in keys:
            self.lab.signal(key, signal.SIGTERM)
        for key in keys:
            self.lab.wait(key)
        tallies = {client: read_observation(client, path).tally for client, path in files.items()}
        sent, lost = (sum(map(count, tallies.values())) for count in (lambda each: len(each.queries), Tally.lost))
        return sent, lost, tallies


@pytest.fixture
def led() -> Iterator[ControlledLab]:
    made = ControlledLab()
    try:
        made.begin()
        yield made
    finally:
        made.lab.down()


@pytest.mark.mission("C3", "C4", "F7")
def test_a_change_goes_canary_then_pop_then_all_and_clients_lose_nothing(led: ControlledLab) -> None:
    usual = led.prepends()
    clients = led.clients_ask()
    number = led.apply(led.prepended(1))
    seen = set()

    def watched() -> bool:
        found = led.rollout(number)
        seen.add((found["state"], found["step"]))
        return bool(found["state"] == "finished")

    until(watched, "it finishes", wait_s=60)
    assert {step for state, step in seen if state == "baking"} == {1, 2, 3}
    sent, lost = led.lost(clients)
    assert sent > 100
    assert lost == 0
    assert led.prepends() == {pop: {times + 1 for times in before} for pop, before in usual.items()}
    assert led.ask("status")["desired"] == {
        "revision": led.rollout(number)["revision"],
        "exceptions": 0,
        "mitigations": [],
    }


@pytest.mark.mission("C4", "F7")
def test_a_fault_at_the_second_step_takes_it_back_by_itself(led: ControlledLab) -> None:
    usual = led.prepends()
    clients = led.clients_ask()
    number = led.apply(led.prepended(1), bake_s=5.0, gates=["announced_share >= 100%"])
    second = led.rollout(number)["steps"][1]["pops"][0]
    until(lambda: led.rollout(number)["step"] == 2, "the second step", wait_s=60)
    led.lab.kill(f"nsd-{second}")
    found = led.ended(number)
    assert (found["state"], found["step"]) == ("rolled back", 0)
    assert f"{second}: announced_share is 0" in found["why"]
    led.lab.start_service(second)
    until(lambda: led.prepends() == usual, "all is as it was", wait_s=60)
    sent, lost = led.lost(clients)
    assert sent > 100
    assert lost < sent / 10, "no more than what was asked of the dead server until its PoP withdrew"


@pytest.mark.mission("C4", "F7")
def test_a_session_that_is_lost_at_the_second_step_takes_it_back_and_the_rollout_costs_no_query(
    led: ControlledLab,
) -> None:
    usual = led.prepends()
    clients = led.clients_ask()
    number = led.apply(led.prepended(1), bake_s=5.0, gates=["sessions_up_share >= 100%"])
    second = led.rollout(number)["steps"][1]["pops"][0]
    until(lambda: led.rollout(number)["step"] == 2, "the second step", wait_s=60)
    lines = led.lab.bird(second, "show protocols").splitlines()
    protocol = next(line.split()[0] for line in lines if " BGP " in line)
    cut = _told(led, second, f"disable {protocol}")
    found = led.ended(number)
    assert (found["state"], found["step"]) == ("rolled back", 0)
    assert f"{second}: sessions_up_share is " in found["why"]
    mended = _told(led, second, f"enable {protocol}")
    until(lambda: led.prepends() == usual, "all is as it was", wait_s=60)
    sent, lost, tallies = led.tallied(clients)
    assert sent > 100
    # The cut is the test's own: BIRD tells its neighbour of our routes before it has heard of the ways back.
    unanswered = [query for tally in tallies.values() for query in tally.queries if query.answered_at is None]
    by_the_cut = [each for each in unanswered if any(0.0 <= each.sent_at - at < SESSION_S for at in (cut, mended))]
    assert lost == len(unanswered) == len(by_the_cut)
    assert lost < sent / 50


def _told(led: ControlledLab, pop: str, order: str) -> float:
    """Tell a PoP's BIRD something; give when it was told, on the clients' clock."""
    began = time.monotonic()
    led.lab.bird(pop, order)
    return began


@pytest.mark.mission("C4", "C5")
def test_a_pop_that_is_drained_on_purpose_takes_no_rollout_back(led: ControlledLab) -> None:
    drained = led.service.pops[-1]
    led.ask("drain", pops=[drained], services=["dns"], reason="line cards", soak_s=0.0, wait_s=0.0)
    until(lambda: led.lab.announcing(led.service) == set(led.service.pops[:-1]), "it is drained")
    number = led.apply(led.prepended(1), gates=["announced_share >= 100%"])
    nothing = f"data: {drained}: announced_share was measured on nothing"
    until(lambda: led.rollout(number)["waits_for"] == nothing, "it is held: no data is not a pass", wait_s=60)
    assert led.rollout(number)["state"] == "baking"
    led.ask("undrain", pops=[drained], services=["dns"], reason="done")
    assert led.ended(number)["state"] == "finished"


@pytest.mark.mission("C4", "C16")
def test_a_controller_killed_at_each_step_goes_on(led: ControlledLab) -> None:
    clients = led.clients_ask()
    number = led.apply(led.prepended(1))
    for step in (1, 2, 3):
        until(lambda step=step: led.rollout(number)["step"] >= step, f"step {step}", wait_s=60)
        led.lab.kill(f"controller-{CONTROLLER}")
        led.equipment.start_controller(led.lab, CONTROLLER)
        until(lambda: _answers(led), "the controller leads again", wait_s=60)
    assert led.ended(number)["state"] == "finished"
    assert led.lost(clients)[1] == 0
    until(led.all_assigned, "all agents live by what they are assigned")


def anycastle(*words: str) -> str:
    """Run a command to its end; give what it printed."""
    return run(sys.executable, "-c", "from anycastle.cli.main import main; main()", *words)


def _answers(led: ControlledLab) -> bool:
    try:
        return bool(led.ask("status")["leads"])
    except WorldError:
        return False


@pytest.mark.mission("C4", "F7", "C16")
def test_a_wrong_check_for_all_pops_stops_at_the_canary(led: ControlledLab) -> None:
    fleet = led.lab.fleet
    service = fleet.services[0]
    wrong = replace(service.checks[0], target=replace(service.checks[0].target, port=1))
    clients = led.clients_ask()
    broken = replace(fleet, services=(replace(service, checks=(wrong,)),))
    number = led.apply(broken, bake_s=4.0, gates=["announced_share >= 100%"])
    found = led.ended(number)
    assert found["state"] == "rolled back"
    assert led.lost(clients)[1] == 0
    until(led.all_assigned, "all agents live by what they are assigned")
    assert led.lab.announcing(led.service) == set(led.service.pops)


@pytest.mark.mission("C3", "F7")
def test_a_folder_with_half_its_pops_and_one_without_prefixes_are_refused(led: ControlledLab) -> None:
    fleet = led.lab.fleet
    service = fleet.services[0]
    kept = {key: policy for key, policy in service.policies.items() if key[0] == "pop1"}
    fewer = replace(fleet, pops=fleet.pops[:1], services=(replace(service, pops=("pop1",), policies=kept),))
    silent = {key: Policy(announce=False, attributes=RouteAttributes()) for key in service.policies}
    nothing = replace(fleet, services=(replace(service, policies=silent),))
    for broken in (fewer, nothing):
        with pytest.raises(WorldError, match=r"the plan is refused|cannot be kept"):
            led.apply(broken)
    assert led.ask("status")["rollouts"] == []
    assert led.lab.announcing(led.service) == set(led.service.pops)


@pytest.mark.skipif(binaries() is None, reason="needs the Debian package postgresql")
@pytest.mark.mission("C4", "P2")
def test_a_second_controller_takes_over_when_the_leader_is_killed() -> None:
    with postgresql() as server:
        led = ControlledLab(("ctl1", "ctl2"), server.database())
        try:
            led.begin()
            clients = led.clients_ask()
            number = led.apply(led.prepended(1), bake_s=2.0)
            until(lambda: led.rollout(number)["step"] == 2, "the second step", wait_s=60)
            led.lab.kill(f"controller-{led.leader}")
            killed_at = time.monotonic()
            led.leader = "ctl2" if led.leader == "ctl1" else "ctl1"
            until(lambda: _answers(led), "the other one leads", wait_s=60)
            took_over_s = time.monotonic() - killed_at
            assert led.ended(number)["state"] == "finished"
            assert led.lost(clients)[1] == 0
            until(led.all_assigned, "all agents live by what they are assigned")
            print(f"took over {took_over_s:.2f} s after the kill")
        finally:
            led.lab.down()


@pytest.mark.mission("C5", "S3")
def test_a_hijack_is_answered_by_the_approved_more_specific_until_it_is_ended(tmp_path: Path) -> None:
    """The client c2 takes the half of the prefix in which the service is; what is more specific wins everywhere."""
    half, other = map(parse_prefix, ("192.0.2.0/24", "192.0.3.0/24"))
    vrps = tmp_path / "vrps.json"
    vrps.write_text('{"roas": [{"asn": "AS64500", "prefix": "192.0.2.0/23", "maxLength": 24, "ta": "lab"}]}')
    led = ControlledLab(vrps=vrps, prefix=parse_prefix("192.0.2.0/23"))
    try:
        led.begin()
        run_dir = str(led.equipment.run_dir(led.lab, led.leader))
        words = ("192.0.2.0/24", "--reason", "AS65537 announces it", "--run-dir", run_dir)
        with pytest.raises(WorldError, match="its service lists none under `mitigations`"):
            anycastle("mitigate", "hijack", *words)
        service = replace(led.lab.fleet.services[0], mitigations=(half, other))
        approved = replace(led.lab.fleet, services=(service,))
        assert led.ended(led.apply(approved))["state"] == "finished"

        hijack(led.lab, "c2", "10.102.0.0/24", str(half))
        until(lambda: answered(led, "c1") == 0.0, "c1's queries go to the hijacker")
        assert "rollout 2 announces 192.0.2.0/24: 100%" in anycastle("mitigate", "hijack", *words)
        assert led.rollout(2)["state"] == "waiting"
        assert answered(led, "c1") == 0.0, "nobody agreed yet"
        anycastle("rollout", "approve", "2", "--owner", "bob", "--run-dir", run_dir)
        assert led.ended(2)["state"] == "finished"
        until(lambda: answered(led, "c1") == 1.0, "c1 is answered again")
        assert all(prefixes(led, pop) == {"192.0.2.0/23", "192.0.2.0/24"} for pop in led.service.pops)

        number = led.apply(replace(approved, services=(replace(service, dampening=Dampening(penalty=2.0)),)))
        assert led.ended(number)["state"] == "finished"
        assert led.ask("status")["desired"]["mitigations"] == ["192.0.2.0/24"], "it stays, whatever is rolled out"
        assert answered(led, "c1") == 1.0

        assert "ends 192.0.2.0/24" in anycastle("mitigate", "end", *words)
        assert led.ended(number + 1)["state"] == "finished"
        assert all(prefixes(led, pop) == {"192.0.2.0/23"} for pop in led.service.pops)
        until(lambda: answered(led, "c1") == 0.0, "the hijacker has it again")
    finally:
        led.lab.down()


def hijack(lab: NamespacesLab, client: str, own: str, prefix: str) -> None:
    """Have a client's router announce a prefix beside its own."""
    path = lab.wiring.folder(client) / "bird.conf"
    text = path.read_text()
    (line,) = (each for each in text.splitlines() if f"route {own}" in each)
    path.write_text(text.replace(line, f"{line}\n{line.replace(own, prefix)}"))
    assert "Reconfigured" in lab.bird(client, "configure")


def answered(led: ControlledLab, client: str) -> float:
    """Give the part of a client's queries of half a second that were answered."""
    file = led.lab.start_probe(client, led.service, 40.0, 1)
    time.sleep(0.5)  # of queries
    sent, lost = led.lost({client: file})
    return (sent - lost) / sent


def prefixes(led: ControlledLab, pop: str) -> set[str]:
    """Give what an agent reads back from BIRD."""
    return {route["prefix"] for route in led.lab.agent(pop, {"command": "status"})["exported"]}


@pytest.mark.mission("C3", "F8")
def test_a_plan_made_stale_by_a_routers_edit_is_not_applied(led: ControlledLab) -> None:
    folder = led.folder(led.prepended(1))
    saved = led.lab.run_dir / "plan.json"
    run_dir = str(led.equipment.run_dir(led.lab, led.leader))
    plan = ("plan", "--fleet", folder, "--controller", run_dir, "--out", str(saved))
    assert "5 to change" in anycastle(*plan)
    pop = led.service.pops[0]
    (protocol,) = (line.split()[0] for line in led.lab.bird(pop, "show protocols").splitlines() if " BGP " in line)
    led.lab.bird(pop, f"disable {protocol}")
    apply = ("apply", folder, "--plan", str(saved), "--reason", "less load", "--run-dir", run_dir)
    until(lambda: not led.told(pop)["exported"], "the controller knows of it")
    with pytest.raises(WorldError, match=f"{pop} announces something else"):
        anycastle(*apply)
    assert led.ask("status")["rollouts"] == []
    led.lab.bird(pop, f"enable {protocol}")
    until(lambda: led.told(pop)["exported"], "it announces again")
    assert "rollout 1" in anycastle(*apply), "what was planned is what there is again"


@pytest.mark.mission("C5", "F7", "P4")
def test_a_drain_is_ordered_through_the_controller_and_stops_at_the_floor(led: ControlledLab) -> None:
    run_dir = str(led.equipment.run_dir(led.lab, led.leader))
    told = ("--reason", "line cards", "--run-dir", run_dir)
    clients = led.clients_ask()
    anycastle("drain", "dns", "--pop", "pop1", "--soak", "0.5", "--wait", "0.5", *told)
    until(lambda: led.lab.announcing(led.service) == {"pop2", "pop3"}, "pop1 is drained")
    assert [each["answer"] for each in led.ask("status")["orders"]] == [""], "the command waited for the answer"
    with pytest.raises(WorldError, match="would be announced by no PoP alone"):
        anycastle("withdraw", "dns", "--pop", "pop2", "--pop", "pop3", *told)
    with pytest.raises(WorldError, match="there is no PoP pop9"):
        anycastle("drain", "dns", "--pop", "pop9", *told)
    anycastle("undrain", "dns", "--pop", "pop1", *told)
    until(lambda: led.lab.announcing(led.service) == set(led.service.pops), "pop1 is back")
    assert led.lost(clients)[1] == 0


@pytest.mark.mission("F7")
def test_what_fails_is_withdrawn_by_permits_of_the_controller_and_never_below_the_floor(led: ControlledLab) -> None:
    """The controller deals two permits of three; all checks fail at once; the third PoP keeps announcing."""
    until(lambda: led.permits().count("none") == 1, "all permits but the last are dealt")
    for pop in led.service.pops:
        led.lab.kill(f"nsd-{pop}")
    until(lambda: len(led.lab.announcing(led.service)) == 1, "two withdraw, one stays")
    (last,) = led.lab.announcing(led.service)
    until(lambda: "no withdraw permit" in led.reason(last), f"{last} says why it stays")
    assert led.lab.announcing(led.service) == {last}
    for pop in led.service.pops:
        led.lab.start_service(pop)
    until(lambda: led.lab.announcing(led.service) == set(led.service.pops), "all are back", wait_s=60)
