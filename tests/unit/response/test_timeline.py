"""Incidents of what real engines recorded, their one timeline, and the figures that are made of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.report.html import html
from anycastle.io.report.markdown import markdown
from anycastle.io.report.postmortem import document_of, draw
from anycastle.model.check import Outcome
from anycastle.model.event import (
    KINDS,
    Event,
    FreezeChanged,
    RolloutChanged,
    RunbookStepped,
    SessionChanged,
    WithdrawalRefused,
)
from anycastle.response.event_facts import LINES
from anycastle.response.incident import Status
from anycastle.response.postmortem import postmortem_of, worst_s
from anycastle.response.story import story_of
from anycastle.response.timeline import OF_INCIDENTS, timeline_of
from tests.unit.response.symptoms.rig import START, agent, answer, case_of, fleet, home, vantage_points

DIES_AT = 60
BACK_AT = 180


def night(folder: Path, *, more: tuple[Event, ...] = (), with_probes: bool = True):  # type: ignore[no-untyped-def]
    """Let ams die two minutes long: its agent's own events, and probes of which Europe's are lost until it withdrew."""
    made = agent("ams")
    made.answers["dns"] = Outcome.FAIL
    made.run(BACK_AT - DIES_AT)
    made.answers["dns"] = Outcome.PASS
    made.run(60)
    withdrawn = next(at for at, body in made.recorded if getattr(body, "stance", "") == "withdraw" and at > START + 50)
    lost_until = withdrawn - START + 3.0
    probes = [
        answer(who, START + at, _pop(region, at, lost_until))
        for at in range(0, 240, 1)
        for region, who in vantage_points()
    ]
    return case_of(folder, events=[*made.events(), *more], probes=probes if with_probes else None)


def _pop(region: str, at: float, lost_until: float) -> str | None:
    if region != "europe" or not DIES_AT <= at < BACK_AT:
        return home(region)
    return None if at < lost_until else "iad"


def stepped(incident: str) -> Event:
    body = RunbookStepped("r1", "pop-failure", "0" * 16, incident, 4, "Drain it", "done", "ada", "", ())
    return Event(Timestamp(START + 100), "runbook", body)


@pytest.mark.mission("C15")
def test_one_timeline_joins_what_happened(tmp_path: Path) -> None:
    rollout = RolloutChanged(7, "applying", 1, 3, paused=False, who="eve", reason="new line cards")
    more = (Event(Timestamp(START + 50), "controller", rollout), stepped("1"), stepped("2"))
    case = night(tmp_path, more=more)
    story = story_of(case)
    incident = story.engine.incidents[1]
    assert (incident.pops, incident.status) == ({"ams"}, Status.CLEARED)
    assert len(story.engine.incidents) == 1  # the region's loss belongs to the PoP's death
    found = timeline_of(incident, case, story)
    assert [line.at for line in found.lines] == sorted(line.at for line in found.lines)
    lanes = {line.lane for line in found.lines}
    assert lanes >= {"check", "automation", "bgp", "probe", "alert", "notified", "change", "runbook", "cleared"}
    texts = [line.text for line in found.lines]
    assert "rollout 7 by eve: applying, step 1 of 3; new line cards" in texts
    assert sum(line.lane == "runbook" for line in found.lines) == 1  # of its own incident alone
    assert any("dns from europe: " in text and "get no answer" in text for text in texts)
    assert all(line.where.startswith(("agent.db:", "results.ndjson:")) for line in found.lines if line.where)


@pytest.mark.mission("C15")
def test_the_same_files_give_the_same_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = night(tmp_path / "a"), night(tmp_path / "b")
    assert list(story_of(first).engine.incidents) == list(story_of(second).engine.incidents)


@pytest.mark.mission("C15")
def test_the_figures_of_a_postmortem(tmp_path: Path) -> None:
    case = night(tmp_path)
    story = story_of(case)
    found = postmortem_of(story.engine.incidents[1], case, story, fleet())
    moments = found.moments
    assert moments.first_loss == START + DIES_AT
    assert moments.detection_s is not None
    assert 0 < moments.detection_s <= worst_s(fleet().services[0].checks[0])
    assert moments.acted is not None
    assert "withdrawn 192.0.2.0/24" in moments.act
    assert moments.paged is not None
    assert moments.page_s is not None
    assert 5.0 <= moments.page_s < 15.0
    hurt, *others = found.impact
    assert (hurt.region, hurt.networks_hurt) == ("europe", 5)
    assert all(each.lost == 0 for each in others)
    asked = [share for _, share in hurt.series if share is not None]
    assert (max(asked), min(asked)) == (1.0, 0.0)
    (patience,) = found.patience
    assert (patience.pop, patience.failures) == ("ams", 1)
    assert "it failed once and did not flap" in patience.judged
    assert any(text.startswith("confirmed ") and "within the" in text for text in patience.judged)
    assert any("withdraw" in fact.text for fact in found.automation)


def test_what_is_not_known_is_told_so(tmp_path: Path) -> None:
    case = replace(night(tmp_path, with_probes=False))
    story = story_of(case)
    found = postmortem_of(story.engine.incidents[1], case, story)
    assert found.moments.detection_s is None
    assert found.impact == ()
    assert found.gaps[0] == "probes' results"
    text = markdown(document_of(found, None))
    assert "**not known** to detect" in text
    assert "No probes were given: what clients lost is not known." in text
    assert "whether the check was right is not known" in text


def test_a_report_is_safe_whatever_stands_in_a_log(tmp_path: Path) -> None:
    evil = Event(
        Timestamp(START + 61), "controller", FreezeChanged(True, "<script>alert(1)</script>", "a | b `c` [d](e)")
    )
    case = night(tmp_path, more=(evil,))
    story = story_of(case)
    found = postmortem_of(story.engine.incidents[1], case, story, fleet())
    draw(found, tmp_path / "night.svg")
    page = html(document_of(found, tmp_path / "night.svg"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<svg") == 1
    assert "http://" not in page.split("<svg", 1)[0]  # it loads nothing
    text = markdown(document_of(found, tmp_path / "night.svg"))
    assert "\\<script\\>" in text
    assert "a \\| b \\`c\\` \\[d\\](e)" in text
    assert "![Share of probes" in text


def test_a_session_that_was_never_up_is_not_lost_and_a_refusal_ends(tmp_path: Path) -> None:
    events = [
        Event(Timestamp(START + at), "ams", body)
        for at, body in (
            (0, SessionChanged("transit", "203.0.113.1", "connecting", "")),
            (5, WithdrawalRefused("dns", "draining; no withdraw permit")),
            (400, SessionChanged("transit", "203.0.113.1", "established", "")),
        )
    ]
    engine = story_of(case_of(tmp_path, events=events)).engine
    assert not any("session" in each.title for each in engine.incidents.values())
    assert [each.urgency.value for each in engine.incidents.values()] == ["ticket"]  # no check fails: nobody is woken


def test_every_kind_of_event_has_its_line() -> None:
    assert {name for name, kind in KINDS.items() if kind not in LINES} <= OF_INCIDENTS
