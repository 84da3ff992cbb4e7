"""A fleet's files as an announcement on a graph: who is told what, and what of it the twin cannot follow.

Theory of operation. Each upstream of each PoP is a session group of its own, `POP/UPSTREAM`, for we know these
adjacencies better than any graph does. The service's policy for it becomes a treatment: prepends as they are, and
communities by the words of the upstream's vocabulary (`no-announce-to-64602`, see `rib.action`) and by the well-known
ones. What has no counterpart here (an upstream that the graph does not have, a community of unknown meaning, a MED) is
not guessed: it is left out, and said as a `Remark`.

Two approximations. An announcement that the upstream keeps to itself (NO_EXPORT, `no-announce`) is taken as not made:
one AS hears it. What an upstream prepends for us (`prepend-2`) is taken as prepended by us.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import BLACKHOLE, GRACEFUL_SHUTDOWN, NO_ADVERTISE, NO_EXPORT, Community
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.upstream import Upstream, UpstreamKind
from anycastle.rib.action import PrependTo, SuppressTo, actions_of
from anycastle.twin.deployment import (
    Configuration,
    Deployment,
    Preference,
    Session,
    SessionGroup,
    Standing,
    Treatment,
)
from anycastle.twin.graph import ASGraph

UNSTATED_CAPACITY: Final = 1.0
"""What `PoP.capacity` is where its file states none; a stated one has a unit, and is 1000 at least."""


class RemarkKind(Enum):
    """What a fleet says that a prediction leaves out."""

    ABSENT_UPSTREAM = "absent-upstream"
    """The graph does not have the upstream."""
    SILENT_POP = "silent-pop"
    """No announcement of the PoP is known to the graph."""
    UNKNOWN_COMMUNITY = "unknown-community"
    """What the upstream does upon it is not known."""
    NOT_FOLLOWED = "not-followed"
    """Its meaning is known, and the twin has nothing like it."""
    NO_CUSTOMERS = "no-customers"
    """A peer without customers in the graph, such as a route server: nobody but itself hears us."""
    LIKE_NOT_MADE = "like-not-made"
    """An announcement that the upstream keeps to itself."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a prediction leaves out, and where."""

    kind: RemarkKind
    subject: str
    """`POP` or `POP/UPSTREAM`."""
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """A PoP, as a prediction shows it."""

    name: str
    city: str
    location: Location
    capacity: float | None
    """In the operator's unit; None where it is not stated."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a fleet's files announce for one prefix of one service."""

    service: str
    prefix: Prefix
    sites: tuple[Site, ...]
    """PoPs of the service, in the service's order."""
    deployment: Deployment
    """Sessions with upstreams that the graph has."""
    configuration: Configuration
    link_capacity: dict[str, float]
    """Session group -> bit/s of its link, where they are stated."""
    floor: Floor
    remarks: tuple[Remark, ...]


def intent_of(fleet: Fleet, graph: ASGraph, service: str | None = None, prefix: Prefix | None = None) -> Intent:
    """Give what a fleet announces on a graph; by default for its first service, and that service's first prefix.

    Raises `MisuseError` for a service or prefix that is not there.
    """
    chosen = _service(fleet, service)
    told = prefix or chosen.prefixes[0]
    if told not in chosen.prefixes:
        known = ", ".join(map(str, chosen.prefixes))
        raise MisuseError(f"{told} is no prefix of the service {chosen.name}; its are: {known}")
    pops = [fleet.pop(name) for name in chosen.pops]
    groups, announced, links, remarks = list[SessionGroup](), dict[str, Treatment](), dict[str, float](), list[Remark]()
    for pop in pops:
        for upstream in pop.upstreams:
            if upstream.asn == fleet.asn or all(n.address.version != _version(told) for n in upstream.neighbours):
                continue  # iBGP tells nobody else; and the other family has a graph of its own
            name = f"{pop.name}/{upstream.name}"
            missing = _missing(graph, upstream, name)
            remarks += missing
            if any(remark.kind is RemarkKind.ABSENT_UPSTREAM for remark in missing):
                continue
            groups.append(_group(pop, upstream, fleet.asn, name))
            if upstream.capacity_bps is not None:
                links[name] = upstream.capacity_bps
            treatment = _treatment(chosen.policies.get((pop.name, upstream.name), Policy()), upstream, name, remarks)
            if treatment is not None:
                announced[name] = treatment
    speaking = {group.pop for group in groups if group.name in announced}
    remarks += [
        Remark(RemarkKind.SILENT_POP, pop.name, "announces nothing that this graph can follow")
        for pop in pops
        if pop.name not in speaking
    ]
    return Intent(
        chosen.name, told, tuple(map(_site, pops)), Deployment(tuple(groups)), Configuration(announced), links,
        chosen.floor, tuple(remarks),
    )  # fmt: skip


def without_pops(intent: Intent, pops: Iterable[str]) -> Intent:
    """Give the intent less these PoPs' announcements. Raises `MisuseError` for a PoP that the service does not have."""
    gone = tuple(pops)
    unknown = sorted(set(gone) - {site.name for site in intent.sites})
    if unknown:
        known = ", ".join(site.name for site in intent.sites)
        raise MisuseError(f"the service {intent.service} has no PoP {', '.join(unknown)}; it has: {known}")
    heard = set(gone) & set(intent.deployment.pops)  # a PoP whose upstreams the graph does not have is none there
    return replace(intent, configuration=intent.deployment.without(*heard, base=intent.configuration))


def _service(fleet: Fleet, name: str | None) -> Service:
    if name is None:
        return fleet.services[0]
    for service in fleet.services:
        if service.name == name:
            return service
    raise MisuseError(f"no service {name}; there are: {', '.join(each.name for each in fleet.services)}")


def _version(prefix: Prefix) -> int:
    return 4 if prefix.family.bits == 32 else 6


def _site(pop: PoP) -> Site:
    stated = None if pop.capacity == UNSTATED_CAPACITY else pop.capacity
    return Site(pop.name, pop.city, pop.location, stated)


def _group(pop: PoP, upstream: Upstream, asn: ASN, name: str) -> SessionGroup:
    standing = Standing.CUSTOMER if upstream.kind is UpstreamKind.TRANSIT else Standing.PEER
    return SessionGroup(name, pop.name, asn, (Session(upstream.asn, standing),))


def _missing(graph: ASGraph, upstream: Upstream, name: str) -> list[Remark]:
    node = int(graph.nodes([upstream.asn])[0])
    if node < 0:
        return [Remark(RemarkKind.ABSENT_UPSTREAM, name, f"AS{upstream.asn} is not in this graph, and left out")]
    if upstream.kind is not UpstreamKind.TRANSIT and not len(graph.customers(node)):
        text = f"AS{upstream.asn} has no customers in this graph, so nobody but itself hears us there"
        return [Remark(RemarkKind.NO_CUSTOMERS, name, text)]
    return []


def _treatment(policy: Policy, upstream: Upstream, name: str, remarks: list[Remark]) -> Treatment | None:
    """Give how the announcement is made; None where it is not made, or nobody but the upstream would hear it."""
    if not policy.announce:
        return None
    attributes = policy.attributes
    if attributes.communities & {NO_EXPORT, NO_ADVERTISE}:
        remarks.append(_kept(name, "no-export"))
        return None
    if attributes.med is not None:
        remarks.append(Remark(RemarkKind.NOT_FOLLOWED, name, f"MED {attributes.med} is not compared"))
    return _asked(attributes, upstream, name, remarks)


def _asked(
    attributes: RouteAttributes, upstream: Upstream, name: str, remarks: list[Remark]
) -> Treatment | None:  # fmt: skip
    prepend, told_not, preference = attributes.prepend, set[ASN](), Preference.DEFAULT
    actions = actions_of(upstream.vocabulary)
    for community in sorted(attributes.communities, key=str):
        match actions.get(community):
            case PrependTo(times, None):
                prepend += times
            case SuppressTo(None):
                remarks.append(_kept(name, str(community)))
                return None
            case SuppressTo(target) if target is not None:
                told_not.add(target)
            case None if community == GRACEFUL_SHUTDOWN:
                preference = Preference.AS_PROVIDER  # LOCAL_PREF 0 (RFC 8326 §4): below all else that it hears
            case None:
                remarks.append(_not_known(community, upstream, name))
            case action:
                text = f"{_word(community, upstream)} is not followed ({type(action).__name__})"
                remarks.append(Remark(RemarkKind.NOT_FOLLOWED, name, text))
    return Treatment(prepend, frozenset(told_not), (), preference)


def _kept(name: str, word: str) -> Remark:
    return Remark(RemarkKind.LIKE_NOT_MADE, name, f"{word}: the upstream keeps it to itself; taken as not announced")


def _not_known(community: Community, upstream: Upstream, name: str) -> Remark:
    if community == BLACKHOLE:
        return Remark(RemarkKind.NOT_FOLLOWED, name, "blackhole: what the upstream drops is not followed")
    text = f"what AS{upstream.asn} does upon {_word(community, upstream)} is not known, and left out"
    return Remark(RemarkKind.UNKNOWN_COMMUNITY, name, text)


def _word(community: Community, upstream: Upstream) -> str:
    words = [word for word, each in upstream.vocabulary.items() if each == community]
    return f"{words[0]} ({community})" if words else str(community)
