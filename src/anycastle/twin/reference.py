"""Propagation in plain Python, slow and obvious: what the kernels are held to.

Theory of operation. No order of nodes, no keys, no passes: every AS looks at what its neighbours now have, keeps the
best of what it may hear, and tells those whom it may tell; round after round, until nothing changes. This is BGP with
every message delivered at once, and by the theorem of Gao and Rexford it ends in the one stable state that the kernels
compute in three passes. It shares with them the deployment's values and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Configuration, Deployment, Preference, SessionGroup, Standing, Treatment
from anycastle.twin.graph import Link
from anycastle.twin.policy import Fault, Policy

ROUNDS_MAX: Final = 10_000
_SOLD: Final = Standing.CUSTOMER.value
_OWN: Final = -1
"""In place of a class: the AS originates."""


class PlainRoute(NamedTuple):
    """A route as it is compared: the least is chosen."""

    class_: int
    """0 from a customer, 1 from a peer, 2 from a provider; -1 of one's own, or preferred above all."""
    length: int
    next_hop: ASN
    group: int
    told: int
    """The class by which export goes; for a preferred session, that of the session."""


@dataclass(slots=True)
class PlainInternet:
    """Who relates to whom: neighbour -> the class of a route that comes from it."""

    neighbours: dict[ASN, dict[ASN, int]]
    policies: dict[ASN, Policy]

    @staticmethod
    def of(links: Iterable[Link], policies: dict[ASN, Policy] | None = None) -> "PlainInternet":
        """Give the relations both ways."""
        neighbours: dict[ASN, dict[ASN, int]] = {}
        for a, b, relation in links:
            neighbours.setdefault(a, {})[b] = 1 if relation == 0 else 0
            neighbours.setdefault(b, {})[a] = 1 if relation == 0 else 2
        return PlainInternet(neighbours, policies or {})


def plain_routes(
    internet: PlainInternet, deployment: Deployment, configuration: Configuration, faults: tuple[Fault, ...] = ()
) -> dict[ASN, PlainRoute]:
    """Give the route of each AS that has one, by rounds until nothing changes."""
    heard = _Heard(internet, deployment, configuration, faults)
    routes: dict[ASN, PlainRoute] = {}
    for _ in range(ROUNDS_MAX):
        now = {asn: best for asn in internet.neighbours if (best := heard.best(asn, routes)) is not None}
        if now == routes:
            return routes
        routes = now
    raise MisuseError(f"no stable state after {ROUNDS_MAX} rounds")


class _Heard:
    """What each AS may hear: from us, and from its neighbours."""

    def __init__(
        self, internet: PlainInternet, deployment: Deployment, configuration: Configuration, faults: tuple[Fault, ...]
    ) -> None:
        self._internet = internet
        self._faults = faults
        self._announced: list[tuple[int, SessionGroup, Treatment]] = [
            (index, group, configuration.announced[group.name])
            for index, group in enumerate(deployment.groups)
            if group.name in configuration.announced
        ]
        self._how = {index: (group, how) for index, group, how in self._announced}
        self._silent = {group.asn for group in deployment.groups if group.sessions}

    def best(self, asn: ASN, routes: dict[ASN, PlainRoute]) -> PlainRoute | None:
        offers = list(self._ours(asn))
        for neighbour, class_ in self._internet.neighbours[asn].items():
            route = routes.get(neighbour)
            if route is None or (class_ != 2 and route.told != _SOLD):
                continue  # what a peer or provider told goes to customers only
            if self._takes(asn, neighbour, class_, route.group):
                offers.append(PlainRoute(class_, route.length + 1, neighbour, route.group, class_))
        return min(offers, default=None)

    def _takes(self, asn: ASN, source: ASN, class_: int, group: int) -> bool:
        announcer, how = self._how[group]
        if asn in self._silent or asn in how.poison:
            return False
        speakers = [session.neighbour for session in announcer.sessions] or [announcer.asn]
        if asn in how.no_export_to and source in speakers:
            return False
        return not self._at_fault(asn, class_, group)

    def _at_fault(self, asn: ASN, class_: int, group: int) -> bool:
        policy = self._internet.policies.get(asn, Policy(0))
        return any(each.group == group and class_ in each.classes and each.policy & policy for each in self._faults)

    def _ours(self, asn: ASN) -> Iterable[PlainRoute]:
        for index, group, how in self._announced:
            if not group.sessions and group.asn == asn:
                yield PlainRoute(_OWN, how.length, asn, index, _SOLD)
            for session in group.sessions:
                class_ = session.standing.value
                if session.neighbour != asn or asn in self._silent or asn in how.poison:
                    continue
                if self._at_fault(asn, class_, index):
                    continue
                asked = {Preference.AS_PEER: 1, Preference.AS_PROVIDER: 2}.get(how.preference, class_)
                first = how.preference is Preference.FIRST
                yield PlainRoute(_OWN if first else asked, how.length + 1, group.asn, index, asked)
