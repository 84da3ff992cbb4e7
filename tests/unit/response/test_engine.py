"""Who is told: once of a death, of a drain never, of a hijack always."""

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.response import engine as engine_module
from anycastle.response import follows
from anycastle.response.engine import ResponseEngine
from anycastle.response.incident import TIMELINE_MAX, Incident, Status
from anycastle.response.notification import PAGES, Notice, NoticeKind
from anycastle.response.policy import Policy
from anycastle.response.signal import Cause, CauseKind, Signal, Silence, Subject, Urgency
from tests.unit.response.world import DNS, TOPOLOGY, WEB, at, death, drained, signal

DRAIN = Cause("drain-fra1", CauseKind.DRAIN, Subject(pop="fra1"), "drain of fra1")


def run(engine: ResponseEngine, until: float) -> list[Notice]:
    """Let time pass, from deadline to deadline."""
    notices = []
    while engine.deadline() <= until:
        notices += engine.tick(max(engine.deadline(), engine._now))
    return notices + engine.tick(at(until))


def kinds(notices: list[Notice]) -> list[str]:
    return [notice.kind.value for notice in notices]


@pytest.mark.mission("C9", "C15")
@pytest.mark.parametrize("pop", sorted(TOPOLOGY.pops))
def test_a_death_is_one_incident_and_one_page_not_nine(pop: str) -> None:
    engine = ResponseEngine(TOPOLOGY)
    notices = []
    for number, each in enumerate(death(pop)):
        notices += engine.take([each], at(number))
    notices += run(engine, 600)
    assert kinds(notices) == ["page"]
    assert notices[0].at <= 15
    (incident,) = engine.incidents.values()
    assert incident.pops == {pop}
    assert len(incident.active) == 9
    notices = engine.take(death(pop, firing=False), at(700)) + run(engine, 1500)
    assert kinds(notices) == ["cleared"]
    assert incident.status is Status.CLEARED
    assert [entry.kind for entry in incident.timeline].count("alert") == 9


def test_whatever_speaks_first() -> None:
    for turned in range(9):
        engine = ResponseEngine(TOPOLOGY)
        alerts = death("gru1")
        notices = []
        for number, each in enumerate(alerts[turned:] + alerts[:turned]):
            notices += engine.take([each], at(10 * number))
        notices += run(engine, 600)
        assert len(engine.incidents) == 1
        assert sum(notice.kind in PAGES for notice in notices) == 1, turned


@pytest.mark.mission("C9")
def test_a_drain_pages_nobody() -> None:
    engine = ResponseEngine(TOPOLOGY)
    notices = engine.begin(DRAIN, at(0)) + engine.take(drained("fra1"), at(10)) + run(engine, 3600)
    assert notices == []
    assert engine.incidents == {}
    assert set(engine.held.values()) == {"drain: drain of fra1"}
    notices = engine.end(DRAIN.id, at(3600)) + engine.take(drained("fra1", firing=False), at(3700)) + run(engine, 9000)
    assert notices == []


def test_what_is_left_when_a_drain_is_over_is_told() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.begin(DRAIN, at(0))
    engine.take(drained("fra1"), at(10))
    notices = engine.end(DRAIN.id, at(3600)) + run(engine, 3600 + 299)
    assert notices == []  # it converges back
    assert kinds(run(engine, 4000)) == ["page"]


def test_a_drain_explains_no_other_pop_and_no_hijack() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.begin(DRAIN, at(0))
    engine.take(drained("fra1"), at(1))
    notices = engine.take(death("iad1"), at(10)) + run(engine, 60)
    assert kinds(notices) == ["page"]
    hijack = signal(follows.HIJACK, page=True, prefix=DNS)
    assert kinds(engine.take([hijack], at(100)) + run(engine, 160)) == ["page"]
    assert len(engine.incidents) == 2


def test_a_hijack_never_hides_in_the_incident_of_something_else() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.take(death("fra1"), at(0))
    run(engine, 60)
    notices = engine.take([signal(follows.HIJACK, page=True, prefix=DNS)], at(70)) + run(engine, 130)
    assert kinds(notices) == ["page"]
    again = engine.take([signal(follows.HIJACK, page=True, prefix=DNS, region="na")], at(140)) + run(engine, 200)
    assert again == []  # of the same prefix: the same incident
    other = engine.take([signal(follows.HIJACK, page=True, prefix=WEB)], at(210)) + run(engine, 270)
    assert kinds(other) == ["page"]
    # And a PoP that dies meanwhile is no part of the hijack.
    assert kinds(engine.take(death("nrt1")[:1], at(280)) + run(engine, 340)) == ["page"]
    assert len(engine.incidents) == 4


def test_a_glitch_wakes_nobody_and_a_pause_ends_nothing() -> None:
    engine = ResponseEngine(TOPOLOGY)
    up, down = (
        signal(follows.POP_DOWN, pop="fra1", page=True, firing=False),
        signal(follows.POP_DOWN, pop="fra1", page=True),
    )
    notices = engine.take([down], at(0)) + engine.take([up], at(3)) + run(engine, 60)
    assert notices == []
    notices = engine.take([down], at(100)) + run(engine, 110)
    assert kinds(notices) == ["page"]
    for second in range(200, 2000, 200):  # up for 100 s, down for 100 s: never over
        notices = engine.take([up], at(second)) + run(engine, second + 100) + engine.take([down], at(second + 100))
        assert [each for each in notices if each.kind is not NoticeKind.REMINDER] == []
    assert len(engine.incidents) == 1


def test_what_comes_and_goes_pages_so_often_and_no_more() -> None:
    engine = ResponseEngine(TOPOLOGY, Policy(clear_after_s=60.0))
    down, up = (
        signal(follows.POP_DOWN, pop="fra1", page=True),
        signal(follows.POP_DOWN, pop="fra1", page=True, firing=False),
    )
    notices = []
    for cycle in range(12):
        notices += engine.take([down], at(cycle * 300)) + run(engine, cycle * 300 + 100)
        notices += engine.take([up], at(cycle * 300 + 100)) + run(engine, cycle * 300 + 299)
    assert kinds(notices) == ["page", "cleared", "page", "cleared", "page", "cleared", "flapping"]
    (incident,) = engine.incidents.values()
    assert incident.flapping
    # Over for an hour, it may page again.
    assert kinds(run(engine, 10_000) + engine.take([down], at(10_000)) + run(engine, 10_010)) == ["page"]


def test_a_storm_is_folded_and_counted() -> None:
    engine = ResponseEngine(TOPOLOGY)
    alerts = [signal("disk_full", page=True, pop=f"pop{number}") for number in range(40)]
    notices = engine.take(alerts, at(0)) + run(engine, 60)
    assert kinds(notices) == ["page"] * 5 + ["storm"]
    assert len(engine.incidents) == 40
    engine.take([signal("disk_full", page=True, pop=f"pop{number}", firing=False) for number in range(30)], at(100))
    later = run(engine, 620)
    (storm,) = [notice for notice in later if notice.kind is NoticeKind.STORM]
    assert (storm.folded, storm.text[:44]) == (10, "10 incidents were folded and go on: disk_ful")


def test_reminders_end_with_an_acknowledgement() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.take(death("fra1"), at(0))
    assert kinds(run(engine, 4000)) == ["page", "reminder", "reminder"]
    engine.acknowledge(1, "ada", at(4001))
    engine.annotate(1, "ada", "line card", at(4002))
    engine.fact(at(2.0), "bgp", "AS64496 withdrew 192.0.2.0/24", Subject(prefix=DNS, pop="fra1"), at(4003))
    assert run(engine, 20_000) == []
    incident = engine.incidents[1]
    assert incident.status is Status.ACKNOWLEDGED
    assert incident.timeline[0].text == "AS64496 withdrew 192.0.2.0/24"  # in the order of what happened
    assert [entry.at for entry in incident.timeline] == sorted(entry.at for entry in incident.timeline)
    assert [entry.text for entry in incident.timeline if entry.kind == "note"] == ["ada: line card"]


def test_a_silence_tells_nobody_until_it_ends() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.silence(Silence("s", at(0), at(1000), Subject(pop="fra1"), "new line cards"), at(0))
    assert engine.take(death("fra1")[:3], at(10)) + run(engine, 999) == []
    assert set(engine.held.values()) == {"silenced: new line cards"}
    assert kinds(run(engine, 1000)) == ["page"]


def test_a_ticket_becomes_a_page_when_it_is_urgent() -> None:
    engine = ResponseEngine(TOPOLOGY)
    assert kinds(engine.take([signal(follows.SESSION_DOWN, pop="fra1")], at(0)) + run(engine, 100)) == ["ticket"]
    assert kinds(engine.take([signal(follows.POP_DOWN, pop="fra1", page=True)], at(200)) + run(engine, 300)) == ["page"]
    assert len(engine.incidents) == 1


def test_a_change_explains_for_its_time_only() -> None:
    engine = ResponseEngine(TOPOLOGY)
    change = Cause("plan-7", CauseKind.CHANGE, Subject(prefix=DNS), "plan 7: prepend at gru1")
    engine.begin(change, at(0), lasts_s=90.0)
    assert engine.take([signal(follows.MOVED, page=True, prefix=DNS)], at(10)) + run(engine, 389) == []
    assert kinds(run(engine, 391)) == ["page"]
    assert kinds(engine.take([signal(follows.MOVED, page=True, prefix=WEB)], at(400)) + run(engine, 500)) == ["page"]


def test_misuse() -> None:
    engine = ResponseEngine(TOPOLOGY)
    engine.tick(at(10))
    for misuse in (
        lambda: engine.tick(at(9)),
        lambda: engine.end("x", at(10)),
        lambda: engine.acknowledge(1, "ada", at(10)),
        lambda: engine.silence(Silence("s", at(0), at(9), Subject(), "all"), at(10)),
        lambda: engine.silence(Silence("s", at(9), at(9), Subject(pop="a"), "never"), at(10)),
    ):
        with pytest.raises(MisuseError):
            misuse()


def test_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "ALERTS_MAX", 50)
    monkeypatch.setattr(engine_module, "INCIDENTS_MAX", 20)
    engine = ResponseEngine(TOPOLOGY)
    engine.take([signal("x", page=True, pop=f"p{number}") for number in range(80)], at(0))
    assert engine.alerts_beyond == 30
    run(engine, 100)
    engine.take([signal("x", page=True, pop=f"p{number}", firing=False) for number in range(80)], at(200))
    run(engine, 1000)
    assert len(engine.incidents) <= 20
    incident = Incident(1, at(0), "t", Urgency.PAGE)
    for number in range(TIMELINE_MAX + 7):
        incident.note(at(number), "note", "x")
    assert (len(incident.timeline), incident.timeline_beyond) == (TIMELINE_MAX, 7)


def test_what_two_engines_say_is_one_alert() -> None:
    engine = ResponseEngine(TOPOLOGY)
    said = Signal(
        follows.VISIBILITY, Subject(service="dns", prefix=DNS), Urgency.TICKET, True, "collectors: 40 % see it"
    )
    same = Signal(follows.VISIBILITY, Subject(prefix=DNS), Urgency.PAGE, True, "probes: half are lost")
    notices = engine.take([said], at(0)) + engine.take([same], at(1)) + run(engine, 100)
    assert kinds(notices) == ["page"]
    assert len(engine.incidents[1].alerts) == 1
    assert isinstance(engine.deadline(), float)
    assert Timestamp(0.0) == 0.0
