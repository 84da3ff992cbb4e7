"""What goes wrong: in services, agents, routers, the network, clocks, disks and controllers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from anycastle.health.lease import LeaseKeeper
from anycastle.model.announcement import NOTHING
from anycastle.model.check import Outcome
from tests.simulation.whole.place import Place

if TYPE_CHECKING:
    from tests.simulation.whole.simulation import WholeSimulation

SESSION_TIMEOUT_S = 30.0


class Faults:
    """Draws faults over the time of a seed, and undoes them."""

    def __init__(self, simulation: "WholeSimulation") -> None:
        self._simulation = simulation
        self._draw = simulation.random

    def schedule(self, duration_s: float) -> None:
        """Draw when what goes wrong, and when people act."""
        simulation, draw = self._simulation, self._draw
        of_pops: tuple[Callable[[Place, str], None], ...] = (
            self._service_dies, self._service_dies, self._service_flaps, self._checks_wrong, self._bad_check_everywhere,
            self._agent_crashes, self._agent_dies_between_commands, self._agent_dies_between_commands,
            self._agent_freezes, self._router_restarts, self._router_silent, self._upstream_down, self._human_edits,
            self._watchdog_killed, self._agent_stops, self._disk_full, self._clock_jumps,
            self._session_breaks, self._session_breaks, self._pop_cut_off, self._network_parts,
            self._controller_crashes, self._controller_dies_between_commands, self._controller_dies_between_commands,
            self._another_leads, self._backup_restored, self._controllers_clock_jumps, self._database_slow,
        )  # fmt: skip
        many = max(1.0, len(simulation.places) / 10)
        for _ in range(int(draw.randint(5, 40) * many**0.5)):
            simulation.at(draw.uniform(30, duration_s * 0.95), self._inject, draw.choice(of_pops))
        for _ in range(draw.randint(3, 40)):
            simulation.at(draw.uniform(30, duration_s * 0.95), simulation.people.act)
        for _ in range(3):
            simulation.at(draw.uniform(30, duration_s * 0.9), self._back_up)

    def _inject(self, fault: Callable[[Place, str], None]) -> None:
        simulation = self._simulation
        place = self._draw.choice(list(simulation.places.values()))
        service = self._draw.choice(sorted(simulation.guard.members))
        words = fault.__name__.strip("_").replace("_", " ")
        simulation.counts[words] += 1
        simulation.noted("fault", f"{words} ({place.name}, {service})")
        fault(place, service)

    def heal(self) -> None:
        simulation = self._simulation
        simulation.cut_off.clear()
        for place in simulation.places.values():
            place.dead.clear()
            place.wrong.clear()
            place.down.clear()
            place.sessions_changed()
            place.disk.full = place.frozen = False
            place.dies_after = None
            place.reachable = True
            place.wall_offset_s = 0.0
            place.start()
        for leader in simulation.leaders:
            leader.slow, leader.dies_after, leader.wall_offset_s = False, None, 0.0

    def _lasting(self, low: float, high: float, undo: Callable[..., object], *arguments: object) -> None:
        self._simulation.at(self._draw.uniform(low, high), undo, *arguments)

    # -- services ---------------------------------------------------------------------------------------------------

    def _service_dies(self, place: Place, name: str) -> None:
        place.dead.add(name)
        self._lasting(0.1, 1200, place.dead.discard, name)

    def _service_flaps(self, place: Place, name: str) -> None:
        for turn in range(self._draw.randint(4, 20)):
            action = place.dead.add if turn % 2 else place.dead.discard
            self._simulation.at(turn * self._draw.uniform(0.3, 40), action, name)
        self._lasting(800, 900, place.dead.discard, name)

    def _checks_wrong(self, place: Place, name: str) -> None:
        place.wrong[name] = self._draw.choice((Outcome.FAIL, Outcome.UNKNOWN))
        self._lasting(1, 600, place.wrong.pop, name, None)

    def _bad_check_everywhere(self, _place: Place, name: str) -> None:
        for place in self._simulation.places.values():
            place.wrong[name] = Outcome.FAIL
            self._lasting(1, 900, place.wrong.pop, name, None)

    # -- agents -----------------------------------------------------------------------------------------------------

    def _agent_crashes(self, place: Place, _name: str) -> None:
        place.crash()
        self._simulation.at(self._draw.choice((0.1, 5, 60, 900)), place.start)

    def _agent_dies_between_commands(self, place: Place, _name: str) -> None:
        """End the process in the midst of what it does next, mostly after it was made to do much at once."""
        place.dies_after = self._draw.randint(0, 12)
        if self._draw.random() < 0.7:
            service = self._draw.choice(sorted(self._simulation.guard.members))
            place.dead.add(service)
            self._lasting(100, 900, place.dead.discard, service)
        self._simulation.at(300.0, self._revive, place)

    def _revive(self, place: Place) -> None:
        place.dies_after = None
        place.start()

    def _agent_freezes(self, place: Place, _name: str) -> None:
        place.frozen = True
        session = self._simulation.sessions.get(place.name)
        if session is not None:
            self._simulation.at(SESSION_TIMEOUT_S, self._times_out, session)
        self._lasting(0.5, 900, setattr, place, "frozen", False)

    def _times_out(self, session: object) -> None:
        place = session.place  # type: ignore[attr-defined]
        if place.frozen or place.name in self._simulation.cut_off:
            self._simulation.leader_notices(session)  # type: ignore[arg-type]

    def _agent_stops(self, place: Place, _name: str) -> None:
        if place.agent is not None and not place.frozen and not place.stopping:
            place.stopping = True
            place.perform(place.agent.stop(place.now()))

    def _disk_full(self, place: Place, _name: str) -> None:
        place.disk.full = True
        self._lasting(1, 600, setattr, place.disk, "full", False)

    def _clock_jumps(self, place: Place, _name: str) -> None:
        place.wall_offset_s += self._draw.choice((-86_400.0, -3600.0, -5.0, 5.0, 3600.0, 86_400.0))

    def _watchdog_killed(self, place: Place, _name: str) -> None:
        place.watchdog = LeaseKeeper()

    # -- routers ----------------------------------------------------------------------------------------------------

    def _router_restarts(self, place: Place, _name: str) -> None:
        place.table = NOTHING

    def _router_silent(self, place: Place, _name: str) -> None:
        place.reachable = False
        self._lasting(0.1, 600, setattr, place, "reachable", True)

    def _upstream_down(self, place: Place, _name: str) -> None:
        name = self._draw.choice(place.pop.upstreams).name
        place.down.add(name)
        place.sessions_changed()
        self._lasting(0.1, 600, self._upstream_up, place, name)

    def _upstream_up(self, place: Place, name: str) -> None:
        place.down.discard(name)
        place.sessions_changed()

    def _human_edits(self, place: Place, _name: str) -> None:
        place.table -= frozenset(sorted(place.table, key=str)[:1])

    # -- the network ------------------------------------------------------------------------------------------------

    def _session_breaks(self, place: Place, _name: str) -> None:
        session = self._simulation.sessions.get(place.name)
        if session is not None:
            self._simulation.agent_notices(session)

    def _pop_cut_off(self, place: Place, _name: str) -> None:
        """Part a PoP from controllers: for a moment what is sent waits, for longer sessions end on both sides."""
        simulation = self._simulation
        simulation.cut_off.add(place.name)
        session = simulation.sessions.get(place.name)
        if session is not None:
            simulation.at(self._draw.uniform(20, 40), self._times_out, session)
            simulation.at(self._draw.uniform(20, 40), self._agent_times_out, session)
        self._lasting(1, 1800, simulation.cut_off.discard, place.name)

    def _agent_times_out(self, session: object) -> None:
        if session.place.name in self._simulation.cut_off:  # type: ignore[attr-defined]
            self._simulation.agent_notices(session)  # type: ignore[arg-type]

    def _network_parts(self, place: Place, name: str) -> None:
        """Part half of the PoPs from controllers at once."""
        for other in self._draw.sample(list(self._simulation.places.values()), len(self._simulation.places) // 2):
            self._pop_cut_off(other, name)

    # -- controllers ------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        for leader in self._simulation.leaders:
            if leader.alive:
                leader.end()

    def _controller_crashes(self, _place: Place, _name: str) -> None:
        self._end_all()
        self._simulation.at(self._draw.choice((0.1, 5.0, 300.0)), self._simulation.lead_if_nobody_does)

    def _controller_dies_between_commands(self, _place: Place, _name: str) -> None:
        leader = self._simulation.newest_leader()
        if leader is not None:
            leader.dies_after = self._draw.randint(0, 8)
            self._simulation.people.act()
            self._lasting(10, 600, self._simulation.lead_if_nobody_does)

    def _another_leads(self, _place: Place, _name: str) -> None:
        """The lock is lost without the leader's knowledge: two act for a while, and agents go to and fro."""
        simulation = self._simulation
        simulation.start_leader()
        for _ in range(self._draw.randint(0, min(200, 6 * len(simulation.places)))):
            place = self._draw.choice(list(simulation.places.values()))
            simulation.at(self._draw.uniform(0, 200), self._session_breaks, place, "")

    def _back_up(self) -> None:
        self._simulation.backups.append(self._simulation.database.copy())

    def _backup_restored(self, _place: Place, _name: str) -> None:
        """Put an old database in place of the present one: by the operator's will, what came since is gone."""
        simulation = self._simulation
        self._end_all()
        simulation.restore(self._draw.choice(simulation.backups))
        simulation.at(self._draw.choice((0.1, 5.0, 300.0)), self._simulation.lead_if_nobody_does)

    def _controllers_clock_jumps(self, _place: Place, _name: str) -> None:
        leader = self._simulation.newest_leader()
        if leader is not None:
            leader.wall_offset_s += self._draw.choice((-86_400.0, -3600.0, -5.0, 5.0, 3600.0, 86_400.0))

    def _database_slow(self, _place: Place, _name: str) -> None:
        leader = self._simulation.newest_leader()
        if leader is not None:
            leader.slow = True
            self._lasting(1, 300, setattr, leader, "slow", False)
