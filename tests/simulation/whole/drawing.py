"""Fleets, and the revisions of them that people write: sensible, careless and wrong ones."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from anycastle.health.decider import Pace
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.check import Check, Severity
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.service import Dampening, Floor, Lease, LeaseEnd, OnExit, Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from tests.unit.health.world import STEERED, check

WRONG = "wrong "
"""What the name of a check begins with that fails whatever it looks at."""


@dataclass(frozen=True)
class Scale:
    """How large a seed is, how long it lasts, and how often agents do what they do for ever."""

    pops: int
    services: int
    duration_s: float
    pace: Pace
    coarse: bool


def draw_scale(draw: random.Random) -> Scale:
    """Give mostly a few PoPs for some hours, at times 200, and at times a second's pace for minutes."""
    if draw.random() < 0.15:
        return Scale(draw.randint(2, 5), draw.randint(1, 2), draw.uniform(120, 600), Pace(), coarse=False)
    kind = draw.random()
    pops = draw.randint(2, 7) if kind < 0.75 else draw.randint(8, 40) if kind < 0.96 else draw.randint(100, 200)
    hours = draw.uniform(3, 12) if pops < 100 else draw.uniform(2, 4)
    return Scale(pops, draw.randint(1, 3 if pops < 8 else 2), 3600.0 * hours, Pace(60.0, 60.0), coarse=True)


def draw_fleet(draw: random.Random, scale: Scale) -> Fleet:
    """Give a fleet in which every PoP serves something."""
    regions = ("africa", "america", "asia")[: draw.randint(1, 3)]
    stated = draw.random() < 0.5
    pops = tuple(_draw_pop(draw, number, regions, stated) for number in range(scale.pops))
    services = tuple(_draw_service(draw, number, pops, scale) for number in range(scale.services))
    return Fleet(
        "simulated", ASN(64500), regions, pops, services,
        controller=ControllerAccess(("192.0.2.1",)),
    )  # fmt: skip


def _draw_pop(draw: random.Random, number: int, regions: tuple[str, ...], stated: bool) -> PoP:
    names = ("t1", "t2")[: draw.randint(1, 2)]
    neighbour = (Neighbour(parse_address("203.0.113.1")),)
    upstreams = tuple(Upstream(name, UpstreamKind.TRANSIT, ASN(64601), neighbour) for name in names)
    router = Router("embedded", IPv4Address(0x0A000000 + number + 1))
    capacity = draw.choice((1e9, 2e9, 10e9, 40e9)) if stated else 1.0
    return PoP(f"pop{number}", f"Pop {number}", Location(0, 0), draw.choice(regions), router, upstreams, capacity)


def _draw_service(draw: random.Random, number: int, pops: tuple[PoP, ...], scale: Scale) -> Service:
    at = pops if number == 0 else tuple(draw.sample(pops, draw.randint(min(2, len(pops)), len(pops))))
    prefix = parse_prefix(f"198.18.{number}.0/24")
    policy = Policy(steered=STEERED)
    return Service(
        name=f"service{number}",
        prefixes=(prefix,),
        addresses=(parse_address(f"198.18.{number}.53"),),
        pops=tuple(pop.name for pop in at),
        checks=_draw_checks(draw, number, scale),
        policies={(pop.name, upstream.name): policy for pop in at for upstream in pop.upstreams},
        floor=draw_floor(draw, at),
        dampening=Dampening(half_life_s=60, max_suppress_s=300),
        lease=Lease(draw.choice(list(LeaseEnd)), 600.0 if scale.coarse else 10.0, 60.0),
        on_exit=draw.choice(list(OnExit)),
    )


def _draw_checks(draw: random.Random, number: int, scale: Scale) -> tuple[Check, ...]:
    interval_s = draw.choice((30.0, 60.0, 120.0)) if scale.coarse else draw.choice((0.5, 1.0, 5.0))
    hard = check(f"check{number}", interval_s=interval_s, fall=draw.randint(1, 4), rise=draw.randint(1, 3))
    if draw.random() < 0.8:
        return (hard,)
    return hard, replace(hard, name=f"soft{number}", severity=Severity.SOFT, interval_s=2 * interval_s)


def draw_floor(draw: random.Random, pops: tuple[PoP, ...]) -> Floor:
    """Give a floor that all the PoPs together meet."""
    whole = sum(pop.capacity for pop in pops)
    return Floor(draw.randint(1, len(pops)), draw.choice((0.0, draw.uniform(0, whole))))


# -- revisions ------------------------------------------------------------------------------------------------------


def draw_revision(draw: random.Random, fleet: Fleet) -> tuple[str, Fleet]:
    """Give what somebody makes of the folder, in words, and the folder."""
    change = draw.choice(_CHANGES)
    service = draw.choice(fleet.services)
    changed = change(draw, fleet, service)
    words = change.__name__.strip("_").replace("_", " ")
    if isinstance(changed, Service):
        words = f"{words}: {service.name}"
        changed = replace(fleet, services=tuple(changed if each is service else each for each in fleet.services))
    served = tuple(each for each in changed.services if each.pops)
    return words, replace(changed, services=served) if served and changed.pops else fleet


def _prepend(draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    attributes = RouteAttributes(prepend=draw.randint(0, 5))
    some = {key for key in service.policies if draw.random() < draw.choice((0.1, 1.0))}
    return replace(
        service,
        policies={
            key: replace(each, attributes=attributes) if key in some else each for key, each in service.policies.items()
        },
    )


def _silence(draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    """Announce through some upstreams no more, or through all of a PoP, or of all."""
    share = draw.choice((0.1, 0.5, 1.0))
    return replace(
        service,
        policies={
            key: replace(each, announce=draw.random() > share) if each.announce else replace(each, announce=True)
            for key, each in service.policies.items()
        },
    )


def _wrong_check(draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    checks = service.checks
    return replace(service, checks=(replace(checks[0], name=f"{WRONG}{draw.randint(0, 99)}"), *checks[1:]))


def _right_check(_draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    number = service.name.removeprefix("service")
    return replace(service, checks=(replace(service.checks[0], name=f"check{number}"), *service.checks[1:]))


def _other_pace(draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    changed = replace(service.checks[0], fall=draw.randint(1, 4), rise=draw.randint(1, 3))
    return replace(service, checks=(changed, *service.checks[1:]), on_exit=draw.choice(list(OnExit)))


def _other_floor(draw: random.Random, fleet: Fleet, service: Service) -> Service:
    serving = tuple(pop for pop in fleet.pops if pop.name in service.pops)
    return replace(service, floor=draw_floor(draw, serving)) if serving else service


def _pops_leave(draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    """One PoP leaves a service; or half of them, by mistake."""
    count = draw.choice((1, 1, len(service.pops) // 2))
    leaving = set(draw.sample(service.pops, min(count, len(service.pops))))
    policies = {key: each for key, each in service.policies.items() if key[0] not in leaving}
    return replace(service, pops=tuple(pop for pop in service.pops if pop not in leaving), policies=policies)


def _pops_join(draw: random.Random, fleet: Fleet, service: Service) -> Service:
    missing = [pop for pop in fleet.pops if pop.name not in service.pops]
    joining = draw.sample(missing, draw.randint(1, len(missing))) if missing else []
    added = {(pop.name, up.name): Policy(steered=STEERED) for pop in joining for up in pop.upstreams}
    pops = (*service.pops, *(pop.name for pop in joining))
    return replace(service, pops=pops, policies={**service.policies, **added})


def _other_prefixes(_draw: random.Random, _fleet: Fleet, service: Service) -> Service:
    """A second prefix comes, or goes."""
    number = int(service.name.removeprefix("service"))
    if len(service.prefixes) > 1:
        return replace(service, prefixes=service.prefixes[:1])
    return replace(service, prefixes=(*service.prefixes, parse_prefix(f"198.19.{number}.0/24")))


def _service_deleted(_draw: random.Random, fleet: Fleet, service: Service) -> Fleet:
    rest = tuple(each for each in fleet.services if each is not service)
    return replace(fleet, services=rest) if rest else fleet


def _half_the_pops_deleted(draw: random.Random, fleet: Fleet, _service: Service) -> Fleet:
    """A folder with half its files: every service loses half its PoPs."""
    gone = {pop.name for pop in draw.sample(fleet.pops, len(fleet.pops) // 2)}
    services = tuple(
        replace(
            each,
            pops=tuple(pop for pop in each.pops if pop not in gone),
            policies={key: policy for key, policy in each.policies.items() if key[0] not in gone},
        )
        for each in fleet.services
    )
    pops = tuple(pop for pop in fleet.pops if pop.name not in gone)
    return replace(fleet, pops=pops, services=tuple(each for each in services if each.pops))


def _another_upstream(draw: random.Random, fleet: Fleet, _service: Service) -> Fleet:
    """A PoP has an upstream that its machine does not run: its agent refuses that."""
    chosen = draw.choice(fleet.pops)
    more = replace(chosen.upstreams[0], name="t3")
    changed = replace(chosen, upstreams=(*chosen.upstreams, more))
    return replace(fleet, pops=tuple(changed if each is chosen else each for each in fleet.pops))


Change = Callable[[random.Random, Fleet, Service], Service | Fleet]

_CHANGES: tuple[Change, ...] = (
    _prepend, _prepend, _prepend, _silence, _wrong_check, _wrong_check, _right_check, _other_pace, _other_floor,
    _other_floor, _pops_leave, _pops_leave, _pops_join, _pops_join, _other_prefixes, _service_deleted,
    _half_the_pops_deleted, _another_upstream,
)  # fmt: skip
