"""The demo's scenario: steady, a PoP's service dies, clients are answered elsewhere, it recovers; then the figures."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from anycastle.base.errors import WorldError
from anycastle.io.clock import now
from anycastle.io.speaker.event import RoutesReceived, SpeakerEvent
from anycastle.lab.client import TIMEOUT_S, Client, Tally
from anycastle.lab.embedded import EmbeddedLab
from anycastle.lab.topology import NodeKind, Topology
from anycastle.model.event import (
    AnnouncementsApplied,
    CheckChanged,
    Event,
    StanceChanged,
    WithdrawalRefused,
)

QUERIES_PER_S = 100.0
SETTLE_TIMEOUT_S = 30.0
STEADY_S = 3.0
POLL_S = 0.02


class Phase(Enum):
    """Where the scenario stands."""

    BUILDING = "building"
    STEADY = "steady"
    FAILING = "failing"
    RECOVERING = "recovering"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to tell. `at` counts from the demo's start, in seconds; `kind` is `phase`, `fault`, `agent`, `route`
    or `client`."""

    at: float
    kind: str
    text: str


@dataclass(slots=True)
class Figures:
    """What was measured. Times are in seconds from the failure; None where it did not happen."""

    pops: list[str] = field(default_factory=list)
    failed_pop: str = ""
    time_to_detect_s: float | None = None
    time_to_withdraw_s: float | None = None
    time_to_failover_s: float | None = None
    queries_sent: int = 0
    queries_lost: int = 0
    queries_lost_elsewhere: int = 0
    """Of clients that the failed PoP did not serve."""
    catchment_before: dict[str, str | None] = field(default_factory=dict)
    catchment_after: dict[str, str | None] = field(default_factory=dict)
    catchment_recovered: dict[str, str | None] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Give the figures as plain values, times to the millisecond."""
        from dataclasses import asdict

        values = asdict(self)
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()}


class Demo:
    """Runs the scenario on an embedded lab."""

    def __init__(self, topology: Topology, failed_for_s: float = STEADY_S) -> None:
        """`failed_for_s`: how long the failure goes on after all are answered elsewhere."""
        self._failed_for_s = failed_for_s
        self.topology = topology
        self.service = topology.services[0]
        self.phase = Phase.BUILDING
        self.figures = Figures([node.name for node in topology.of_kind(NodeKind.POP)])
        self.clients: dict[str, Client] = {}
        self.stances: dict[str, str] = {}
        self.lab: EmbeddedLab | None = None
        self.events: list[Event] = []
        """All that agents recorded."""
        self._listeners: list[Callable[[Happening], None]] = []
        self._began = now().monotonic
        self._failed_at: float | None = None
        self._told_catchment: dict[str, str | None] = {}
        self._over = False

    def listen(self, listener: Callable[[Happening], None]) -> None:
        """Let `listener` hear what happens, as it happens."""
        self._listeners.append(listener)

    async def run(self, keep: asyncio.Event | None = None) -> Figures:
        """Play it to its end, and give the figures; with `keep`, stay up until that is set.

        Raises `WorldError` where the lab cannot be built or does not settle.
        """
        with tempfile.TemporaryDirectory(prefix="anycastle-demo-") as directory:
            self.lab = EmbeddedLab(self.topology, self._recorded, self._heard, Path(directory))
            try:
                await self.lab.start()
                await self._steady()
                await self._fail_and_recover()
                if keep is not None:
                    await keep.wait()
            finally:
                for client in self.clients.values():
                    client.close()
                await self.lab.close()
        return self.figures

    def write_evidence(self, folder: Path) -> None:
        """Write what agents recorded and clients saw, as production has it. Raises `WorldError`."""
        from anycastle.lab.evidence import write_evidence

        moment = now()
        tallies = {name: client.tally for name, client in self.clients.items()}
        write_evidence(folder, self.topology, self.events, tallies, moment.wall - moment.monotonic)

    # -- the scenario ---------------------------------------------------------------------------------------------

    async def _steady(self) -> None:
        lab = self._lab
        self._enter(Phase.BUILDING, f"{len(self.topology.nodes)} networks open their BGP sessions")
        everywhere = set(self.service.pops)
        await self._until(lambda: {pop for pop, stance in self.stances.items() if stance == "announce"} == everywhere)
        await self._until(lambda: None not in lab.catchment(self.service).values())
        await self._quiet()
        for node in lab.clients:
            client = Client(node.name, lab.route_of(node.name, self.service), QUERIES_PER_S)
            self.clients[node.name] = client
            await client.start()
        self.figures.catchment_before = lab.catchment(self.service)
        self._enter(Phase.STEADY, f"{len(self.clients)} networks ask {QUERIES_PER_S:.0f} times a second each")
        self._tell_catchment()
        await asyncio.sleep(STEADY_S)

    async def _fail_and_recover(self) -> None:
        lab, figures = self._lab, self.figures
        before = figures.catchment_before
        victim = Counter(pop for pop in before.values() if pop is not None).most_common(1)[0][0]
        figures.failed_pop = victim
        self._enter(Phase.FAILING, f"the name server at {self._city(victim)} dies")
        self._failed_at = now().monotonic
        lab.servers[victim].stop()
        affected = [client for client, pop in before.items() if pop == victim]
        await self._until(lambda: all(self._failover_of(client) is not None for client in affected))
        failovers = [self._failover_of(client) for client in affected]
        figures.time_to_failover_s = max(at for at in failovers if at is not None) - self._failed_at
        self._tell_catchment()
        await asyncio.sleep(self._failed_for_s)
        figures.catchment_after = lab.catchment(self.service)
        self._tell_catchment()
        self._enter(Phase.RECOVERING, f"the name server at {self._city(victim)} is back")
        await lab.servers[victim].start()
        await self._until(lambda: lab.catchment(self.service) == before)
        self._tell_catchment()
        await asyncio.sleep(STEADY_S)
        figures.catchment_recovered = lab.catchment(self.service)
        self._tell_catchment()
        await self._count(affected)
        self._enter(Phase.DONE, "the demo is over")
        self._over = True

    async def _count(self, affected: list[str]) -> None:
        for client in self.clients.values():
            client.pause()
        await asyncio.sleep(TIMEOUT_S)
        tallies: dict[str, Tally] = {name: client.tally for name, client in self.clients.items()}
        self.figures.queries_sent = sum(len(tally.queries) for tally in tallies.values())
        self.figures.queries_lost = sum(tally.lost() for tally in tallies.values())
        self.figures.queries_lost_elsewhere = sum(t.lost() for name, t in tallies.items() if name not in affected)

    # -- watching -------------------------------------------------------------------------------------------------

    @property
    def _lab(self) -> EmbeddedLab:
        assert self.lab is not None
        return self.lab

    def _failover_of(self, client: str) -> float | None:
        assert self._failed_at is not None
        return self.clients[client].tally.first_answer_from_elsewhere(self.figures.failed_pop, self._failed_at)

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = now().monotonic + SETTLE_TIMEOUT_S
        while not condition():
            if now().monotonic > deadline:
                raise WorldError(f"the lab did not settle within {SETTLE_TIMEOUT_S:g} s ({self.phase.value})")
            await asyncio.sleep(POLL_S)

    async def _quiet(self) -> None:
        """Wait until catchments have stayed the same for a while: routes arrive one by one."""
        before, same_since = self._lab.catchment(self.service), now().monotonic
        while now().monotonic < same_since + 1.0:
            await asyncio.sleep(POLL_S)
            catchment = self._lab.catchment(self.service)
            if catchment != before:
                before, same_since = catchment, now().monotonic

    def _enter(self, phase: Phase, text: str) -> None:
        self.phase = phase
        self._say("fault" if phase is Phase.FAILING else "phase", text)

    def _say(self, kind: str, text: str) -> None:
        if self._over:
            return  # taking the lab down is no part of the story
        happening = Happening(now().monotonic - self._began, kind, text)
        for listener in self._listeners:
            listener(happening)

    def _city(self, name: str) -> str:
        return self.topology.node(name).city

    def _tell_catchment(self) -> None:
        """Say by whom each client is answered now, where that is news."""
        before, self._told_catchment = self._told_catchment, self._lab.catchment(self.service)
        for client, pop in self._told_catchment.items():
            if before.get(client) != pop:
                served = f"answered by {self._city(pop)}" if pop else "not answered"
                self._say("client", f"{self._city(client)}: {served}")

    def _since_failure(self) -> float | None:
        return None if self._failed_at is None else now().monotonic - self._failed_at

    def _recorded(self, event: Event) -> None:
        """Take an agent's event: note the first of each kind after the failure, and tell of those a viewer wants."""
        if self._over:
            return
        self.events.append(event)
        city, body, figures = self._city(event.pop), event.body, self.figures
        match body:
            case CheckChanged(verdict="unhealthy", evidence=evidence):
                if event.pop == figures.failed_pop and figures.time_to_detect_s is None:
                    figures.time_to_detect_s = self._since_failure()
                self._say("agent", f"{city}: the check fails: {evidence}")
            case StanceChanged(stance=stance, reason=reason):
                self.stances[event.pop] = stance
                self._say("agent", f"{city}: {stance} ({reason})")
            case AnnouncementsApplied(withdrawn=withdrawn) if withdrawn:
                self._say("agent", f"{city}: withdrawn from {', '.join(each.split()[1] for each in withdrawn)}")
            case WithdrawalRefused(reason=reason):
                self._say("agent", f"{city}: {reason}")
            case _:
                pass

    def _heard(self, name: str, event: SpeakerEvent) -> None:
        """Take what a network hears: the first withdrawal by the failed PoP, and what the collector sees."""
        if not isinstance(event, RoutesReceived):
            return
        figures = self.figures
        if event.withdrawn and event.upstream == figures.failed_pop and figures.time_to_withdraw_s is None:
            figures.time_to_withdraw_s = self._since_failure()
        if name == "collector":
            paths = [f"path {route.attributes.as_path}" for route in event.announced] + ["withdrawn"] * len(
                event.withdrawn
            )
            for path in paths:
                self._say("route", f"collector, from {event.upstream}: {self.service.prefix} {path}")
