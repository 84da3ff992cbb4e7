"""Runs one seed of the whole deployment."""

from collections import Counter
from collections.abc import Callable, Sequence

from anycastle.model.announcement import Announcements
from anycastle.model.fleet import Fleet
from anycastle.model.service import Service
from anycastle.rollout.commands import Commit
from anycastle.rollout.desired import Desired
from anycastle.rollout.kept import AgentOrder, Kept
from anycastle.rollout.permits import Grant, Revoke
from anycastle.rollout.rollout import Rollout
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole.clockwork import Clockwork
from tests.simulation.whole.composing import Compositions
from tests.simulation.whole.control import READ_S, Database, Leader, LeaderWatcher, Session
from tests.simulation.whole.drawing import draw_fleet, draw_scale
from tests.simulation.whole.faults import Faults
from tests.simulation.whole.guard import Guard
from tests.simulation.whole.network import Stream
from tests.simulation.whole.peace import check_intent
from tests.simulation.whole.people import People
from tests.simulation.whole.place import Place
from tests.simulation.whole.timeline import Timeline

DIAL_AGAIN_S = 3.0
"""How soon an agent without a session tries again, on average."""

GATHER_S = 0.02
"""How long an agent gathers what changed before it tells it."""

SETTLING_S = 1_800.0
"""Longer than a patience, a bake, a suppression, a lease or a drain; there are several such spans."""

SETTLING_FINE_S = 700.0
"""The same where all has a second's pace: nobody bakes or waits for longer than a minute there."""

SPANS_MAX = 40
"""Spans that the open rollouts are given to end in: each has some steps, and others wait for it."""


class WholeSimulation(Clockwork, LeaderWatcher):
    """One seed: controllers, agents, the network, people and faults."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.timeline = Timeline()
        self.scale = draw_scale(self.random)
        self.fleet = draw_fleet(self.random, self.scale)
        self.folders: dict[str, Fleet] = {"r0": self.fleet}
        self.database = Database(Kept(Desired("r0")).documents(), [], {"r0": self.fleet})
        self.backups: list[Database] = [self.database.copy()]
        self.leaders: list[Leader] = []
        self.shown = 0
        """The highest term that an agent showed to a controller."""
        self.guard = Guard(self, self.fleet, self.newest_leader)
        self.places = {pop.name: Place(self, self, self.fleet, pop.name, self.scale.pace) for pop in self.fleet.pops}
        self.sessions: dict[str, Session] = {}
        self.cut_off: set[str] = set()
        self.peaceful = False
        self._session_number = 0
        self._compositions = Compositions()
        self.people = People(self)
        self.faults = Faults(self)
        for place in self.places.values():
            place.on_change = self._teller(place)

    @property
    def pop_hours(self) -> float:
        return len(self.places) * self.clock / 3600.0

    def run(self) -> "WholeSimulation":
        """Run the seed to its end. Raises `InvariantBroken`, naming the seed."""
        try:
            self._play()
        except InvariantBroken as broken:
            raise InvariantBroken(
                f"seed {self.seed} at {self.clock:.3f} s: {broken}\n{self.timeline.text()}"
            ) from broken
        return self

    def _play(self) -> None:
        for place in self.places.values():
            self.at(self.random.uniform(0, 5), place.start)
            self.at(self.random.uniform(5, 10), self._look_after, place)
        self.at(self.random.uniform(0, 20), self.start_leader)
        self.faults.schedule(self.scale.duration_s)
        self.play_until(self.scale.duration_s)
        self._make_peace()
        check_intent(self)

    def _make_peace(self) -> None:
        """Let everything work again, and rollouts end; what waits for somebody says so, and is aborted."""
        self.peaceful = True
        self.faults.heal()
        if not any(leader.alive for leader in self.leaders):
            self.start_leader()
        for leader in self.leaders[:-1]:
            leader.end()
        settling_s = SETTLING_S if self.scale.coarse else SETTLING_FINE_S
        self.play_until(self.clock + settling_s)
        for _ in range(SPANS_MAX):
            leader = self.leaders[-1]
            if not leader.alive:
                self.start_leader()
                leader = self.leaders[-1]
            self.people.make_peace(leader)
            self.play_until(self.clock + settling_s)
            if all(rollout.ended for rollout in self.leaders[-1].engine.kept.rollouts.values()):
                break
            self.people.end_what_waits(self.leaders[-1])
        self.play_until(self.clock + settling_s)

    # -- what is told, and checked --------------------------------------------------------------------------------

    def noted(self, where: str, what: str) -> None:
        self.timeline.note(self.clock, where, what)

    def permits_moved(self, place: Place) -> None:
        self.guard.permits_moved(place)

    def will_apply(self, place: Place, wanted: Announcements) -> None:
        self.guard.will_apply(place, wanted)

    def table_set(self, place: Place, before: Announcements) -> None:
        self.guard.table_set(place, before)

    def services_changed(self, place: Place, before: Sequence[Service]) -> None:
        self.guard.services_changed(place)

    # -- controllers ------------------------------------------------------------------------------------------------

    def newest_leader(self) -> Leader | None:
        return self.leaders[-1] if self.leaders and self.leaders[-1].alive else None

    def some_leader(self) -> Leader | None:
        """Give one that leads, or believes so."""
        alive = [leader for leader in self.leaders if leader.alive]
        if not alive:
            return None
        return alive[-1] if self.random.random() < 0.9 else self.random.choice(alive)

    def start_leader(self) -> None:
        """Take the lead, with a term of its own; whoever had it may be late to notice."""
        self.database.term = max(self.database.term, self.shown) + 1
        for other in self.leaders:
            if other.alive:
                self.at(self.random.uniform(1, 300), other.end)
        self.leaders = [other for other in self.leaders if other.alive]
        offset = 0.0 if self.peaceful else self.random.choice((0.0, 0.0, -3.0, 40.0, -4000.0))
        read_s = 20 * READ_S if self.scale.coarse else READ_S
        leader = Leader(self, self.database, self.database.term, self._compositions, self, offset, read_s)
        self.leaders.append(leader)
        leader.begin()
        self.noted("controller", f"leads by term {leader.term}")

    def lead_if_nobody_does(self) -> None:
        if self.newest_leader() is None:
            self.start_leader()

    def leader_ended(self, leader: Leader) -> None:
        for session in [each for each in self.sessions.values() if each.leader is leader]:
            session.leader_holds = False
            self.at(self.random.uniform(0.01, 30), self.agent_notices, session)
        if self.peaceful:
            self.at(1.0, self.lead_if_nobody_does)

    def leader_left(self, session: Session) -> None:
        self.at(self.random.uniform(0.01, 30), self.agent_notices, session)

    def restore(self, backup: Database) -> None:
        """Put a backup in place of the database; whoever still writes to the old one writes to nothing."""
        self.database = backup.copy()
        self.guard.acknowledged.clear()

    def desired_changed(self, leader: Leader) -> None:
        self.guard.desired_changed(leader)

    def will_commit(self, leader: Leader, commit: Commit, kept: Kept) -> None:
        if leader.term != self.database.term:
            return
        self.guard.will_commit(leader, commit, self.database)
        for part in commit.documents.values():
            if isinstance(part, Rollout):
                waits = f", {part.why}" if part.why else ""
                state = "paused" if part.paused_by else part.state.value
                self.noted(
                    "controller", f"rollout {part.number}: {state}, step {part.step} of {len(part.steps)}{waits}"
                )
                self.counts[f"rollouts {part.state.value}"] += part.ended

    # -- sessions ---------------------------------------------------------------------------------------------------

    def _look_after(self, place: Place) -> None:
        """Dial until there is a session; when it ends, this begins again."""
        if self.sessions.get(place.name) is None:
            ready = place.agent is not None and place.agent.booted and not place.frozen and not place.stopping
            if ready and place.name not in self.cut_off:
                self._dial(place)
        if self.sessions.get(place.name) is None:
            self.at(self.random.uniform(0.5, 1.5) * DIAL_AGAIN_S, self._look_after, place)

    def _dial(self, place: Place) -> None:
        leader = self.some_leader()
        if leader is None or place.agent is None:
            return
        self._session_number += 1
        session = Session(self._session_number, place, leader)
        session.up = Stream(self, lambda: place.name in self.cut_off, lambda: leader.hears(session))
        session.down = Stream(self, lambda: place.name in self.cut_off or place.frozen, lambda: session.agent_holds)
        self.sessions[place.name] = session
        session.up.send(self._greeted, session, place.agent.leader_term)
        self.at(60.0, self._give_up, session)

    def _give_up(self, session: Session) -> None:
        if not session.welcome:
            self.agent_notices(session)

    def _greeted(self, session: Session, term: int) -> None:
        leader = session.leader
        if term > leader.term:
            self.shown = max(self.shown, term)
            self.noted("controller", f"term {leader.term} is shown term {term}, and ends")
            self.counts["a higher term shown"] += 1
            leader.end()
            self.at(1.0, self.lead_if_nobody_does)
            return
        session.down.send(self._welcomed, session)

    def _welcomed(self, session: Session) -> None:
        place = session.place
        if place.agent is None or not session.agent_holds:
            return
        met, commands = place.agent.controller_met(session.leader.term, place.now())
        place.perform(commands)
        if not met:
            self.counts["older controller refused"] += 1
            self.agent_notices(session)
            return
        if place.agent is None:
            return
        self.guard.obeys(session)
        session.welcome = True
        permits = place.permit_reports()
        session.told_permits = {each.service: each for each in permits}
        session.up.send(session.leader.joined, session, place.assignment, permits)
        self._tell_soon(session)

    def _teller(self, place: Place) -> Callable[[], None]:
        def tell() -> None:
            session = self.sessions.get(place.name)
            if session is not None:
                if place.agent is None:
                    self.end_session(session)
                else:
                    self._tell_soon(session)

        return tell

    def _tell_soon(self, session: Session) -> None:
        if session.welcome and not session.telling:
            session.telling = True
            self.at(GATHER_S, self._tell, session)

    def _tell(self, session: Session) -> None:
        session.telling = False
        place, leader = session.place, session.leader
        if place.agent is None or not session.agent_holds or not place.agent.booted:
            return
        if place.owes_disk:
            self.at(1.0, self._tell_soon, session)
        permits = [each for each in place.permit_reports() if session.told_permits.get(each.service) != each]
        if permits:
            session.told_permits |= {each.service: each for each in permits}
            session.up.send(leader.permits, session, permits)
        status = place.status()
        if session.told is None or not status.says_the_same_as(session.told):
            session.told = status
            session.up.send(leader.reported, session, status)

    def end_session(self, session: Session) -> None:
        """End the agent's side; the controller hears of it when its own timer runs out."""
        session.agent_holds = False
        if self.sessions.get(session.place.name) is session:
            del self.sessions[session.place.name]
            self.at(self.random.uniform(0.5, 1.5) * DIAL_AGAIN_S, self._look_after, session.place)
        self.at(self.random.uniform(0.01, 60), self.leader_notices, session)

    def leader_notices(self, session: Session) -> None:
        if session.leader.hears(session):
            session.leader.left(session)

    def agent_notices(self, session: Session) -> None:
        """Let the agent know that its session is over."""
        place = session.place
        if not session.agent_holds:
            return
        if place.frozen:
            self.at(1.0, self.agent_notices, session)
            return
        self.end_session(session)
        if place.agent is not None and session.welcome:
            place.perform(place.agent.controller_lost(place.now()))

    # -- what a controller says ---------------------------------------------------------------------------------------

    def assigned(self, session: Session, digest: str, fleet: Fleet) -> None:
        place = session.place
        if place.agent is None:
            return
        self.guard.obeys(session)
        refusal = place.assign(digest, fleet)
        if place.agent is not None and session.agent_holds:  # else it died of it
            session.up.send(session.leader.assignment_answered, session, digest, refusal)

    def ordered(self, session: Session, order: AgentOrder) -> None:
        if session.place.agent is None:
            return
        self.guard.obeys(session)
        answer = session.place.carry_out(order)
        if answer is not None and session.agent_holds:
            session.up.send(session.leader.order_answered, session, *answer)

    def permit_commanded(self, session: Session, command: Grant | Revoke) -> None:
        draw = self.random.random()
        if draw > 0.02:
            session.down.send(self._permit_arrives, session, command)
        if draw > 0.93:
            self.at(self.random.uniform(0.001, 60.0), self._permit_arrives, session, command)

    def _permit_arrives(self, session: Session, command: Grant | Revoke) -> None:
        place = session.place
        if place.agent is None or not session.agent_holds or place.frozen:
            return
        self.guard.obeys(session)
        self.counts[type(command).__name__.lower()] += 1
        place.command_permit(command.service, command.epoch, granted=isinstance(command, Grant))


def simulate(seed: int) -> WholeSimulation:
    """Run one seed, and give the finished simulation. Raises `InvariantBroken`."""
    return WholeSimulation(seed).run()
