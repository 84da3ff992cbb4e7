"""The fleet's ROAs: what is wrong with those that exist, and which to create and delete.

What is announced, or planned to be, is one set of routes; each wants one ROA of its own, without a maximum length
beyond its prefix (RFC 9319 §3, RFC 9455 §3). What is not to be announced wants a ROA for AS0 (RFC 6483 §4). The audit
says where the VRPs differ from that in a way that harms; the plan is the difference itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import VRP, Validity

PLANNED_MAX: Final = 256
"""More-specifics of one rule that get ROAs of their own; a rule that allows more is told to be too wide."""

EXPIRY_WARNING_S: Final = 3 * 3600.0
"""A VRP that ends sooner has not been renewed in time. It ends with the first of the objects that it rests on, mostly
a manifest of a day that is made anew each hour: of 723,521 VRPs in rpki-client's export of 2025-07-20 half ended
within 25 h and 99.5 % later than 3 h."""

AS0: Final = ASN(0)


class VRPs(Protocol):
    """The part of a table of VRPs that is asked here."""

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        """Give a route's validity."""
        ...

    def covering(self, prefix: Prefix) -> tuple[VRP, ...]:
        """Give the VRPs whose prefix contains this one."""
        ...

    def within(self, prefix: Prefix) -> tuple[VRP, ...]:
        """Give the VRPs whose prefix lies in this one."""
        ...

    def expiry(self, vrp: VRP) -> int | None:
        """Give when a VRP expires, in seconds since 1970; None where it is not known."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A route that is announced, or may be: by whom and for what."""

    prefix: Prefix
    origin: ASN
    purpose: str
    announced: bool = True
    """It is announced now; else it is kept ready."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something about a ROA that should be otherwise. Codes are explained in docs/reference/rpki-findings.md."""

    code: str
    severity: str
    prefix: Prefix
    origin: ASN
    text: str


@dataclass(frozen=True, slots=True)
class ROAPlan:
    """The ROAs to create and to delete, each with why."""

    create: tuple[tuple[VRP, str], ...]
    delete: tuple[tuple[VRP, str], ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.create and not self.delete


def planned_routes(fleet: Fleet) -> tuple[Planned, ...]:
    """Give every route that the fleet's files announce or allow, each once."""
    origins = (fleet.asn, *fleet.watch.origins)
    found: dict[tuple[Prefix, ASN], Planned] = {}
    for service in fleet.services:
        for prefix in service.prefixes:
            _add(found, Planned(prefix, fleet.asn, f"announced for {service.name}"))
            for origin in fleet.watch.origins:
                _add(found, Planned(prefix, origin, "also announced by this origin", announced=False))
    for rule in fleet.watch.more_specifics:
        for prefix in _specifics(rule.prefix, rule.longest):
            for origin in rule.origins or origins:
                _add(found, Planned(prefix, origin, f"kept ready within {rule.prefix}", announced=False))
    return tuple(sorted(found.values()))


def _add(found: dict[tuple[Prefix, ASN], Planned], route: Planned) -> None:
    found.setdefault((route.prefix, route.origin), route)


def _specifics(prefix: Prefix, longest: int) -> Iterator[Prefix]:
    """Give the parts of a prefix at its rule's longest length, or nothing where they are too many for ROAs."""
    if 1 << (longest - prefix.length) > PLANNED_MAX:
        return
    step = 1 << (prefix.family.bits - longest)
    for number in range(1 << (longest - prefix.length)):
        yield Prefix(prefix.family, prefix.network + number * step, longest)


def audit(fleet: Fleet, vrps: VRPs, now: Timestamp) -> tuple[Issue, ...]:
    """Give what is wrong, the worst first, then by prefix."""
    routes = planned_routes(fleet)
    issues = [issue for route in routes for issue in _of_route(route, vrps, now)]
    issues += _of_vrps(fleet, routes, vrps)
    issues += _too_wide(fleet)
    issues += _unannounced(fleet, vrps)
    return tuple(sorted(set(issues), key=lambda issue: (_RANK[issue.severity], issue.prefix, issue.code, issue.text)))


_RANK: Final = {"error": 0, "warning": 1, "notice": 2}


def _of_route(route: Planned, vrps: VRPs, now: Timestamp) -> Iterator[Issue]:
    validity = vrps.validity(route.prefix, route.origin)
    what = f"AS{route.origin}, {route.purpose}"
    if validity is Validity.INVALID:
        against = ", ".join(map(str, vrps.covering(route.prefix)))
        code, severity = ("RPKI001", "error") if route.announced else ("RPKI003", "warning")
        yield Issue(code, severity, route.prefix, route.origin, f"{what}, is invalid against {against}")
    elif validity is Validity.NOT_FOUND:
        code, severity = ("RPKI002", "warning") if route.announced else ("RPKI003", "notice")
        yield Issue(code, severity, route.prefix, route.origin, f"{what}, is covered by no ROA")
    else:
        yield from _expiring(route, what, vrps, now)


def _expiring(route: Planned, what: str, vrps: VRPs, now: Timestamp) -> Iterator[Issue]:
    last = last_expiry(vrps, route.prefix, route.origin)
    if last is not None and last - now < EXPIRY_WARNING_S:
        hours = (last - now) / 3600
        text = (
            f"{what}: its ROA expires in {hours:.0f} h" if hours > 0 else f"{what}: its ROA expired {-hours:.0f} h ago"
        )
        yield Issue("RPKI007", "warning", route.prefix, route.origin, text)


def last_expiry(vrps: VRPs, prefix: Prefix, origin: ASN) -> Timestamp | None:
    """Give when the last VRP ends that makes an origin valid; None where none does, or one's end is not known."""
    valid = [vrp for vrp in vrps.covering(prefix) if vrp.asn == origin and vrp.max_length >= prefix.length]
    ends = [vrps.expiry(vrp) for vrp in valid]
    known = [end for end in ends if end is not None]
    return Timestamp(float(max(known))) if known and len(known) == len(ends) else None


def _of_vrps(fleet: Fleet, routes: Iterable[Planned], vrps: VRPs) -> Iterator[Issue]:
    wanted = {(route.prefix, route.origin) for route in routes}
    origins = {origin for _, origin in wanted}
    for vrp in _ours(fleet, vrps):
        if vrp.asn not in origins and vrp.asn != AS0 and not _allowed(fleet, vrp):
            text = f"{vrp} lets a network announce it that is none of the fleet's origins"
            yield Issue("RPKI006", "warning", vrp.prefix, vrp.asn, text)
        elif vrp.loose:
            unplanned = f"{vrp} allows more-specifics that are not planned: a forged origin makes them valid"
            yield Issue("RPKI004", "warning", vrp.prefix, vrp.asn, unplanned)
        elif (vrp.prefix, vrp.asn) not in wanted and vrp.asn != AS0 and not _allowed(fleet, vrp):
            yield Issue("RPKI005", "notice", vrp.prefix, vrp.asn, f"{vrp} is for a route that nobody plans to announce")


def _too_wide(fleet: Fleet) -> Iterator[Issue]:
    for rule in fleet.watch.more_specifics:
        count = 1 << (rule.longest - rule.prefix.length)
        if count > PLANNED_MAX:
            text = (
                f"{count} more-specifics up to /{rule.longest} are allowed, too many for a ROA each: name those meant"
            )
            yield Issue("RPKI008", "warning", rule.prefix, fleet.asn, text)


def _unannounced(fleet: Fleet, vrps: VRPs) -> Iterator[Issue]:
    for prefix in fleet.watch.unannounced:
        if not any(vrp.asn == AS0 and vrp.prefix == prefix for vrp in vrps.covering(prefix)):
            text = "nobody is to announce it, and no ROA for AS0 says so"
            yield Issue("RPKI009", "notice", prefix, AS0, text)


def roa_plan(fleet: Fleet, vrps: VRPs) -> ROAPlan:
    """Give the ROAs to create and delete, so that each planned route has one of its own and nothing else has."""
    wanted = {VRP(route.prefix, route.prefix.length, route.origin): route.purpose for route in planned_routes(fleet)}
    wanted |= {VRP(prefix, prefix.length, AS0): "not to be announced" for prefix in fleet.watch.unannounced}
    present = set(_ours(fleet, vrps))
    create = [(vrp, why) for vrp, why in sorted(wanted.items()) if vrp not in present]
    delete = [(vrp, _why_not(vrp, wanted)) for vrp in sorted(present) if vrp not in wanted and not _allowed(fleet, vrp)]
    return ROAPlan(tuple(create), tuple(delete))


def _why_not(vrp: VRP, wanted: dict[VRP, str]) -> str:
    exact = VRP(vrp.prefix, vrp.prefix.length, vrp.asn)
    if vrp.loose and exact in wanted:
        return f"its maximum length {vrp.max_length} is loose; /{vrp.prefix.length} is enough"
    if vrp.asn not in {each.asn for each in wanted}:
        return "its ASN is none of the fleet's origins"
    return "nobody plans to announce it"


def _allowed(fleet: Fleet, vrp: VRP) -> bool:
    """Tell whether a rule allows just the route that a ROA is for: it was made to be kept ready, and stays."""
    return not vrp.loose and allowed_by_rule(fleet, vrp.prefix, vrp.asn)


def allowed_by_rule(fleet: Fleet, prefix: Prefix, origin: ASN) -> bool:
    """Tell whether a rule for more-specifics allows a route."""
    origins = (fleet.asn, *fleet.watch.origins)
    return any(
        rule.prefix.contains(prefix) and prefix.length <= rule.longest and origin in (rule.origins or origins)
        for rule in fleet.watch.more_specifics
    )


def _ours(fleet: Fleet, vrps: VRPs) -> tuple[VRP, ...]:
    """Give the VRPs for the fleet's prefixes and what lies in them; one of a covering prefix may be another's."""
    prefixes = {prefix for service in fleet.services for prefix in service.prefixes} | set(fleet.watch.unannounced)
    prefixes |= {rule.prefix for rule in fleet.watch.more_specifics}
    return tuple(sorted({vrp for prefix in prefixes for vrp in vrps.within(prefix)}))
