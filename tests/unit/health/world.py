"""A small fleet, a router that obeys, and a clock that is set: what the engine's dialogues are held in."""

import random
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.health.agent import AgentEngine
from anycastle.health.commands import Apply, Command, ReadExports, Record, StartCheck
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.model.announcement import NOTHING, Announcements, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.check import Check, CheckResult, Outcome, TCPTarget
from anycastle.model.community import GRACEFUL_SHUTDOWN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import Family, parse_address, parse_prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind

PREFIX = parse_prefix("192.0.2.0/24")
WALL = 1_700_000_000.0
ESTABLISHED = frozenset({("transit", Family.IPV4), ("transit", Family.IPV6)})
STEERED = RouteAttributes(prepend=2, communities=frozenset({GRACEFUL_SHUTDOWN}))


def check(name: str = "dns", **changes: object) -> Check:
    made = Check(name, TCPTarget(parse_address("192.0.2.53"), 53), rise=2, fall=3)
    return replace(made, **changes)  # type: ignore[arg-type]


def service(name: str = "dns", pops: tuple[str, ...] = ("ams", "fra", "lon"), **changes: object) -> Service:
    made = Service(
        name=name,
        prefixes=(PREFIX,),
        addresses=(parse_address("192.0.2.53"),),
        pops=pops,
        checks=(check(),),
        policies={(pop, "transit"): Policy(steered=STEERED) for pop in pops},
        floor=Floor(pops=1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def pop(name: str, capacity: float = 1.0) -> PoP:
    transit = Upstream("transit", UpstreamKind.TRANSIT, ASN(64601), (Neighbour(parse_address("203.0.113.1")),))
    router = Router("embedded", IPv4Address("10.0.0.1"))
    return PoP(name, name.title(), Location(0, 0), "eu", router, (transit,), capacity)


def fleet(*services: Service, pops: tuple[str, ...] = ("ams", "fra", "lon"), **changes: object) -> Fleet:
    made = Fleet("test", ASN(64500), ("eu",), tuple(pop(name) for name in pops), services or (service(),))
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class World:
    """Runs one engine: carries out its commands at once, unless told to hold or to fail."""

    engine: AgentEngine
    clock: float = 0.0
    wall_ahead_s: float = 0.0
    exports: Announcements = NOTHING
    answers: dict[str, Outcome] = field(default_factory=dict)
    seen: list[Command] = field(default_factory=list)
    apply_error: str | None = None
    reachable: bool = True

    @property
    def now(self) -> Now:
        return Now(Instant(self.clock), Timestamp(WALL + self.clock + self.wall_ahead_s))

    def run(self, seconds: float) -> "World":
        """Let time pass, from deadline to deadline."""
        end = self.clock + seconds
        while self.engine.deadline <= end:
            self.clock = max(self.clock, self.engine.deadline)
            self.carry_out(self.engine.wake(self.now))
        self.clock = end
        return self

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            self.seen.append(command)
            match command:
                case StartCheck(number, asked):
                    outcome = self.answers.get(asked.name, Outcome.PASS)
                    result = CheckResult(outcome, 0.001, outcome.value)
                    self.carry_out(self.engine.check_finished(number, result, self.now))
                case Apply(wanted):
                    if self.apply_error is None:
                        self.exports = wanted
                    self.carry_out(self.engine.applied(self.apply_error, self.now))
                case ReadExports() if self.reachable:
                    self.carry_out(
                        self.engine.exports_read(RouterView(self.exports, self.exports, ESTABLISHED), self.now)
                    )
                case ReadExports():
                    self.carry_out(self.engine.exports_unreadable("no answer"))
                case _:
                    pass

    def of(self, kind: type) -> list[object]:
        """Give the commands, or the bodies of the events, of a kind."""
        bodies = [command.body if isinstance(command, Record) else command for command in self.seen]
        return [body for body in bodies if isinstance(body, kind)]

    def prefixes(self) -> set[str]:
        return {str(route.prefix) for route in self.exports}


def world(made: Fleet | None = None, at: str = "ams", saved: AgentState | None = None, seed: int = 1) -> World:
    start = Now(Instant(0.0), Timestamp(WALL))
    engine = AgentEngine(made or fleet(), at, saved or AgentState(), random.Random(seed), start)
    return World(engine)
