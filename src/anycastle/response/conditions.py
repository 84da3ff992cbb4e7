"""What is wrong at the PoPs, made of what their agents say: facts in, the signals that fire and the known causes out.

Theory of operation. Both are *levels*, worked out anew from what is so now, and not from what was told on the way: a
message that never came leaves nothing firing for ever, and a controller that takes over sees what its predecessor saw.
`Levels` makes the edges that the response engine takes.

A PoP that is gone says nothing of its services: it is one signal, and what it said before counts no more. Where all
PoPs are gone at once, it is this controller that is cut off, which is one signal too, and about no PoP.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Family
from anycastle.model.stance import DrainStep, Stance
from anycastle.response.follows import POP_DOWN, SERVICE_DOWN, SESSION_DOWN, WITHDRAWN
from anycastle.response.openings import CONTROLLER_ALONE, opens
from anycastle.response.signal import Cause, CauseKind, Signal, Subject, Urgency

NAMED_MAX: Final = 3
CAUSES_OF_ROLLOUTS_MAX: Final = 500
"""Beyond it a rollout's prefixes are not told one by one: it moves all there is."""


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """A service at a PoP, as its agent says."""

    name: str
    stance: Stance
    drain: DrainStep = DrainStep.NORMAL
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PoPSeen:
    """A PoP, as far as it was heard."""

    pop: str
    connected: bool
    services: Sequence[ServiceSeen] = ()
    wanted: Collection[Announcement] = ()
    exported: Collection[Announcement] = ()
    established: Collection[tuple[str, Family]] = ()
    booted: bool = True
    """Its router was read; before that nothing is known of routes and sessions."""


def alone(pops: Sized) -> Signal:
    """Give the signal that no PoP is heard."""
    return opens(CONTROLLER_ALONE, Subject(), f"none of {len(pops)} PoPs has a session with the controller")


def signals_of(seen: PoPSeen) -> list[Signal]:
    """Give what fires at one PoP."""
    if not seen.connected:
        return [opens(POP_DOWN, Subject(pop=seen.pop), f"{seen.pop} is gone: its agent has no session")]
    found = [signal for service in seen.services for signal in _of_service(seen.pop, service)]
    if seen.booted:
        found += _of_sessions(seen)
        found += _of_routes(seen)
    return found


def _of_service(pop: str, service: ServiceSeen) -> list[Signal]:
    """One that is taken away on purpose is no news; the drain that does it is a cause."""
    if service.stance is Stance.ANNOUNCE or service.drain is not DrainStep.NORMAL:
        return []
    done = "is withdrawn" if service.stance is Stance.WITHDRAW else "fails and is still announced"
    text = f"{service.name} {done} at {pop}: {service.reason}" if service.reason else f"{service.name} {done} at {pop}"
    return [opens(SERVICE_DOWN, Subject(service=service.name, pop=pop), text)]


def _of_sessions(seen: PoPSeen) -> list[Signal]:
    needed = {(route.upstream, route.prefix.family) for route in seen.wanted}
    lost = needed - set(seen.established)
    if not lost:
        return []
    names = _named({upstream for upstream, _ in lost})
    if lost == needed:
        return [opens(SESSION_DOWN, Subject(pop=seen.pop), f"{seen.pop} has no session to announce by: {names}")]
    text = f"{seen.pop} lost sessions, and others carry its routes: {names}"
    return [opens(SESSION_DOWN, Subject(pop=seen.pop), text, part=True)]


def _of_routes(seen: PoPSeen) -> list[Signal]:
    """What is wanted over sessions that are up, and is not exported: somebody changed the router, or it refuses."""
    up = set(seen.established)
    carried = [route for route in seen.wanted if (route.upstream, route.prefix.family) in up]
    there = {(route.upstream, route.prefix) for route in seen.exported}
    missing = [route for route in carried if (route.upstream, route.prefix) not in there]
    if not missing:
        return []
    announced = {prefix for _, prefix in there}
    silent = {str(route.prefix) for route in missing if route.prefix not in announced}
    if silent:
        text = f"{seen.pop} does not announce {_named(silent)}, though its agent wants it to"
        return [opens(WITHDRAWN, Subject(pop=seen.pop), text)]
    text = f"{seen.pop} does not announce all that its agent wants: {_named({str(route.prefix) for route in missing})}"
    return [opens(WITHDRAWN, Subject(pop=seen.pop), text, part=True)]


def _named(names: Collection[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - NAMED_MAX} more" if len(shown) > NAMED_MAX else ""
    return ", ".join(shown[:NAMED_MAX]) + more


# causes


@dataclass(frozen=True, slots=True)
class RolloutSeen:
    """A rollout that moves routes now."""

    number: int
    prefixes: Collection[str]
    who: str
    reason: str


def drains_of(seen: PoPSeen) -> list[Cause]:
    """Give the drains that the PoP's own agent tells of, whoever ordered them."""
    return [drain_of(seen.pop, service.name) for service in seen.services if service.drain is not DrainStep.NORMAL]


def drain_of(pop: str, service: str, text: str = "") -> Cause:
    """Give the cause that a drain is."""
    subject = Subject(service=service, pop=pop)
    return Cause(f"{drain_prefix(pop)}{service}", CauseKind.DRAIN, subject, text or f"{service} is drained at {pop}")


def drain_prefix(pop: str) -> str:
    """Give what the names of a PoP's drains begin with."""
    return f"drain/{pop}/"


def rollouts_of(rollouts: Iterable[RolloutSeen]) -> list[Cause]:
    """Give the changes that move routes."""
    found = [
        Cause(f"rollout/{each.number}/{prefix}", CauseKind.CHANGE, Subject(prefix=prefix),
              f"rollout {each.number} of {each.who}: {each.reason}")
        for each in rollouts
        for prefix in sorted(each.prefixes)
    ]  # fmt: skip
    return found[:CAUSES_OF_ROLLOUTS_MAX]


def maintenance_of(fleet: Fleet, now: Timestamp) -> list[Cause]:
    """Give the windows that are open: of a service at a PoP, and of a PoP where all of its services are within one."""
    open_at: dict[str, dict[str, str]] = {}
    for service in fleet.services:
        for window in service.windows:
            if window.start <= now < window.end:
                for pop in window.pops:
                    open_at.setdefault(pop, {})[service.name] = window.reason or "maintenance"
    found = []
    for pop, services in open_at.items():
        for name, reason in services.items():
            subject = Subject(service=name, pop=pop)
            found.append(
                Cause(f"maintenance/{pop}/{name}", CauseKind.MAINTENANCE, subject, f"{name} at {pop}: {reason}")
            )
        if {service.name for service in fleet.services_at(pop)} <= services.keys():
            reason = next(iter(services.values()))
            found.append(Cause(f"maintenance/{pop}", CauseKind.MAINTENANCE, Subject(pop=pop), f"{pop}: {reason}"))
    return found


# levels to edges

Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Levels:
    """What fires and what is known now; gives what changed."""

    signals: dict[Key, Signal] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)

    def signals_now(self, firing: Iterable[Signal]) -> list[Signal]:
        """Give the edges: what fires newly or otherwise, and what does not any more, as quiet."""
        wanted = {each.key: each for each in firing}
        edges = [each for key, each in wanted.items() if self.signals.get(key) != each]
        edges += [
            Signal(old.name, old.subject, old.urgency, firing=False, summary=old.summary)
            for key, old in self.signals.items()
            if key not in wanted
        ]
        self.signals = wanted
        return edges

    def causes_now(self, known: Iterable[Cause]) -> tuple[list[Cause], list[Cause]]:
        """Give those that begin, and those that end."""
        wanted = {each.id: each for each in known}
        begun = [each for name, each in wanted.items() if name not in self.causes]
        ended = [each for name, each in self.causes.items() if name not in wanted]
        self.causes = wanted
        return begun, ended


def with_urgency(signals: Iterable[Signal], urgency: Mapping[str, Urgency]) -> list[Signal]:
    """Give signals with what the operator says of their kinds; what is a ticket already stays one."""
    return [
        Signal(each.name, each.subject, urgency[each.name], each.firing, each.summary)
        if each.name in urgency and each.urgency is Urgency.PAGE
        else each
        for each in signals
    ]
