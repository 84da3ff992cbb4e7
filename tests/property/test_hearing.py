"""Controllers that follow each other, while PoPs come, leave, fail and are drained: a takeover changes nothing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.model.stance import DrainStep, Stance
from anycastle.response.conditions import Levels, PoPSeen, ServiceSeen, signals_of
from anycastle.response.hearing import GRACE_S, AgentNow, Hearing
from anycastle.response.openings import CONTROLLER_ALONE
from anycastle.response.signal import Cause, Signal

POPS = ("ams", "fra", "lon", "nrt")
STATES = (
    (Stance.ANNOUNCE, DrainStep.NORMAL), (Stance.WITHDRAW, DrainStep.NORMAL), (Stance.STEER, DrainStep.NORMAL),
    (Stance.WITHDRAW, DrainStep.WITHDRAWN),
)  # fmt: skip


class Fleet:
    """What agents are, whoever leads; and what a leadership makes of it."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.now = 1000.0
        self.levels = Levels()
        self.hearing = Hearing((), Timestamp(self.now))
        self.led_since = self.now
        self.states: dict[str, PoPSeen] = {}
        """What a PoP that has a session says."""
        self.agents: dict[str, AgentNow] = {}
        self.alone_ended = -1e9

    def look(self) -> tuple[list[Signal], list[Cause], list[Cause]]:
        """Give what begins or ends now."""
        was_alone = any(each.name == CONTROLLER_ALONE for each in self.levels.signals.values())
        found = self.hearing.look(POPS, self.agents, self.levels, Timestamp(self.now))
        begun, ended = self.levels.causes_now(found.drains)
        edges = self.levels.signals_now(found.signals)
        if was_alone and not any(each.name == CONTROLLER_ALONE for each in found.signals):
            self.alone_ended = self.now
        return edges, begun, ended

    def says(self, pop: str) -> None:
        stance, drain = self.dice.choice(STATES)
        self.states[pop] = PoPSeen(pop, True, (ServiceSeen("dns", stance, drain),))
        self.agents[pop] = AgentNow(True, self.states[pop])

    def leaves(self, pop: str) -> None:
        if self.states.pop(pop, None) is not None:
            self.agents[pop] = AgentNow(False, self.agents[pop].seen)

    def lives(self, steps: int) -> None:
        for _ in range(steps):
            self.dice.choice((self.says, self.says, self.leaves))(self.dice.choice(POPS))
            self.now += self.dice.uniform(0.1, 20.0)
            self.look()
            self.check()

    def check(self) -> None:
        """Require what must be so of each PoP that this leadership heard."""
        fires = list(self.levels.signals.values())
        if any(each.name == CONTROLLER_ALONE for each in fires):
            assert self.states == {}
            assert len(fires) == 1
            return
        for pop in POPS:
            mine = [each for each in fires if each.subject.pop == pop]
            if pop not in self.hearing.heard:
                assert mine == []
            elif pop in self.states:
                assert mine == signals_of(self.states[pop])
            elif self.now >= max(self.alone_ended, self.led_since) + GRACE_S:
                assert [each.name for each in mine] == ["pop_down"]
            else:
                assert {each.name for each in mine} <= {"pop_down"}

    def is_taken_over(self) -> None:
        """Let another lead: those with a session come back within the grace, in any order, and say the same."""
        self.now += GRACE_S  # of a fleet whose agents all had their time
        self.look()
        self.hearing = Hearing(self.hearing.heard, Timestamp(self.now))
        self.led_since, self.agents = self.now, {}
        coming = list(self.states)
        self.dice.shuffle(coming)
        begin = self.now
        for pop in coming:
            for agent in (AgentNow(True, None), AgentNow(True, PoPSeen(pop, True, self.states[pop].services))):
                self.now = min(begin + GRACE_S - 0.01, self.now + self.dice.uniform(0.0, 2.0))
                self.agents[pop] = agent
                self.changes_nothing()
        for self.now in (begin + GRACE_S - 0.001, begin + GRACE_S, begin + 3 * GRACE_S):
            self.changes_nothing()
        self.check()

    def changes_nothing(self) -> None:
        before = dict(self.levels.signals)
        assert self.look() == ([], [], []), before


@pytest.mark.mission("C15", "C16")
@given(st.integers(0, 2**32))
def test_a_takeover_begins_nothing_and_ends_nothing(seed: int) -> None:
    dice = random.Random(seed)
    fleet = Fleet(dice)
    for _ in range(4):
        fleet.lives(dice.randint(0, 8))
        fleet.is_taken_over()
