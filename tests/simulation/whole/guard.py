"""What may never happen, checked whenever something moved that could make it so.

The guard counts anew, by code of its own: what PoPs announce, who could withdraw, what a step touches. It keeps sets
that each event changes a little, so that a step costs what it moves and not what the fleet is large.
"""

from collections.abc import Iterable, Mapping
from math import floor
from typing import TYPE_CHECKING

from anycastle.health.agent import AgentEngine
from anycastle.model.announcement import Announcements
from anycastle.model.event import Body, RolloutChanged
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.service import Floor, Service
from anycastle.rollout.commands import Commit
from anycastle.rollout.desired import Desired
from anycastle.rollout.kept import Document, Frozen, Glass
from anycastle.rollout.rollout import Rollout
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole.clockwork import Clockwork
from tests.simulation.whole.control import Database, Leader, Session
from tests.simulation.whole.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

OWNERS: Mapping[Prefix, str] = {
    parse_prefix(f"198.{half}.{number}.0/24"): f"service{number}" for half in (18, 19) for number in range(8)
}
"""Whose each prefix is."""

NONE = PermitState.NONE


def names_in(table: Announcements) -> frozenset[str]:
    return frozenset(OWNERS[route.prefix] for route in table)


class Guard:
    """Knows what is true of the fleet, and raises `InvariantBroken`."""

    def __init__(self, world: Clockwork, fleet: Fleet, newest: "Callable[[], Leader | None]") -> None:
        self._world = world
        self._newest = newest
        self._capacity = {pop.name: pop.capacity for pop in fleet.pops}
        self._regions = {pop.name: pop.region for pop in fleet.pops}
        self.members = {service.name: set(service.pops) for service in fleet.services}
        """Service -> the PoPs that announce it, or did until it was taken away."""
        self.withdrew: dict[str, set[str]] = {name: set() for name in self.members}
        """Of these, the PoPs where our own hand took it away."""
        self.loose: dict[str, set[str]] = {name: set() for name in self.members}
        """Of these, the PoPs that have a permit, in memory or on disk: they could withdraw next."""
        self.enforced = {service.name: service.floor for service in fleet.services}
        """The floor that is known to stand; one that was raised counts from when it was reached."""
        self.stated = dict(self.enforced)
        """The floor that the newest controller goes by."""
        self._serving: dict[str, frozenset[str]] = {
            pop.name: frozenset(each.name for each in fleet.services_at(pop.name)) for pop in fleet.pops
        }
        self._voiced = dict(self._serving)
        """PoP -> the services of which its agent's fleet announces any route."""
        self._terms: dict[str, int] = {}
        """PoP -> the highest term that its agent obeyed, as its disk has it."""
        self._processes: dict[str, tuple[AgentEngine | None, int]] = {}
        """PoP -> its agent's process, and the highest term that this process obeyed."""
        self._limits: dict[str, tuple[int, dict[str, int], float | None]] = {}
        self.acknowledged: list[int] = []
        """Rollouts whose start was acknowledged."""
        self.largest_steps: dict[str, int] = {"pops in one step": 0}

    # -- the floor, and permits -----------------------------------------------------------------------------------

    def table_set(self, place: Place, before: Announcements) -> None:
        if before is place.table:
            return
        was, will = names_in(before), names_in(place.table)
        if was == will:
            return
        for name in was - will:
            self.withdrew[name].add(place.name)
            self._check(name)
        for name in will - was:
            self.members[name].add(place.name)
            if name in self._voiced[place.name]:
                self.withdrew[name].discard(place.name)

    def permits_moved(self, place: Place) -> None:
        saved, agent = place.disk.state.permits, place.agent
        for name in self._serving[place.name]:
            known = saved.get(name)
            loose = known is not None and known.state is not NONE
            if not loose and agent is not None:
                state = agent.services.get(name)
                loose = state is not None and state.permit.state is not NONE
            if loose is not (place.name in self.loose[name]):
                (self.loose[name].add if loose else self.loose[name].discard)(place.name)
                self._check(name)
                self.raise_floor(name)

    def services_changed(self, place: Place) -> None:
        """Look at what an assignment ended: it needed a permit, and counts as withdrawn from now on."""
        assert place.agent is not None
        services = [state.service for state in place.agent.services.values()]
        before, now = (
            self._voiced[place.name],
            frozenset(each.name for each in services if self._is_voiced(each, place)),
        )
        carried = names_in(place.table)
        for name in before - now:
            if name in carried:
                if place.name not in self.loose[name]:
                    raise InvariantBroken(f"{place.name} ends {name} for an assignment, without a permit")
                self.withdrew[name].add(place.name)
            elif place.name not in self.withdrew[name]:
                self.members[name].discard(place.name)  # it was gone already, and by no hand of ours
                self._excuse(name)
        self._take_back(place.name, (now - before) & carried)
        gone = self._serving[place.name] - place.agent.services.keys()
        for name in gone:
            self.loose[name].discard(place.name)
        self._voiced[place.name], self._serving[place.name] = now, frozenset(place.agent.services)
        for name in before - now:
            self._check(name)

    def _take_back(self, pop: str, names: "AbstractSet[str]") -> None:
        """Count services as announced that an assignment gives back before the router was told of their end."""
        for name in names:
            self.withdrew[name].discard(pop)

    def _is_voiced(self, service: Service, place: Place) -> bool:
        routes = ((place.name, each.name, prefix) for each in place.pop.upstreams for prefix in service.prefixes)
        return any(service.policy(*route).announce for route in routes)

    def will_apply(self, place: Place, wanted: Announcements) -> None:
        """Withdrawn only on a permit that is on disk; and the log says what the router is told."""
        agent = place.agent
        assert agent is not None
        if wanted is not place.table:
            for name in names_in(place.table) - names_in(wanted):
                saved = place.disk.state.permits.get(name)
                if name in self._voiced[place.name] and (saved is None or saved.state is not PermitState.USED):
                    raise InvariantBroken(f"{place.name} withdraws {name} without a used permit on disk")
        if wanted == agent.router.wanted:
            told = {f"{route.prefix} {route.upstream}" for route in wanted}
            if place.logged != told:
                raise InvariantBroken(f"{place.name}: the log says {sorted(place.logged)}, told is {sorted(told)}")

    def _capacities(self, pops: Iterable[str]) -> list[float]:
        return [self._capacity[pop] for pop in pops]

    def _check(self, name: str) -> None:
        """The PoPs that announce meet the floor, and so do those that could not even withdraw."""
        left = self.members[name] - self.withdrew[name]
        if not self.enforced[name].met_by(self._capacities(left)):
            raise InvariantBroken(f"{name} was left at {sorted(left)} alone; its floor is {self.enforced[name]}")
        sure = left - self.loose[name]
        if not self.enforced[name].met_by(self._capacities(sure)):
            raise InvariantBroken(f"only {sorted(sure)} are sure to keep {name}; its floor is {self.enforced[name]}")

    def _excuse(self, name: str) -> None:
        """Count the floor from what is there: what is missing was lost by no hand of ours."""
        sure = self._capacities(self.members[name] - self.withdrew[name] - self.loose[name])
        known = self.enforced[name]
        self.enforced[name] = Floor(min(known.pops, len(sure)), min(known.capacity, sum(sure)))

    def desired_changed(self, leader: Leader) -> None:
        """Take the floors that a controller goes by: a lower one counts at once."""
        fleet = leader.composer.in_force(leader.engine.kept.desired)
        stated = {service.name: service.floor for service in fleet.services}
        for name, known in self.enforced.items():
            new = stated.get(name, Floor(0, 0.0))
            self.enforced[name] = Floor(min(known.pops, new.pops), min(known.capacity, new.capacity))
            if leader is self._newest():
                self.stated[name] = new

    def raise_floor(self, name: str) -> None:
        """Let a raised floor count once the leader relies on enough: a grant of before may be on its way until then."""
        stated = self.stated[name]
        leader = self._newest()
        if self.enforced[name] == stated or leader is None:
            return
        sure = self._capacities(self.members[name] - self.withdrew[name] - self.loose[name])
        services = {each.name: each for each in leader.composer.in_force(leader.engine.kept.desired).services}
        if stated.met_by(sure) and name in services and services[name].floor == stated:
            relied = leader.engine.ledger.relied_on(services[name])
            if stated.met_by(self._capacities(relied)):
                self.enforced[name] = stated

    # -- controllers ------------------------------------------------------------------------------------------------

    def obeys(self, session: Session) -> None:
        """An agent never does what a controller says whose term is lower than one that it obeyed.

        A term that a full disk did not keep dies with the agent's process: nothing of what it said is on disk either.
        """
        place, term = session.place, session.leader.term
        process, highest = self._processes.get(place.name, (None, 0))
        if process is not place.agent:
            highest = 0
        highest = max(highest, self._terms.get(place.name, 0))
        if term < highest:
            raise InvariantBroken(f"{place.name} obeys term {term} after term {highest}")
        self._processes[place.name] = place.agent, term
        if place.disk.state.leader_term >= term:
            self._terms[place.name] = term
        elif not place.owes_disk:
            raise InvariantBroken(f"{place.name} obeys term {term}, and it is not on disk")

    def will_be_limited(self, leader: Leader, reason: str) -> None:
        """Note, by what is heard as a rollout is ordered, how much one step of it may touch."""
        heard = [pop for pop, status in leader.statuses.items() if status.report.booted]
        regions: dict[str, int] = {}
        for pop in heard:
            regions[self._regions[pop]] = regions.get(self._regions[pop], 0) + 1
        stated = 1.0 not in self._capacity.values()
        capacity = sum(self._capacity[pop] for pop in heard) if stated else None
        self._limits[reason] = len(heard), regions, capacity

    def will_commit(self, leader: Leader, commit: Commit, database: Database) -> None:
        stored = database.documents
        if commit.documents and not commit.events:
            raise InvariantBroken(f"{sorted(commit.documents)} changed, and no event says so")
        entered = {key: self._entered(stored.get(key), part) for key, part in commit.documents.items()}
        before, after = stored["desired"], commit.documents.get("desired", stored["desired"])
        assert isinstance(before, Desired)
        assert isinstance(after, Desired)
        if before is after:
            return
        moved = self._moved(leader, before, after)
        if moved and self._frozen(leader, commit, stored):
            raise InvariantBroken(f"{sorted(moved)} changed in spite of the freeze")
        for key, steps in entered.items():
            if len(steps) > 1:  # steps are taken at once only where they change nothing any more
                part = commit.documents[key]
                assert isinstance(part, Rollout)
                self._limited(part, self._not_there_yet(leader, moved & frozenset().union(*steps), after))
        strangers = moved.difference(*(pops for steps in entered.values() for pops in steps))
        if strangers:
            raise InvariantBroken(f"{sorted(strangers)} changed, and no step that was entered has them")

    def _moved(self, leader: Leader, before: Desired, after: Desired) -> set[str]:
        """Give the PoPs that are to do something else."""
        composer = leader.composer
        if before.revision != after.revision:
            pops = {*composer.pops(before), *composer.pops(after)}
        else:
            units = before.exceptions.keys() | after.exceptions.keys()
            pops = {unit.pop for unit in units if before.of(unit) != after.of(unit)}
        differing = {pop for pop in pops if composer.digest(pop, before) != composer.digest(pop, after)}
        # A PoP that is in no revision any more is told nothing; before that it was told to do nothing.
        idle = {pop for pop in differing if not composer.served(pop, before) and not composer.served(pop, after)}
        return differing - idle

    def _not_there_yet(self, leader: Leader, pops: "AbstractSet[str]", desired: Desired) -> set[str]:
        """Give the PoPs for which it is news: one that refused a step is told nothing when that is taken back."""
        said = {pop: status.assignment for pop, status in leader.statuses.items()}
        return {pop for pop in pops if pop not in said or said[pop] != leader.composer.digest(pop, desired)}

    def _entered(self, stored: Document | None, part: Document | None) -> list[frozenset[str]]:
        """Give the PoPs of each step that a rollout enters or takes back; each is within its limits."""
        if not isinstance(part, Rollout):
            return []
        was = stored.step if isinstance(stored, Rollout) else 0
        low, high = sorted((was, part.step))
        steps = [frozenset(unit.pop for unit in part.steps[step]) for step in range(low, high)]
        for pops in steps:
            self._limited(part, pops)
        return steps

    def _limited(self, rollout: Rollout, pops: "AbstractSet[str]") -> None:
        number = rollout.number
        heard, regions, capacity = self._limits[rollout.reason]
        self.largest_steps["pops in one step"] = max(self.largest_steps["pops in one step"], len(pops))
        if len(pops) > max(1, floor(0.2 * heard)):
            raise InvariantBroken(f"a step of rollout {number} touches {len(pops)} PoPs, and {heard} were heard")
        for region in {self._regions[pop] for pop in pops}:
            there = sum(self._regions[pop] == region for pop in pops)
            if there > max(1, regions.get(region, 0) // 2):
                raise InvariantBroken(f"a step of rollout {number} touches {there} PoPs of {region}")
        if len(pops) > 1 and capacity is not None and sum(self._capacities(pops)) > 0.25 * capacity * (1 + 1e-12):
            raise InvariantBroken(f"a step of rollout {number} touches more than a quarter of the capacity")

    def _frozen(self, leader: Leader, commit: Commit, stored: Mapping[str, Document]) -> bool:
        """Tell whether a freeze stood before and after a commit, and no glass was broken when it was decided."""
        parts: Mapping[str, Document | None] = {**stored, **commit.documents}
        glass = parts.get("break-glass")
        broken = isinstance(glass, Glass) and glass.approved_by is not None
        return isinstance(stored.get("freeze"), Frozen) and parts.get("freeze") is not None and not broken

    def check_acknowledged(self, log: list[Body]) -> None:
        """Every rollout whose start was acknowledged is in the log."""
        told = {body.rollout for body in log if isinstance(body, RolloutChanged)}
        lost = sorted(set(self.acknowledged) - told)
        if lost:
            raise InvariantBroken(f"rollouts {lost} were acknowledged, and the log does not have them")
