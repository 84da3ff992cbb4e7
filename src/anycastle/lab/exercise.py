"""An exercise: clients ask, a fault strikes a PoP, and what the clients saw of it is counted.

The same on both backends. The clock of a failover starts just before the fault is put in force, so the time that it
takes to strike (a kill less than a millisecond, a filter some fifteen) counts against us.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.lab.client import TIMEOUT_S, Client, Tally
from anycastle.lab.embedded import EmbeddedLab
from anycastle.lab.faults import FAULTS, Fault, check_pop, wrong_checks
from anycastle.lab.namespaces import NamespacesLab
from anycastle.lab.observation import Following, Observation, read_observation

RATE_ELSEWHERE_PER_S: Final = 100.0
WARM_UP_S: Final = 2.0
FAILOVER_TIMEOUT_S: Final = 30.0
"""More than a lease (10 s) and a hold time (9 s) take to end."""
AFTERWARDS_S: Final = 2.0
_POLL_S: Final = 0.02

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Probing:
    """How clients probe."""

    rate_per_s: float = 100.0
    """Of the clients that the PoP serves; the others ask no more than `RATE_ELSEWHERE_PER_S`."""
    sessions: int = 20


@dataclass(slots=True)
class Outcome:
    """What came of one exercise. Times in seconds from the fault, None where it did not happen."""

    fault: str
    pop: str
    before: dict[str, str | None] = field(default_factory=dict)
    after: dict[str, str | None] = field(default_factory=dict)
    failover_s: dict[str, float | None] = field(default_factory=dict)
    """Of each client that the PoP served: until the first answer from another PoP to a query sent after the fault."""
    sent: int = 0
    lost: int = 0
    """Queries of the clients that the PoP served, since the fault."""
    lost_elsewhere: int = 0
    """Queries of all other clients, since the fault."""
    lost_before: int = 0
    """Queries of all clients before the fault: what the lab itself loses."""
    sessions: int = 0
    sessions_ended: int = 0
    connections_failed: int = 0

    @property
    def slowest_s(self) -> float | None:
        """The failover of the client that waited longest; None where one never saw another PoP, or there is none."""
        found = [failover for failover in self.failover_s.values() if failover is not None]
        return max(found) if found and len(found) == len(self.failover_s) else None

    def plain(self) -> dict[str, Any]:
        """Give it as plain values, times to a tenth of a millisecond."""
        times = {client: None if at is None else round(at, 4) for client, at in self.failover_s.items()}
        return asdict(self) | {"failover_s": times}


def judge(outcome: Outcome, tallies: Mapping[str, Tally], struck_at: float) -> None:
    """Fill in what the clients saw."""
    for client, tally in tallies.items():
        lost = tally.lost(since=struck_at)
        outcome.sent += len(tally.queries)
        outcome.lost_before += tally.lost(until=struck_at)
        if outcome.before[client] == outcome.pop:
            outcome.lost += lost
            answered_at = tally.first_answer_from_elsewhere(outcome.pop, struck_at)
            outcome.failover_s[client] = None if answered_at is None else answered_at - struck_at
        else:
            outcome.lost_elsewhere += lost


# -- in namespaces -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class NamespacesExercise:
    """One exercise on a lab that is steady. The lab is left as the fault leaves it."""

    lab: NamespacesLab
    tell: Tell
    probing: Probing = Probing()
    random: Random = field(default_factory=Random)
    _files: dict[str, Path] = field(default_factory=dict)

    def run(self, name: str, pop: str, strike: Callable[[NamespacesLab, str], None] | None = None) -> Outcome:
        """Let a fault strike a PoP; `strike` takes the place of the fault's own. Raises `WorldError`."""
        fault = FAULTS[name]
        check_pop(self.lab, pop)
        service = self.lab.topology.services[0]
        outcome = Outcome(name, pop, before=self.lab.catchment(service))
        for client, served_by in outcome.before.items():
            rate = self.probing.rate_per_s
            rate = rate if served_by == pop else min(rate, RATE_ELSEWHERE_PER_S)
            self._files[client] = self.lab.start_probe(client, service, rate, self.probing.sessions)
        time.sleep(WARM_UP_S + self.random.random())  # at no fixed phase of checks and keepalives
        self.tell(f"{pop}: {fault.summary}")
        struck_at = time.monotonic()
        (strike or fault.strike)(self.lab, pop)
        self._await_failover(fault, outcome, struck_at)
        outcome.after = self.lab.catchment(service)
        seen = self._observations()
        judge(outcome, {client: each.tally for client, each in seen.items()}, struck_at)
        _count_tcp(outcome, seen, struck_at)
        return outcome

    def _await_failover(self, fault: Fault, outcome: Outcome, struck_at: float) -> None:
        affected = [client for client, pop in outcome.before.items() if pop == outcome.pop]
        waiting = {client: Following(self._files[client]) for client in affected} if fault.moves else {}
        deadline = struck_at + FAILOVER_TIMEOUT_S
        while waiting and time.monotonic() < deadline:
            for client, following in tuple(waiting.items()):
                answers = following.answers()
                if any(sent >= struck_at and pop != outcome.pop for sent, pop in answers):
                    self.tell(f"{client}: answered elsewhere")
                    del waiting[client]
            time.sleep(_POLL_S)
        time.sleep(AFTERWARDS_S)

    def _observations(self) -> dict[str, Observation]:
        service = self.lab.topology.services[0]
        keys = {client: f"probe-{client}-{service.name}" for client in self._files}
        for key in keys.values():
            self.lab.signal(key, signal.SIGTERM)
        for key in keys.values():
            self.lab.wait(key)
        return {client: read_observation(client, path) for client, path in self._files.items()}


def _count_tcp(outcome: Outcome, seen: Mapping[str, Observation], struck_at: float) -> None:
    affected = [each for client, each in seen.items() if outcome.before[client] == outcome.pop]
    outcome.sessions = sum(each.sessions for each in affected)
    outcome.sessions_ended = sum(each.sessions_ended for each in affected)
    outcome.connections_failed = sum(each.connections_failed(struck_at) for each in affected)


# -- embedded ----------------------------------------------------------------------------------------------------------

EmbeddedStrike = Callable[[EmbeddedLab, str], None]


def _push_wrong_checks(lab: EmbeddedLab, pop: str) -> None:  # noqa: ARG001  every PoP gets them
    for agent in lab.agents.values():
        agent.reload(wrong_checks(agent.engine.fleet))


EMBEDDED_FAULTS: Final[Mapping[str, EmbeddedStrike]] = MappingProxyType(
    {
        "agent-terminated": lambda lab, pop: lab.agents[pop].stop(),
        "bad-configuration": _push_wrong_checks,
        "service-stopped": lambda lab, pop: lab.servers[pop].stop(),
    }
)
"""The faults that one process can emulate: no process of its own dies, hangs or is cut off there."""


async def run_embedded(lab: EmbeddedLab, name: str, pop: str, tell: Tell, rate_per_s: float = 100.0) -> Outcome:
    """Let a fault strike a PoP of an embedded lab that has been started. Raises `WorldError`."""
    if name not in EMBEDDED_FAULTS:
        known = ", ".join(EMBEDDED_FAULTS)
        raise MisuseError(f"the embedded backend does not have the fault {name!r}; it has: {known}")
    if pop not in lab.servers:
        raise MisuseError(f"the topology has no PoP {pop!r}; it has: {', '.join(lab.servers)}")
    service = lab.topology.services[0]
    outcome = Outcome(name, pop, before=await _settled(lab))
    clients = {node.name: Client(node.name, lab.route_of(node.name, service), rate_per_s) for node in lab.clients}
    for client in clients.values():
        await client.start()
    await asyncio.sleep(WARM_UP_S + Random().random())
    tell(f"{pop}: {FAULTS[name].summary}")
    struck_at = time.monotonic()
    EMBEDDED_FAULTS[name](lab, pop)
    affected = [clients[client].tally for client, at in outcome.before.items() if at == pop and FAULTS[name].moves]
    await _failed_over(affected, pop, struck_at)
    await asyncio.sleep(AFTERWARDS_S)
    outcome.after = lab.catchment(service)
    for client in clients.values():
        client.pause()
    await asyncio.sleep(TIMEOUT_S)
    judge(outcome, {name: client.tally for name, client in clients.items()}, struck_at)
    for client in clients.values():
        client.close()
    return outcome


async def _failed_over(tallies: list[Tally], pop: str, struck_at: float) -> None:
    """Wait until all are answered elsewhere, or it is no use to wait."""
    while time.monotonic() < struck_at + FAILOVER_TIMEOUT_S:
        if all(tally.first_answer_from_elsewhere(pop, struck_at) is not None for tally in tallies):
            return
        await asyncio.sleep(_POLL_S)


async def _settled(lab: EmbeddedLab) -> dict[str, str | None]:
    """Wait until all PoPs are announced and catchments have stayed the same for a second; give them."""
    service = lab.topology.services[0]
    before, same_since = lab.catchment(service), time.monotonic()
    deadline = same_since + FAILOVER_TIMEOUT_S
    while None in before.values() or time.monotonic() < same_since + 1.0:
        await asyncio.sleep(_POLL_S)
        catchment = lab.catchment(service)
        if catchment != before:
            before, same_since = catchment, time.monotonic()
        if time.monotonic() > deadline:
            raise WorldError(f"the catchments do not settle: {catchment}")
    return before
