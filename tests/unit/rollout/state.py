"""A fleet of four PoPs with two upstreams each, and agents that say what they would of it."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import Family, parse_address, parse_prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.stance import Stance
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.rollout.check_input import Evidence
from anycastle.rollout.definition import Definitions
from anycastle.rollout.intent import Intent, intent_of
from anycastle.rollout.live import Live, PoPReport, ServiceReport, live_of
from anycastle.rollout.plan import FolderRevision, Plan, plan_of

NOW = Timestamp(1_700_000_000.0)
FOLDER = FolderRevision("c0ffee" * 6, dirty=False, digest="d1")
POPS = {"ams": "eu", "fra": "eu", "iad": "us", "nrt": "asia"}
UPSTREAMS = ("one", "two")
STEERED = RouteAttributes(prepend=2, communities=frozenset({GRACEFUL_SHUTDOWN}))
V4, V6 = parse_prefix("192.0.2.0/24"), parse_prefix("2001:db8::/48")


def upstream(name: str, number: int) -> Upstream:
    return Upstream(name, UpstreamKind.TRANSIT, ASN(64600 + number), (Neighbour(parse_address("203.0.113.1")),))


def pop(name: str, region: str, capacity: float = 10_000.0, upstreams: tuple[str, ...] = UPSTREAMS) -> PoP:
    made = tuple(upstream(each, number) for number, each in enumerate(upstreams, 1))
    return PoP(name, name, Location(0, 0), region, Router("embedded", IPv4Address("10.0.0.1")), made, capacity)


def service(name: str = "dns", pops: tuple[str, ...] = tuple(POPS), **changes: Any) -> Service:
    policy = changes.pop("policy", Policy(steered=STEERED))
    made = Service(
        name=name,
        prefixes=(V4, V6),
        addresses=(parse_address("192.0.2.53"),),
        pops=pops,
        checks=(),
        policies={(pop, each): policy for pop in pops for each in UPSTREAMS},
        floor=Floor(pops=2),
    )
    return replace(made, **changes)


def fleet(*services: Service, pops: Mapping[str, str] = POPS, capacity: float = 10_000.0) -> Fleet:
    regions = tuple(dict.fromkeys(pops.values()))
    made = tuple(pop(name, region, capacity) for name, region in pops.items())
    return Fleet("test", ASN(64500), regions, made, services or (service(),))


def report(made: Fleet, at: str, **changes: Any) -> PoPReport:
    """What the agent of a PoP says once it has read these files, and all is well."""
    routes = frozenset(
        Announcement(key.prefix, key.upstream, route.attributes)
        for key, route in intent_of(made).routes.items()
        if key.pop == at
    )
    services = {
        each.name: ServiceReport(
            each.name,
            Stance.ANNOUNCE,
            "serving",
            PermitState.HELD,
            prefixes=each.prefixes,
            floor=each.floor,
            definitions=Definitions().at(each, made.pop(at)),
        )
        for each in made.services_at(at)
    }
    sessions = frozenset((name, family) for name in UPSTREAMS for family in Family)
    here = made.pop(at)
    told = PoPReport(at, routes, routes, services, sessions, region=here.region, capacity=here.capacity)
    return replace(told, **changes)


def saying(told: PoPReport, name: str = "dns", **changes: Any) -> PoPReport:
    """The same, but of one service the agent says otherwise."""
    return replace(told, services={**told.services, name: replace(told.services[name], **changes)})


def live(made: Fleet, *changed: PoPReport, without: tuple[str, ...] = ()) -> Live:
    """All agents as they are once they have read these files; some say otherwise, some are not heard."""
    said = {each.name: report(made, each.name) for each in made.pops if each.name not in without}
    said |= {each.pop: each for each in changed}
    return live_of(said.values(), [each.name for each in made.pops])


def plan(after: Fleet, now: Live, evidence: Evidence = Evidence(), at: Timestamp = NOW) -> Plan:
    """A plan to these files. PoPs that they do not have any more are heard all the same."""
    known = live_of(now.reports.values(), [each.name for each in after.pops])
    return plan_of(intent_of(after), known, FOLDER, at, evidence)


def intent(*services: Service) -> Intent:
    return intent_of(fleet(*services))


def found(made: Plan, *, notices: bool = False) -> list[tuple[str, str, str]]:
    """The findings as code, severity and subject."""
    listed = [(each.code, each.severity.value, each.subject) for each in made.findings]
    return [each for each in listed if notices or each[1] != "notice"]


def lines(made: Plan) -> list[str]:
    return [f"{change.kind.value} {change.service} {change.key}" for change in made.difference.changes]
