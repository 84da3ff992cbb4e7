"""Intent against what is announced: what a plan would change, what health explains, and what a human did.

Theory of operation. For each route there are three voices: the files (after what the PoP's health makes of them), the
agent (`wanted`, which is what the files say that it read last, after health), and the router (`exported`).

- Router as the files: nothing to do. If that is not the usual announcement, health explains it.
- Router as the agent, both unlike the files: the files were changed since. A `Change`.
- Router unlike the agent, with a session that is up: nobody of ours did that. A `Drift`: a human's edit, or a router
  that does not obey. Where the files want a third thing it is a change as well, which a check refuses.
- Router silent because no session is up: health again; then files and agent are compared.

Beside its routes, a service has a definition at each PoP (`definition`): where that of the files is not the one that
the agent says it lives by, it is a `DefinitionChange`. Nothing is said of PoPs that were not heard.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from anycastle.model.announcement import RouteAttributes
from anycastle.model.prefix import Prefix
from anycastle.rollout.definition import Definitions, differing_parts
from anycastle.rollout.intent import IntendedRoute, Intent, RouteKey
from anycastle.rollout.live import Live, PoPReport

UNKNOWN_SERVICE = "(unknown)"
"""Of a route whose service neither the files nor the agent name."""


class ChangeKind(Enum):
    """What becomes of a route; the value is the sign that plans show."""

    ADDED = "+"
    CHANGED = "~"
    WITHDRAWN = "-"


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute, before and after, as text."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A route that is announced otherwise after the plan."""

    key: RouteKey
    service: str
    before: RouteAttributes | None
    after: RouteAttributes | None

    @property
    def kind(self) -> ChangeKind:
        """Give what becomes of the route."""
        if self.before is None:
            return ChangeKind.ADDED
        return ChangeKind.WITHDRAWN if self.after is None else ChangeKind.CHANGED

    @property
    def attributes(self) -> tuple[AttributeChange, ...]:
        """Give which attributes change; of a route that is added or withdrawn, none."""
        if self.before is None or self.after is None:
            return ()
        pairs = zip(attribute_texts(self.before), attribute_texts(self.after), strict=True)
        return tuple(AttributeChange(name, one, other) for (name, one), (_, other) in pairs if one != other)


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """What a service is at a PoP beside its routes is otherwise after the plan."""

    pop: str
    service: str
    parts: tuple[str, ...]
    """Which parts (`definition`) differ; at least one."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A route that is not announced as usual, and what explains it: no change of the plan."""

    key: RouteKey
    service: str
    why: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A route that the router announces otherwise than its agent told it."""

    key: RouteKey
    service: str
    told: RouteAttributes | None
    exported: RouteAttributes | None
    intended: RouteAttributes | None
    """What the files mean, after health."""


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs, each part sorted by service, PoP, upstream, prefix."""

    changes: tuple[Change, ...]
    explained: tuple[Explained, ...]
    drifts: tuple[Drift, ...]
    unheard: tuple[str, ...]
    """PoPs of which nothing is known, so nothing is planned."""
    definitions: tuple[DefinitionChange, ...] = ()
    """Sorted by service and PoP."""
    undefined: tuple[str, ...] = ()
    """PoPs whose agents are too old to say by which definitions they live: of these none is planned."""

    @property
    def empty(self) -> bool:
        """Whether nothing would be changed."""
        return not self.changes and not self.definitions

    @property
    def pops(self) -> tuple[str, ...]:
        """Give the PoPs that would be changed."""
        touched = {change.key.pop for change in self.changes} | {each.pop for each in self.definitions}
        return tuple(sorted(touched))

    @property
    def services(self) -> frozenset[str]:
        """Give the services that would be changed."""
        return frozenset(change.service for change in self.changes) | {each.service for each in self.definitions}


T = TypeVar("T", Change, Explained, Drift)


def differ(intent: Intent, live: Live) -> Difference:
    """Give how what is announced differs from what is meant."""
    changes, explained, drifts = list[Change](), list[Explained](), list[Drift]()
    meant: dict[str, dict[RouteKey, IntendedRoute]] = {}
    for key, route in intent.routes.items():
        meant.setdefault(key.pop, {})[key] = route
    for pop, report in live.reports.items():
        for found in _at(intent, meant.get(pop, {}), report):
            match found:
                case Change():
                    changes.append(found)
                case Explained():
                    explained.append(found)
                case Drift():
                    drifts.append(found)
    definitions, undefined = _definitions(intent, live)
    return Difference(_sorted(changes), _sorted(explained), _sorted(drifts), live.unheard, definitions, undefined)


def _definitions(intent: Intent, live: Live) -> tuple[tuple[DefinitionChange, ...], tuple[str, ...]]:
    """Give the services that a PoP has, and shall have, with another definition; and the PoPs that do not say."""
    places = {pop.name: pop for pop in intent.fleet.pops}
    meant, found, undefined = Definitions(), list[DefinitionChange](), dict[str, None]()
    for service in sorted(intent.fleet.services, key=lambda each: each.name):
        for pop in sorted(places.keys() & live.reports.keys() & set(service.pops)):
            told = live.reports[pop].services.get(service.name)
            if told is None:
                continue  # it comes with its routes
            if told.definitions is None:
                undefined[pop] = None
                continue
            parts = differing_parts(told.definitions, meant.at(service, places[pop]))
            if parts:
                found.append(DefinitionChange(pop, service.name, parts))
    return tuple(found), tuple(sorted(undefined))


def _sorted(found: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(found, key=lambda each: (each.service, each.key)))


def _at(
    intent: Intent, meant: Mapping[RouteKey, IntendedRoute], report: PoPReport
) -> Iterator[Change | Explained | Drift]:
    exported = {RouteKey(report.pop, route.upstream, route.prefix): route.attributes for route in report.exported}
    wanted = {RouteKey(report.pop, route.upstream, route.prefix): route.attributes for route in report.wanted}
    for key in exported.keys() | wanted.keys() | meant.keys():
        yield from _route(_Voices(key, meant.get(key), wanted.get(key), exported.get(key)), intent, report)


@dataclass(frozen=True, slots=True)
class _Voices:
    """What is said of one route."""

    key: RouteKey
    meant: IntendedRoute | None
    wanted: RouteAttributes | None
    exported: RouteAttributes | None


def _route(said: _Voices, intent: Intent, report: PoPReport) -> Iterator[Change | Explained | Drift]:
    key, exported = said.key, said.exported
    up = (key.upstream, key.prefix.family) in report.established
    silent = exported is None and said.wanted is not None and not up
    ways = (None,) if said.meant is None else said.meant.explained_ways(report.stances)
    service = _service(said, intent, report)
    really = said.wanted if silent else exported
    goal = really if really in ways else ways[0]
    if said.wanted != exported and not silent:
        yield Drift(key, service, said.wanted, exported, goal)
        if said.wanted in ways:
            return  # the agent was told what the files mean; that the router does otherwise is no change of theirs
    if really != goal:
        yield Change(key, service, really, goal)
    elif silent:
        yield Explained(key, service, f"no session with {key.upstream} is up for {key.prefix.family}")
    elif said.meant is not None and goal != said.meant.attributes:
        yield Explained(key, service, _why(said.meant, report))


def _why(meant: IntendedRoute, report: PoPReport) -> str:
    reports = [report.services[name] for name in meant.sharing if name in report.services]
    unusual = [f"{each.name} {each.stance.value}: {each.reason}" for each in reports if each.stance.value != "announce"]
    return "; ".join(unusual)


def _service(said: _Voices, intent: Intent, report: PoPReport) -> str:
    """Give the service of a route: as the files have it, else as the agent does, else by its prefix."""
    if said.meant is not None:
        return said.meant.service
    prefix = said.key.prefix
    told = [name for name, each in report.services.items() if prefix in each.prefixes]
    return next(iter([*told, *_having(intent, prefix)]), UNKNOWN_SERVICE)


def _having(intent: Intent, prefix: Prefix) -> list[str]:
    return [service.name for service in intent.fleet.services if prefix in service.prefixes]


def attribute_texts(attributes: RouteAttributes) -> tuple[tuple[str, str], ...]:
    """Give each attribute with its value as text, in a fixed order; '-' where it is not set."""
    communities = " ".join(sorted(map(str, attributes.communities)))
    return (
        ("prepend", str(attributes.prepend)),
        ("med", "-" if attributes.med is None else str(attributes.med)),
        ("local_preference", "-" if attributes.local_preference is None else str(attributes.local_preference)),
        ("communities", communities or "-"),
    )
