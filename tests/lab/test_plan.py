"""Plans from what real agents say of real routers: nothing is applied here but by the agents themselves."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anycastle.io.plan_file import read_plan
from anycastle.model.announcement import RouteAttributes
from anycastle.model.service import Policy
from anycastle.rollout.plan import stale
from tests.lab.agent_rigs import POP, POPS, PREFIXES, STEERED, UPSTREAM, BirdRig, EmbeddedRig, Rig, finished, until
from tests.lab.namespaces import needs_root, run

ANYCASTLE = str(Path(sys.executable).with_name("anycastle"))
LONGER = {(pop, UPSTREAM): Policy(attributes=RouteAttributes(prepend=1), steered=STEERED) for pop in POPS}


class Answer(NamedTuple):
    """What a command gave."""

    code: int
    value: dict[str, Any]


def ask(rig: Rig, command: str, *arguments: str) -> Answer:
    """Run `plan`, `diff` or `drift` against the agent's socket."""
    socket = f"{POP}={rig.run_dir / 'agent.sock'}"
    typed = (ANYCASTLE, command, "--fleet", str(rig.fleet_dir), "--socket", socket, "-o", "json", "--detailed-exitcode")
    done = subprocess.run((*typed, *arguments), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return Answer(done.returncode, json.loads(done.stdout))


def changes(answer: Answer) -> list[tuple[str, str, str]]:
    listed = answer.value["difference"]["changes"]
    return [(each["kind"], each["upstream"], each["prefix"]) for each in listed]


def codes(answer: Answer, severity: str) -> set[str]:
    return {each["code"] for each in answer.value["findings"] if each["severity"] == severity}


@pytest.fixture
def embedded() -> Iterator[EmbeddedRig]:
    with tempfile.TemporaryDirectory(prefix="anycastle-") as folder:
        made = EmbeddedRig(Path(folder), graceful=False)
        yield made
        finished(made)


@pytest.fixture
def bird() -> Iterator[BirdRig]:
    with tempfile.TemporaryDirectory(prefix="anycastle-") as folder:
        made = BirdRig(Path(folder), graceful=False)
        yield made
        finished(made)


@pytest.mark.mission("C3")
def test_a_change_of_the_files_is_planned_until_the_agent_has_carried_it_out(embedded: EmbeddedRig) -> None:
    rig = embedded
    rig.begin(rig.service())
    before = until(lambda: _settled(ask(rig, "plan")), "nothing is to be done")
    assert before.value["difference"]["unheard"] == ["fra", "lon"]

    written = rig.folder / "ams.json"
    written.write_text(rig.cli("status", "-o", "json"))
    assert ask(rig, "plan").value["basis"]["live"] == _from_file(rig, written)["basis"]["live"]

    rig.write(rig.service(policies=LONGER))
    saved = rig.folder / "plan.json"
    planned = ask(rig, "plan", "--out", str(saved))
    assert planned.code == 2
    assert changes(planned) == [("changed", UPSTREAM, PREFIXES["dns"])]
    assert codes(planned, "error") == set()

    rig.signal_agent(signal.SIGHUP)
    after = until(lambda: _settled(ask(rig, "plan")), "the agent has carried it out")
    assert after.value["basis"]["live"] != planned.value["basis"]["live"]
    ask(rig, "plan", "--out", str(rig.folder / "now.json"))
    moved = stale(read_plan(saved).basis, read_plan(rig.folder / "now.json").basis)
    assert f"{POP} announces something else" in moved


@pytest.mark.mission("C3", "C5")
def test_a_check_that_changes_is_planned_until_the_agent_has_it(embedded: EmbeddedRig) -> None:
    rig = embedded
    rig.begin(rig.service())
    until(lambda: _settled(ask(rig, "plan")), "nothing is to be done")
    rig.write(rig.service(fall=3))
    planned = ask(rig, "plan")
    assert planned.code == 2
    assert planned.value["difference"]["definitions"] == [{"service": "dns", "pop": POP, "parts": ["checks"]}]
    assert [step["definitions"] for step in planned.value["steps"]] == [[0]]
    rig.signal_agent(signal.SIGHUP)
    until(lambda: _settled(ask(rig, "plan")), "the agent has read them")


@pytest.mark.mission("C3", "C16")
def test_a_service_that_dies_is_explained_and_not_planned(embedded: EmbeddedRig) -> None:
    rig = embedded
    rig.begin(rig.service())
    until(lambda: _settled(ask(rig, "plan")), "nothing is to be done")
    rig.kill_service()
    rig.expect_announced()
    answer = until(lambda: _explained(ask(rig, "plan")), "health explains it")
    (told,) = answer.value["difference"]["explained"]
    assert told["why"] == "dns withdraw: hard checks fail"
    assert answer.code == 0
    assert ask(rig, "drift").code == 0


@pytest.mark.lab
@needs_root
@pytest.mark.skipif(shutil.which("bird", path="/usr/sbin:/usr/bin") is None, reason="needs the Debian package bird2")
@pytest.mark.mission("C3", "F8")
def test_a_humans_edit_on_bird_is_drift_and_no_plan_overwrites_it(bird: BirdRig) -> None:
    rig = bird
    rig.begin(rig.service())
    until(lambda: ask(rig, "drift").code == 0, "no drift")
    edited = rig.announcements.read_text().replace("_transit_prepend = 0", "_transit_prepend = 3")
    rig.announcements.write_text(edited)
    run("birdc", "-s", str(rig.socket), "configure")

    drifted = until(lambda: _differing(ask(rig, "drift")), "the edit is seen")
    (drift,) = drifted.value["drifts"]
    assert (drift["pop"], drift["upstream"], drift["prefix"]) == (POP, UPSTREAM, PREFIXES["dns"])
    assert (drift["told"]["prepend"], drift["exported"]["prepend"]) == (0, 3)

    elsewhere = ask(rig, "plan")
    assert elsewhere.code == 0
    assert "PLN007" in codes(elsewhere, "warning")
    rig.write(rig.service(policies=LONGER))
    refused = ask(rig, "plan")
    assert refused.code == 4
    assert "PLN007" in codes(refused, "error")
    assert rig.announcements.read_text() == edited


def _settled(answer: Answer) -> Answer | None:
    """Give it where nothing is to be done, nothing is explained away, and the router does as it was told."""
    difference = answer.value["difference"]
    return answer if answer.code == 0 and not (difference["explained"] or difference["drifts"]) else None


def _explained(answer: Answer) -> Answer | None:
    return answer if answer.value["difference"]["explained"] else None


def _differing(answer: Answer) -> Answer | None:
    return answer if answer.code == 2 else None


def _from_file(rig: Rig, path: Path) -> dict[str, Any]:
    text = run(ANYCASTLE, "plan", "--fleet", str(rig.fleet_dir), "--live", str(path), "-o", "json")
    found: dict[str, Any] = json.loads(text)
    return found
