"""Which PoPs are missed, by a clock of the test's own."""

from anycastle.base.ports import Timestamp
from anycastle.model.stance import DrainStep, Stance
from anycastle.response.conditions import Levels, PoPSeen, ServiceSeen
from anycastle.response.hearing import AgentNow, Hearing

POPS = ("ams", "fra", "lon")


def says(pop: str, stance: Stance = Stance.ANNOUNCE, drain: DrainStep = DrainStep.NORMAL) -> AgentNow:
    return AgentNow(True, PoPSeen(pop, True, (ServiceSeen("dns", stance, drain),)))


def gone(pop: str) -> AgentNow:
    return AgentNow(False, says(pop).seen)


def joined() -> AgentNow:
    return AgentNow(True, None)


class World:
    """Leaderships one after the other, each with its own `Hearing`; levels go on."""

    def __init__(self, *heard: str, grace_s: float = 0.0) -> None:
        self.levels = Levels()
        self.now = 0.0
        self.agents: dict[str, AgentNow] = {}
        self.hearing = Hearing(heard, Timestamp(0.0), grace_s)

    def lead(self, grace_s: float) -> None:
        self.agents = {}
        self.hearing = Hearing(self.hearing.heard, Timestamp(self.now), grace_s)

    def look(self, **agents: AgentNow) -> set[tuple[str, str]]:
        self.agents |= agents
        found = self.hearing.look(POPS, self.agents, self.levels, Timestamp(self.now))
        self.levels.causes_now(found.drains)
        self.levels.signals_now(found.signals)
        return {(each.name, each.subject.pop) for each in found.signals}


def test_who_was_never_heard_is_not_missed() -> None:
    w = World()
    assert w.look() == set()
    w.now = 1e6
    assert w.look(ams=says("ams")) == set()
    assert w.hearing.heard == {"ams"}
    assert w.look(fra=joined()) == set()
    assert w.hearing.heard == {"ams"}, "it has dialled in, and said nothing yet"


def test_who_was_heard_before_is_missed_when_the_grace_is_over() -> None:
    w = World("ams", "fra", grace_s=15.0)
    w.now = 14.9
    assert w.look(ams=says("ams")) == set()
    w.now = 15.0
    assert w.look() == {("pop_down", "fra")}
    assert w.look(fra=joined()) == {("pop_down", "fra")}
    assert w.look(fra=says("fra")) == set()


def test_what_was_so_stands_until_a_pop_speaks() -> None:
    w = World()
    fails = says("ams", Stance.WITHDRAW)
    assert w.look(ams=fails, fra=says("fra", Stance.WITHDRAW, DrainStep.WITHDRAWN)) == {("service_down", "ams")}
    w.lead(grace_s=15.0)
    assert w.look() == {("service_down", "ams")}
    assert w.levels.causes.keys() == {"drain/fra/dns"}
    assert w.look(ams=joined(), fra=joined()) == {("service_down", "ams")}
    w.now = 100.0
    assert w.look() == {("service_down", "ams")}, "it stays, and is waited for"
    assert w.look(ams=says("ams"), fra=says("fra")) == set()
    assert w.levels.causes == {}


def test_a_pop_that_leaves_is_missed_at_once_and_alone_is_the_controller() -> None:
    w = World()
    assert w.look(ams=says("ams"), fra=says("fra")) == set()
    assert w.look(ams=gone("ams")) == {("pop_down", "ams")}
    assert w.look(fra=gone("fra")) == {("controller_alone", "")}
    w.lead(grace_s=15.0)
    assert w.look() == {("controller_alone", "")}, "a successor that hears nobody is as alone, and tells nobody anew"
    w.now = 15.0
    assert w.look() == {("controller_alone", "")}
    assert w.look(ams=joined()) == {("controller_alone", "")}
    assert w.look(ams=says("ams")) == set(), "fra has its time to come back too"
    w.now = 29.9
    assert w.look() == set()
    w.now = 30.0
    assert w.look() == {("pop_down", "fra")}


def test_when_the_controller_is_back_who_comes_and_leaves_again_is_missed_at_once() -> None:
    w = World(grace_s=15.0)
    w.look(ams=says("ams"), fra=says("fra"), lon=says("lon"))
    w.look(ams=gone("ams"), fra=gone("fra"), lon=gone("lon"))
    assert w.look(ams=says("ams")) == set()
    assert w.look(fra=says("fra")) == set()
    assert w.look(fra=gone("fra")) == {("pop_down", "fra")}
    w.now = 15.0
    assert w.look() == {("pop_down", "fra"), ("pop_down", "lon")}


def test_the_only_pop_that_there_is_dies_as_a_pop() -> None:
    w = World()
    w.look(ams=says("ams"))
    assert w.look(ams=gone("ams")) == {("pop_down", "ams")}
