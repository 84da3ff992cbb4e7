"""What is announced really: the agents' reports of what their routers export.

A PoP that was not heard is unknown, and never 'announces nothing'. So is one whose agent has not read its router yet.
The *live revision* is a digest of all exports and of who was not heard: a plan is bound to it. Health is no part of it;
what of that a plan rests on is in the digest of its checks' inputs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Family, Prefix
from anycastle.model.service import Floor
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout.intent import RouteKey

REVISION_DIGITS = 16
"""Hexadecimal digits of a digest that are kept: 64 bits tell states apart, they need not resist forgery."""


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """What an agent says of one service."""

    name: str
    stance: Stance
    reason: str
    permit: PermitState
    drain: DrainStep = DrainStep.NORMAL
    drain_owner: str = ""
    prefixes: tuple[Prefix, ...] = ()
    """Empty where the agent is too old to say."""
    floor: Floor | None = None
    """As the files have it that the agent read last; None where it is too old to say."""
    definitions: Mapping[str, str] | None = None
    """Part of the service's definition -> digest (`definition`); None where the agent is too old to say."""


@dataclass(frozen=True, slots=True)
class PoPReport:
    """What one agent says."""

    pop: str
    exported: Announcements
    """What the router tells its neighbours, over the sessions that are up."""
    wanted: Announcements
    """What the agent told the router."""
    services: Mapping[str, ServiceReport]
    established: frozenset[tuple[str, Family]]
    """Upstreams and families with a session that is up."""
    at: Timestamp | None = None
    """When the agent said so; None where it is too old to say."""
    region: str = ""
    capacity: float | None = None
    """As the files have both that the agent read last."""
    booted: bool = True
    """The router has been read."""
    observe_only: bool = False
    problems: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """Give a digest of what is exported."""
        return digest(sorted(_line(route) for route in self.exported))

    @property
    def stances(self) -> dict[str, Stance]:
        """Give the stance of each service."""
        return {name: report.stance for name, report in self.services.items()}


@dataclass(frozen=True, slots=True)
class Live:
    """What all agents that were heard say."""

    reports: Mapping[str, PoPReport]
    """PoP -> report; only of agents that have read their routers."""
    unheard: tuple[str, ...]
    """PoPs of which nothing is known: those of the fleet in its order, then others whose agents know nothing yet."""

    @property
    def revision(self) -> str:
        """Give the live revision."""
        heard = [f"{pop} {report.revision}" for pop, report in sorted(self.reports.items())]
        return digest([*heard, *(f"{pop} unheard" for pop in sorted(self.unheard))])

    @property
    def exported(self) -> dict[RouteKey, RouteAttributes]:
        """Give all routes that are known to be announced."""
        return routes_of(self.reports.values())

    def carries(self, key: RouteKey) -> bool:
        """Tell whether a session that would carry the route is up."""
        report = self.reports.get(key.pop)
        return report is not None and (key.upstream, key.prefix.family) in report.established


def live_of(reports: Iterable[PoPReport], pops: Iterable[str]) -> Live:
    """Give the live state of a fleet with these PoPs; reports of PoPs that it does not have are kept too."""
    said = {report.pop: report for report in reports}
    heard = {pop: report for pop, report in said.items() if report.booted}
    return Live(heard, tuple(pop for pop in dict.fromkeys([*pops, *said]) if pop not in heard))


def routes_of(reports: Iterable[PoPReport]) -> dict[RouteKey, RouteAttributes]:
    """Give the exports of some PoPs by their keys."""
    return {
        RouteKey(report.pop, route.upstream, route.prefix): route.attributes
        for report in reports
        for route in report.exported
    }


def digest(lines: Iterable[str]) -> str:
    """Give the digest of lines, in their order."""
    return sha256("\n".join(lines).encode()).hexdigest()[:REVISION_DIGITS]


def _line(route: Announcement) -> str:
    attributes = route.attributes
    communities = " ".join(sorted(map(str, attributes.communities)))
    told = f"{attributes.prepend} {attributes.med} {attributes.local_preference} {communities}"
    return f"{route.prefix} {route.upstream} {told}"
