"""Symptoms in what real agents record: checks that flap, maintenance without order, sessions that come and go."""

from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.check import Outcome
from anycastle.model.event import Event, SessionChanged
from anycastle.response.symptoms.symptom import State
from tests.unit.response.symptoms.rig import START, Agent, agent, answer, case_of, home, judged, vantage_points


def flapping(times: int) -> Agent:
    made = agent()
    for _ in range(times):
        made.answers["dns"] = Outcome.FAIL
        made.run(20)
        made.answers["dns"] = Outcome.PASS
        made.run(320)  # longer than dampening holds it
    return made


def steady_probes(until_s: float, every_s: float = 30.0, lost_at: str = "", between: tuple[float, float] = (0, 0)):  # type: ignore[no-untyped-def]
    return [
        answer(who, START + at, None if home(region) == lost_at and between[0] <= at < between[1] else home(region))
        for at in range(0, int(until_s), int(every_s))
        for region, who in vantage_points()
    ]


@pytest.mark.mission("O6", "F7")
def test_4_a_check_that_flaps_while_probes_are_answered(tmp_path: Path) -> None:
    made = flapping(4)
    told = judged(case_of(tmp_path, events=made.events(), probes=steady_probes(1400)))["flaky-checks"]
    assert told.state is State.LIKELY
    assert told.evidence[0].startswith("ams: dns of dns failed 4 times in ")
    assert any("withdraw" in each for each in told.evidence)


def test_4_a_service_that_really_dies_again_and_again_is_no_flaky_check(tmp_path: Path) -> None:
    probes = [answer(who, START + at, None) for at in range(0, 1400, 30) for _, who in vantage_points()]
    told = judged(case_of(tmp_path, events=flapping(4).events(), probes=probes))["flaky-checks"]
    assert told.state is State.POSSIBLE
    assert "probes outside had no answer either" in told.against[0]


def test_4_one_death_is_no_flapping_and_without_logs_nothing_is_said(tmp_path: Path) -> None:
    assert judged(case_of(tmp_path, events=flapping(1).events()))["flaky-checks"].state is State.NOT_SEEN
    told = judged(case_of(tmp_path / "..", probes=steady_probes(60)))["flaky-checks"]
    assert told.state is State.NOT_ENOUGH
    assert told.missing == ("event logs of agents or the controller",)


@pytest.mark.mission("O6")
def test_11_a_withdrawal_without_steering_and_losses_after_it(tmp_path: Path) -> None:
    made = agent()
    at = made.clock
    made.carry_out(made.engine.drain(["dns"], "ada", "line cards", made.now, soak_s=0.0, wait_s=1.0))
    made.run(60)
    assert made.exports == frozenset()
    probes = steady_probes(at + 120, 10, "ams", (at, at + 40))
    told = judged(case_of(tmp_path, events=made.events(), probes=probes))["blackhole-in-maintenance"]
    assert told.state is State.LIKELY
    assert "without steering before" in told.evidence[0] or "after 0 s of steering" in told.evidence[0]


@pytest.mark.mission("O6")
def test_11_a_drain_in_order_is_none(tmp_path: Path) -> None:
    made = agent()
    at = made.clock
    made.carry_out(made.engine.drain(["dns"], "ada", "line cards", made.now, soak_s=60.0, wait_s=5.0))
    made.run(120)
    told = judged(case_of(tmp_path, events=made.events(), probes=steady_probes(at + 120, 10)))
    assert told["blackhole-in-maintenance"].state is State.NOT_SEEN


@pytest.mark.mission("O6")
def test_12_a_session_that_is_lost_again_and_again(tmp_path: Path) -> None:
    """The states are those that a speaker goes through at each loss; only the beginning of the first is no loss."""
    course = ["connecting", "established"] * 4
    events = [
        Event(Timestamp(START + 60 * number), "ams", SessionChanged("transit", "203.0.113.1", state, "hold time"))
        for number, state in enumerate(course)
    ]
    told = judged(case_of(tmp_path, events=events))["session-churn"]
    assert told.state is State.LIKELY
    assert told.evidence[0].startswith("ams: transit 203.0.113.1 was lost 3 times in 240 s")
    (tmp_path / "agent.db").unlink()
    assert judged(case_of(tmp_path, events=events[:4]))["session-churn"].state is State.NOT_SEEN
