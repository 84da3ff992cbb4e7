"""Symptoms in what the real watch finds on a small Internet."""

from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.event import AssignmentTaken, Event
from anycastle.model.watch import Region
from anycastle.response.follows import HIJACK
from anycastle.response.story import story_of
from anycastle.response.symptoms.symptom import State
from anycastle.watch.fact import OwnAction
from anycastle.watch.validation import Validity
from tests.unit.response.symptoms.rig import agent, answer, case_of, first, home, judged, vantage_points
from tests.unit.watch.detectors.test_origin_change import Fixed
from tests.unit.watch.detectors.test_rpki_change import changed
from tests.unit.watch.scene import START, UPSTREAMS, Scene


@pytest.mark.mission("O6", "F2")
def test_10_a_wide_hijack_stands_at_the_top(tmp_path: Path) -> None:
    scene = Scene(validation=Fixed(Validity.INVALID))
    scene.seed(30)
    scene.see(range(20), 666)
    scene.wait(900)
    case = case_of(tmp_path, watch=scene.events)
    told = judged(case)
    assert first(case) == "hijack"
    assert told["hijack"].state is State.LIKELY
    assert "at most 20 peers saw it" in told["hijack"].evidence[0]
    assert told["false-hijack"].state is State.NOT_SEEN
    assert {signal.name for _, signal in case.alerts} >= {HIJACK}


@pytest.mark.mission("O6")
def test_5_two_peers_of_one_collector_for_minutes_are_noise(tmp_path: Path) -> None:
    scene = Scene()
    scene.seed(30)
    scene.see([3, 4], 666)
    scene.wait(60)
    scene.see([3, 4], 3356, UPSTREAMS[0], 64500)
    scene.wait(300)
    told = judged(case_of(tmp_path, watch=scene.events))
    assert told["false-hijack"].state is State.LIKELY
    assert "2 peers of one collector saw it" in told["false-hijack"].evidence[0]
    assert told["hijack"].state is State.POSSIBLE  # and its own rule says why it may be none
    assert told["hijack"].against


@pytest.mark.mission("O6")
def test_5_an_origin_that_the_rpki_allows(tmp_path: Path) -> None:
    scene = Scene(validation=Fixed(Validity.VALID))
    scene.seed(30)
    scene.see(range(20), 666)
    scene.wait(900)
    told = judged(case_of(tmp_path, watch=scene.events))
    assert told["false-hijack"].state is State.LIKELY
    assert told["hijack"].state is State.NOT_SEEN


@pytest.mark.mission("O6", "F3")
@pytest.mark.parametrize(("pace_s", "state"), [(0.5, State.NOT_SEEN), (4.0, State.LIKELY)])
def test_16_convergence(tmp_path: Path, pace_s: float, state: State) -> None:
    scene = Scene()
    scene.seed(20, missing=range(20))
    scene.wait(100)
    scene.own(OwnAction.ANNOUNCE)
    for number in range(20):
        scene.wait(pace_s)
        scene.see([number], 3356, UPSTREAMS[0], 64500)
    scene.wait(120)
    told = judged(case_of(tmp_path, watch=scene.events))["slow-convergence"]
    assert told.state is state
    assert bool(told.evidence) == (state is State.LIKELY)


def test_16_without_a_change_of_ours_nothing_is_said(tmp_path: Path) -> None:
    told = judged(case_of(tmp_path, watch=[]))["slow-convergence"]
    assert told.state is State.NOT_ENOUGH
    assert told.missing == ("a change of ours that the watch measured",)


@pytest.mark.mission("O6")
def test_18_registries_that_are_behind_a_change(tmp_path: Path) -> None:
    scene = changed(Validity.VALID, Validity.INVALID)
    taken = Event(Timestamp(START - 60), "ams", AssignmentTaken("0" * 32, "controller", ("dns",)))
    told = judged(case_of(tmp_path, watch=scene.events, events=[taken]))["registries-old"]
    assert told.state is State.LIKELY
    assert "rpki_change of 192.0.2.0/24 opens" in told.evidence[0]
    (tmp_path / "agent.db").unlink()
    (tmp_path / "watch.db").unlink()
    alone = judged(case_of(tmp_path, watch=scene.events))["registries-old"]
    assert alone.state is State.POSSIBLE  # without any change of ours, it may be the registry's own
    assert alone.missing == ("event logs of agents or the controller",)


@pytest.mark.mission("O6", "F5")
def test_2_a_region_that_is_cut_off_and_a_filter_that_shows(tmp_path: Path) -> None:
    far = Region("asia", asns=tuple(ASN(1000 + number) for number in (0, 20, 40, 59)))
    scene = Scene(regions=(far,))
    scene.seed(60)
    scene.wait(60)
    scene.lose([0, 20, 40, 59])
    scene.wait(120)
    probes = [
        answer(who, START + at, None if region == "asia" and at >= 60 else home(region))
        for at in range(0, 180, 10)
        for region, who in vantage_points()
    ]
    case = case_of(tmp_path, watch=scene.events, probes=probes, events=agent("sin").events())
    told = judged(case)["region-cut-off"]
    assert told.state is State.LIKELY
    assert told.evidence[0].startswith("asia: ")
    assert any("partial_visibility" in each for each in told.evidence)
    assert first(case) == "region-cut-off"
    (incident, *_) = [each for each in story_of(case).engine.incidents.values() if "asia" in each.regions]
    assert incident.kind == "unreachable"


@pytest.mark.mission("O6", "F5")
def test_19_a_pop_that_announces_and_that_nobody_reaches(tmp_path: Path) -> None:
    scene = Scene()
    scene.seed(30)
    scene.wait(60)
    scene.lose(range(12))
    scene.wait(120)
    probes = [
        answer(who, START + at, "iad" if home(region) == "ams" else home(region))
        for at in range(0, 120, 10)
        for region, who in vantage_points()
    ]
    case = case_of(tmp_path, watch=scene.events, probes=probes, events=agent("ams").events())
    told = judged(case)
    assert told["announced-unheard"].state is State.LIKELY
    assert told["announced-unheard"].evidence[0].startswith("ams exports its routes, and no probe of ")
    assert told["asymmetry"].state is not State.NOT_SEEN  # Europe's networks land in America
