"""The announcement policy of a service: the scopes are laid over each other, and words become communities.

Widest to narrowest: the announcement's own keys, `upstreams.U`, `pops.P`, `pops.P.upstreams.U`. Each key is taken
from the narrowest scope that gives it; `steered` is laid the same way, over the usual attributes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from anycastle.io.config.findings import FindingKind, Findings, did_you_mean
from anycastle.io.config.index import Index, upstream_names
from anycastle.io.config.names import all_pops_known
from anycastle.io.config.nodes import Placed
from anycastle.io.config.shapes.pop import PoPShape, UpstreamShape
from anycastle.io.config.shapes.service import AnnouncementShape, AttributesShape, PolicyShape, ServiceShape
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN, WELL_KNOWN, Community
from anycastle.model.service import Policy

T = TypeVar("T")

Policies = Mapping[tuple[str, str], Policy]

_UNSAID: Final = Policy(steered=RouteAttributes(communities=frozenset({GRACEFUL_SHUTDOWN})))
"""Where the operator says nothing: announced as it is, steered by graceful shutdown (RFC 8326)."""


def policies_of(service: ServiceShape, pops: Iterable[PoPShape], own: ASN | None, findings: Findings) -> Policies:
    """Give the policy of every upstream of every PoP of the service."""
    if service.announcement is None:
        return {(pop.name, upstream.name): _UNSAID for pop in pops for upstream in pop.upstreams}
    resolver = _Resolver(own)
    policies = {}
    for pop in pops:
        for upstream in pop.upstreams:
            scopes = _scopes(service.announcement, pop.name, upstream.name)
            policies[pop.name, upstream.name] = resolver.policy(scopes, pop.name, upstream)
    resolver.report(findings)
    return policies


def _scopes(announcement: AnnouncementShape, pop: str, upstream: str) -> list[PolicyShape]:
    at_pop = (announcement.pops or {}).get(pop)
    within = (at_pop.upstreams or {}).get(upstream) if at_pop else None
    scopes = (announcement, (announcement.upstreams or {}).get(upstream), at_pop, within)
    return [scope for scope in scopes if scope is not None]


def _narrowest(values: Iterable[T | None]) -> T | None:
    found = None
    for value in values:
        found = found if value is None else value
    return found


@dataclass(slots=True)
class _Resolver:
    """Lays the scopes of one service, and remembers what each upstream did not know."""

    own: ASN | None
    unknown: dict[int, tuple[Placed[Community | str], list[str], set[str]]] = field(default_factory=dict)
    preferences: dict[int, tuple[AttributesShape, bool]] = field(default_factory=dict)

    def policy(self, scopes: list[PolicyShape], pop: str, upstream: UpstreamShape) -> Policy:
        announce = _narrowest(scope.announce for scope in scopes)
        if announce is False:
            return Policy(announce=False)
        usual = self._laid(scopes, pop, upstream, RouteAttributes())
        changes = [scope.steered for scope in scopes if scope.steered is not None]
        if not changes:
            added = usual.communities | {GRACEFUL_SHUTDOWN}
            return Policy(
                attributes=usual,
                steered=RouteAttributes(usual.prepend, usual.med, usual.local_preference, added),
            )
        steered = self._laid(changes, pop, upstream, usual)
        kept = RouteAttributes(
            steered.prepend, steered.med, steered.local_preference, usual.communities | steered.communities
        )
        return Policy(attributes=usual, steered=kept)

    def _laid(
        self,
        scopes: list[PolicyShape] | list[AttributesShape],
        pop: str,
        upstream: UpstreamShape,
        base: RouteAttributes,
    ) -> RouteAttributes:
        prepend = _narrowest(scope.prepend for scope in scopes)
        med = _narrowest(scope.med for scope in scopes)
        preference = _narrowest(scope.local_preference for scope in scopes)
        communities = _narrowest(scope.communities for scope in scopes)
        self._note_preference(scopes, upstream)
        return RouteAttributes(
            prepend=base.prepend if prepend is None else prepend,
            med=base.med if med is None else med,
            local_preference=base.local_preference if preference is None else preference,
            communities=base.communities if communities is None else self._communities(communities, pop, upstream),
        )

    def _communities(
        self, written: tuple[Placed[Community | str], ...], pop: str, upstream: UpstreamShape
    ) -> frozenset[Community]:
        vocabulary = upstream.vocabulary or {}
        found: set[Community] = set()
        for each in written:
            if not isinstance(each.value, str):
                found.add(each.value)
            elif each.value in vocabulary:
                found.add(vocabulary[each.value])
            elif "vocabulary" not in upstream.node.entries or upstream.vocabulary is not None:
                _, lacking, known = self.unknown.setdefault(id(each), (each, [], set()))
                lacking.append(f"{pop}/{upstream.name}")
                known.update(vocabulary)
        return frozenset(found)

    def _note_preference(self, scopes: Iterable[AttributesShape], upstream: UpstreamShape) -> None:
        for scope in scopes:
            if scope.local_preference is not None:
                seen = self.preferences.get(id(scope), (scope, False))[1]
                self.preferences[id(scope)] = (scope, seen or upstream.asn == self.own)

    def report(self, findings: Findings) -> None:
        for each, lacking, known in self.unknown.values():
            where = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
            near = did_you_mean(str(each.value), {*known, *WELL_KNOWN})
            message = f"{each.value!r} is not in the vocabulary of {where}{near}"
            findings.add(FindingKind.UNKNOWN_WORD, each.node.place, each.node.path(), message)
        for scope, seen in self.preferences.values():
            if not seen and self.own is not None:
                message = "no upstream that this applies to is iBGP, and only iBGP neighbours are told it"
                scope.add(findings, FindingKind.UNSEEN, "local_preference", message)


def check_scopes(service: ServiceShape, names: tuple[str, ...], index: Index, findings: Findings) -> None:
    """Find overrides of PoPs and upstreams that the service does not have. `names` are its PoPs."""
    announcement = service.announcement
    if announcement is None:
        return
    pops_known = all_pops_known(service, index)
    upstreams = [upstream_names(index.pops_by_name[name]) for name in names] if pops_known else [None]
    everywhere = frozenset().union(*(known for known in upstreams if known)) if None not in upstreams else None
    _check_upstreams(announcement, announcement.upstreams or {}, everywhere, "no PoP of the service has", findings)
    for name, override in (announcement.pops or {}).items():
        here = index.pops_by_name.get(name)
        if name not in names:
            known = here is not None
            if not (pops_known if known else index.pops_known):
                continue
            message = f"{name!r} does not serve this service" if known else f"there is no PoP {name!r}"
            announcement.add_at_entry(
                findings,
                FindingKind.UNKNOWN_POP,
                "pops",
                name,
                message + did_you_mean(name, names if pops_known else index.pop_names),
            )
        elif here is not None:
            _check_upstreams(
                override, override.upstreams or {}, upstream_names(here), f"the PoP {name} lacks", findings
            )


def _check_upstreams(
    scope: AnnouncementShape | PolicyShape,
    overrides: Mapping[str, PolicyShape],
    known: frozenset[str] | None,
    who: str,
    findings: Findings,
) -> None:
    for upstream in overrides:
        if known is not None and upstream not in known:
            message = f"{who} an upstream {upstream!r}{did_you_mean(upstream, known)}"
            scope.add_at_entry(findings, FindingKind.UNKNOWN_UPSTREAM, "upstreams", upstream, message)
