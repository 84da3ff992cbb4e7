"""Days of deaths, drains, flaps and hijacks under a virtual clock, with invariants at every step."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.response import follows
from anycastle.response.engine import ResponseEngine
from anycastle.response.follows import explains
from anycastle.response.incident import Incident, Status
from anycastle.response.notification import PAGES, Notice, NoticeKind
from anycastle.response.policy import Policy
from anycastle.response.signal import Cause, CauseKind, Signal, Subject, Urgency
from tests.unit.response.world import DNS, TOPOLOGY, WEB, death, drained, signal

DAY = 86_400.0
Action = tuple[float, str, object]


def day(dice: random.Random) -> list[Action]:
    """Give what happens, in the order of time."""
    actions: list[Action] = []
    for _ in range(dice.randint(1, 8)):
        start, pop = dice.uniform(0, DAY), dice.choice(sorted(TOPOLOGY.pops))
        match dice.choice(("death", "drain", "flap", "hijack", "lone")):
            case "death":
                lasts = dice.uniform(60, 7200)
                for each, over in zip(death(pop), death(pop, firing=False), strict=True):
                    actions.append((start + dice.uniform(0, 20), "signal", each))
                    actions.append((start + lasts + dice.uniform(21, 60), "signal", over))
            case "drain":
                cause = Cause(f"drain{len(actions)}", CauseKind.DRAIN, Subject(pop=pop), f"drain of {pop}")
                lasts = dice.uniform(600, 7200)
                actions.append((start, "begin", cause))
                for each, over in zip(drained(pop), drained(pop, firing=False), strict=True):
                    actions.append((start + dice.uniform(0.1, 30), "signal", each))
                    actions.append((start + lasts + dice.uniform(0, 60), "signal", over))
                actions.append((start + lasts, "end", cause))
            case "flap":
                for cycle in range(dice.randint(2, 20)):
                    down = signal(follows.SESSION_DOWN, page=True, pop=pop)
                    up = signal(follows.SESSION_DOWN, page=True, pop=pop, firing=False)
                    actions += [(start + 400 * cycle, "signal", down), (start + 400 * cycle + 60, "signal", up)]
            case "hijack":
                prefix, lasts = dice.choice((DNS, WEB)), dice.uniform(30, 3600)
                hijack = signal(follows.HIJACK, page=True, prefix=prefix)
                over = signal(follows.HIJACK, page=True, prefix=prefix, firing=False)
                actions += [(start, "signal", hijack), (start + lasts, "signal", over)]
            case "lone":
                actions.append((start, "signal", signal("disk_full", pop=pop)))
                actions.append((start + 3600, "signal", signal("disk_full", pop=pop, firing=False)))
    return sorted(actions, key=lambda action: action[0])


class Watched:
    """An engine, and what must be so after every step."""

    def __init__(self, policy: Policy) -> None:
        self.engine = ResponseEngine(TOPOLOGY, policy)
        self.notices: list[Notice] = []
        self.firing: dict[tuple[str, str, str, str], tuple[float, Signal]] = {}
        self.causes: dict[str, tuple[Cause, float, float]] = {}

    def until(self, end: float) -> None:
        """Let time pass from deadline to deadline, up to `end`."""
        steps = 0
        while (due := self.engine.deadline()) <= end:
            self.check(self.engine.tick(max(due, self.engine._now)))
            steps += 1
            assert steps < 10_000, "the engine wants to be woken again and again for nothing"

    def do(self, at: float, what: str, thing: object) -> None:
        now = Timestamp(at)
        self.until(at)
        if isinstance(thing, Signal):
            if thing.firing:
                self.firing.setdefault(thing.key, (at, thing))
            else:
                self.firing.pop(thing.key, None)
            self.check(self.engine.take([thing], now))
        elif isinstance(thing, Cause) and what == "begin":
            self.causes[thing.id] = (thing, at, float("inf"))
            self.check(self.engine.begin(thing, now))
        elif isinstance(thing, Cause):
            self.causes[thing.id] = (thing, self.causes[thing.id][1], at + self.engine.policy.tail_s)
            self.check(self.engine.end(thing.id, now))

    def check(self, notices: list[Notice]) -> None:
        engine, now, policy = self.engine, self.engine._now, self.engine.policy
        self.notices += notices
        owners: dict[tuple[str, str, str, str], int] = {}
        for incident in engine.incidents.values():
            self._whole(incident)
            for key in incident.active:
                assert owners.setdefault(key, incident.id) == incident.id, "an alert belongs to one incident"
        recent = [each for each in self.notices if each.kind in PAGES and each.at > now - policy.storm_s]
        assert len(recent) <= policy.storm_pages + 2, "a storm is folded"
        for key, (since, each) in self.firing.items():
            if each.urgency is Urgency.PAGE and now >= since + policy.page_after_s and key not in owners:
                assert self._explained(each, now), f"{key} fires, nothing explains it, and nobody owns it"

    def _whole(self, incident: Incident) -> None:
        times = [entry.at for entry in incident.timeline]
        assert times == sorted(times)
        assert (incident.status is Status.CLEARED) == (incident.cleared is not None)
        assert incident.status is not Status.CLEARED or not incident.active

    def _explained(self, each: Signal, now: float) -> bool:
        return any(
            start <= now <= end and explains(cause, each.name, each.subject, TOPOLOGY)
            for cause, start, end in self.causes.values()
        )


def simulate(seed: int) -> Watched:
    watched = Watched(Policy())
    for at, what, thing in day(random.Random(seed)):
        watched.do(at, what, thing)
    watched.until(2 * DAY + 8000)
    watched.check(watched.engine.tick(Timestamp(3 * DAY)))
    return watched


@pytest.mark.mission("C9", "C15")
@given(st.integers(0, 10**9))
def test_days(seed: int) -> None:
    watched = simulate(seed)
    incidents = watched.engine.incidents.values()
    assert all(incident.status is Status.CLEARED for incident in incidents), f"seed {seed}: what is over is cleared"
    assert watched.engine.held == {}
    woken = [each for each in watched.notices if each.kind is NoticeKind.PAGE]
    for incident in incidents:
        pages = [each for each in woken if each.incident == incident.id]
        assert len(pages) <= len(incident.openings) + watched.engine.policy.flaps, f"seed {seed}: once an opening"


@given(st.integers(0, 10**9), st.sampled_from(sorted(TOPOLOGY.pops)))
def test_one_death_in_any_order_is_one_page_in_time(seed: int, pop: str) -> None:
    dice = random.Random(seed)
    watched = Watched(Policy())
    alerts = death(pop)
    dice.shuffle(alerts)
    for at, each in sorted(((dice.uniform(0, 9), each) for each in alerts), key=lambda pair: pair[0]):
        watched.do(at, "signal", each)
    watched.until(1000)
    watched.check(watched.engine.tick(Timestamp(1000.0)))
    assert [each.kind for each in watched.notices if each.kind is not NoticeKind.TICKET] == [NoticeKind.PAGE]
    assert watched.notices[0].at <= 15
    assert len(watched.engine.incidents) == 1


@given(st.integers(0, 10**9), st.sampled_from(sorted(TOPOLOGY.pops)))
def test_one_drain_in_any_order_is_no_page(seed: int, pop: str) -> None:
    dice = random.Random(seed)
    watched = Watched(Policy())
    watched.do(0.0, "begin", Cause("d", CauseKind.DRAIN, Subject(pop=pop), "drain"))
    for at, each in sorted(((dice.uniform(0.1, 60), each) for each in drained(pop)), key=lambda pair: pair[0]):
        watched.do(at, "signal", each)
    watched.until(7200)
    watched.do(7200.0, "end", watched.causes["d"][0])
    for each in drained(pop, firing=False):
        watched.do(7260.0, "signal", each)
    watched.until(20_000)
    assert watched.notices == []
