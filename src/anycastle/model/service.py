"""What is announced, where, and under which conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import fsum

from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check
from anycastle.model.prefix import Address, Prefix


class OnExit(Enum):
    """What becomes of a service's announcement when its agent stops in good order."""

    WITHDRAW = "withdraw"
    HOLD = "hold"
    """Keep it for the next agent: as a lease, which the watchdog ends after `Lease.hold_s` unless it says KEEP."""


class WhenAlone(Enum):
    """What a PoP does on a hard failure when it holds no withdraw permit and reaches no controller."""

    ANNOUNCE = "announce"
    WITHDRAW = "withdraw"


class LeaseEnd(Enum):
    """What the watchdog does with a service's announcement when the agent dies or hangs."""

    WITHDRAW = "withdraw"
    HOLD = "hold"
    """Keep it for `Lease.hold_s`, then withdraw."""
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Lease:
    """How long an announcement outlives the agent that made it."""

    end: LeaseEnd = LeaseEnd.WITHDRAW
    duration_s: float = 10.0
    """Silence of the agent after which the lease has lapsed."""
    hold_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of the hard checks must pass for the service to be up. `all` needs every one, `any` needs one."""

    need: int | None = None
    """None stands for all."""

    def required_of(self, total: int) -> int:
        """Give the number of passing checks needed among `total`."""
        return total if self.need is None else min(self.need, total)


@dataclass(frozen=True, slots=True)
class Dampening:
    """Flap dampening (RFC 2439 §4.2): a penalty per withdrawal that decays by half in each half-life."""

    penalty: float = 1000.0
    suppress: float = 2500.0
    reuse: float = 750.0
    half_life_s: float = 60.0
    max_suppress_s: float = 300.0


@dataclass(frozen=True, slots=True)
class SlowStart:
    """After a recovery `attributes` come on top of the policy's own for `duration_s`: prepends and communities add."""

    duration_s: float = 0.0
    attributes: RouteAttributes = RouteAttributes()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a service is announced to one upstream of one PoP."""

    announce: bool = True
    attributes: RouteAttributes = RouteAttributes()
    steered: RouteAttributes = RouteAttributes()
    """Used in place of `attributes` while a soft check fails and while a drain shuts gracefully."""


_NO_POLICY = Policy(announce=False)


@dataclass(frozen=True, slots=True)
class Floor:
    """What must keep announcing, whatever happens: a number of PoPs and a sum of their capacity."""

    pops: int = 1
    capacity: float = 0.0

    def met_by(self, capacities: Sequence[float]) -> bool:
        """Tell whether PoPs of these capacities meet it."""
        return len(capacities) >= self.pops and fsum(capacities) >= self.capacity

    def spares(self, capacities: Mapping[str, float]) -> list[str]:
        """Give the PoPs that may all be missing at once, taken in their order while what is left meets it.

        Sums are exact and rounded once, as those of `met_by` are; the cost goes with the number of PoPs.
        """
        spared: list[str] = []
        if len(capacities) <= self.pops:
            return spared  # as it mostly is where permits are dealt already: no sum is needed
        if self.capacity <= 0:
            return list(capacities)[: len(capacities) - self.pops]
        left = sum(map(Fraction, capacities.values()), Fraction())
        for pop, capacity in capacities.items():
            if len(capacities) - len(spared) <= self.pops:
                break
            without = left - Fraction(capacity)
            if float(without) >= self.capacity:
                left = without
                spared.append(pop)
        return spared


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A span of wall time in which a PoP may be withdrawn without alarm. Start and end in seconds since 1970, UTC."""

    start: float
    end: float
    pops: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Service:
    """An anycast service: its prefixes and addresses, the PoPs that serve it, and when each may announce it."""

    name: str
    prefixes: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    pops: tuple[str, ...]
    """In the order in which they may go: withdraw permits are dealt from the first; the last give way last."""
    checks: tuple[Check, ...]
    quorum: Quorum = Quorum()
    policies: Mapping[tuple[str, str], Policy] = field(default_factory=dict)
    """(PoP, upstream) -> policy, complete: the loader fills in the defaults."""
    held: Mapping[tuple[str, str, Prefix], Policy] = field(default_factory=dict)
    """(PoP, upstream, prefix) -> policy in place of the one above: a route that a rollout has not come to, or has left
    behind. No file says so; a controller's assignment does."""
    floor: Floor = Floor()
    on_exit: OnExit = OnExit.WITHDRAW
    when_alone: WhenAlone = WhenAlone.ANNOUNCE
    lease: Lease = Lease()
    dampening: Dampening = Dampening()
    slow_start: SlowStart = SlowStart()
    windows: tuple[MaintenanceWindow, ...] = ()
    mitigations: tuple[Prefix, ...] = ()
    """More-specifics of `prefixes` that may be announced against a hijack, and never else."""
    manage_addresses: bool = True
    """Add `addresses` to the loopback before announcing, and remove them after withdrawing for good."""

    @property
    def promised(self) -> tuple[Prefix, ...]:
        """The prefixes by which a PoP serves it: without what is announced against a hijack for a while."""
        if not self.mitigations:
            return self.prefixes
        return tuple(each for each in self.prefixes if each not in self.mitigations)

    def policy(self, pop: str, upstream: str, prefix: Prefix) -> Policy:
        """Give how a prefix is announced to an upstream of a PoP; not at all where nothing says how."""
        held = self.held.get((pop, upstream, prefix)) if self.held else None
        return held or self.policies.get((pop, upstream), _NO_POLICY)
