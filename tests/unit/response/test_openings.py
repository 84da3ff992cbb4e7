"""What a controller sees of agents' states, and what is made of the same agents' events, have one name and weight."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.event import (
    AgentStarted,
    AnnouncementsConfirmed,
    Body,
    DrainChanged,
    Event,
    FindingCleared,
    FindingOpened,
    LeaseLapsed,
    RouterDiverged,
    SessionChanged,
    StanceChanged,
    WithdrawalRefused,
)
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.stance import DrainStep, Stance
from anycastle.response.conditions import PoPSeen, ServiceSeen, drains_of, signals_of
from anycastle.response.findings import OpenFindings
from anycastle.response.openings import KIND_OF_FINDING, OPENINGS, opens, over, usual
from anycastle.response.signal import Signal, Subject, Urgency
from anycastle.response.story import story_of
from tests.unit.response.symptoms.rig import START, case_of

PREFIX = parse_prefix("192.0.2.0/24")
Said = set[tuple[str, str, str, str]]


def route(upstream: str) -> Announcement:
    return Announcement(PREFIX, upstream, RouteAttributes())


def up(upstream: str, *, lost: bool = False) -> list[Body]:
    states = ["established", *(["connecting"] if lost else [])]
    return [SessionChanged(upstream, "203.0.113.1", state, "") for state in states]


def seen(*, stance: Stance = Stance.ANNOUNCE, up: Sequence[str] = ("a", "b"), exported: Sequence[str] = ("a", "b"),
         drain: DrainStep = DrainStep.NORMAL) -> PoPSeen:  # fmt: skip
    sessions = {(name, Family.IPV4) for name in up}
    services = (ServiceSeen("dns", stance, drain),)
    return PoPSeen("ams", True, services, (route("a"), route("b")), [route(name) for name in exported], sessions)


def said(signals: Sequence[Signal]) -> Said:
    return {(each.name, each.subject.service, each.subject.pop, each.urgency.value) for each in signals}


def fires(folder: Path, bodies: Sequence[Body]) -> Said:
    """Give what fires at the end of a log, drained or not."""
    events = [Event(Timestamp(START + at), "ams", body) for at, body in enumerate(bodies)]
    firing = dict[tuple[str, ...], Signal]()
    for _, signal in story_of(case_of(folder, events=events)).alerts:
        before = firing.pop(signal.key, signal)
        if signal.firing:  # urgent once is urgent until it is over, as the engine has it
            firing[signal.key] = before if before.urgency is Urgency.PAGE else signal
    return said(list(firing.values()))


SESSIONS = [*up("a"), *up("b")]
PAIRS = {
    "the PoP is gone": ([LeaseLapsed("dns", "withdraw", 3.0)], PoPSeen("ams", connected=False)),
    "it is back": (
        [LeaseLapsed("dns", "withdraw", 3.0), AgentStarted("1", recovered=True, observe_only=False)], seen(),
    ),
    "withdrawn": ([StanceChanged("dns", "withdraw", "r", "")], seen(stance=Stance.WITHDRAW)),
    "steered": ([StanceChanged("dns", "steer", "r", "")], seen(stance=Stance.STEER)),
    "refused": (
        [StanceChanged("dns", "steer", "r", ""), WithdrawalRefused("dns", "r")], seen(stance=Stance.STEER),
    ),
    "serves again": (
        [StanceChanged("dns", "withdraw", "r", ""), StanceChanged("dns", "announce", "r", "")], seen(),
    ),
    "one session": ([*SESSIONS, *up("a", lost=True)], seen(up=("b",), exported=("b",))),
    "all sessions": ([*SESSIONS, *up("a", lost=True), *up("b", lost=True)], seen(up=(), exported=())),
    "silent": (
        [*SESSIONS, RouterDiverged("p", ("192.0.2.0/24 a", "192.0.2.0/24 b"), ())], seen(exported=()),
    ),
    "in part": ([*SESSIONS, RouterDiverged("p", ("192.0.2.0/24 a",), ())], seen(exported=("b",))),
    "as wanted": (
        [*SESSIONS, RouterDiverged("p", ("192.0.2.0/24 a",), ()), AnnouncementsConfirmed(2)], seen(),
    ),
}  # fmt: skip


@pytest.mark.mission("C15")
@pytest.mark.parametrize("happening", PAIRS)
def test_a_log_says_what_was_seen_live(tmp_path: Path, happening: str) -> None:
    bodies, live = PAIRS[happening]
    assert fires(tmp_path, bodies) == said(signals_of(live))


def test_a_drain_is_the_same_cause(tmp_path: Path) -> None:
    (cause,) = drains_of(seen(stance=Stance.WITHDRAW, drain=DrainStep.WITHDRAWN))
    bodies = [
        DrainChanged("dns", "shutting", "ada", "line cards"), StanceChanged("dns", "withdraw", "drained", ""),
    ]  # fmt: skip
    events = [Event(Timestamp(START + at), "ams", body) for at, body in enumerate(bodies)]
    engine = story_of(case_of(tmp_path, events=events)).engine
    assert engine.incidents == {}
    assert engine.causes.keys() == {cause.id}


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_findings_are_told_alike(tmp_path: Path, severity: str) -> None:
    opened = FindingOpened(
        "f1", "origin_change", severity, "AS64666", ("192.0.2.0/24", "192.0.2.0/25"), 90, (), 12, 9, 3, "invalid",
        False, (),
    )  # fmt: skip
    live = OpenFindings()
    live.take(opened)
    assert fires(tmp_path, [opened]) == said(live.signals)
    (tmp_path / "over").mkdir()
    assert fires(tmp_path / "over", [opened, FindingCleared("f1", "origin_change", severity, "", (), (), 1.0)]) == set()


def test_each_kind_is_on_the_page_as_the_table_has_it() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/incidents.md").read_text()
    for kind, each in OPENINGS.items():
        urgent = each.whole.value if each.whole is each.part else f"{each.whole.value}; {each.part.value} in part"
        assert f"| `{kind}` | {urgent} | {each.live or '-'} | {each.logged or '-'} |" in page
        assert each.live or each.logged, "something must show it"
    assert set(KIND_OF_FINDING.values()) <= OPENINGS.keys()


def test_a_kind_of_its_own_weighs_as_a_finding() -> None:
    assert (usual("path_length"), usual("path_length", part=True)) == (Urgency.PAGE, Urgency.TICKET)
    subject = Subject(pop="ams")
    assert opens("x", subject, "t").key == over("x", subject, "t").key
