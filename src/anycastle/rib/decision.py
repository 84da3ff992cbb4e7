"""The decision process (RFC 4271 §9.1) as a list of steps.

Theory of operation. Each step of `STEPS` is given the routes still in the running and keeps the best of them by one
measure. Steps run in order until one route is left. Steps that eliminate, and never one route beaten by another in
turn, make the outcome independent of the order in which routes arrived, also with MED, which orders only routes of one
neighbouring AS (RFC 4271 §9.1.2.2 c).

Interior cost (§9.1.2.2 e) is no step here: the speaker has no interior routing, so it is equal for all.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from anycastle.model.asn import ASN
from anycastle.rib.route import Route

DEFAULT_LOCAL_PREFERENCE: Final = 100
"""Of a route without the attribute; the value that routers agree on."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator may change about the decision."""

    always_compare_med: bool = False
    """Compare MED also between neighbouring ASes, which RFC 4271 does not."""


DEFAULT_RULES: Final = Rules()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, the clause that it carries out, and what it keeps."""

    name: str
    clause: str
    keep: Callable[[Sequence[Route], Rules], Sequence[Route]]


def _lowest(measure: Callable[[Route], int]) -> Callable[[Sequence[Route], Rules], Sequence[Route]]:
    def keep(routes: Sequence[Route], _rules: Rules) -> Sequence[Route]:
        best = min(map(measure, routes))
        return [route for route in routes if measure(route) == best]

    return keep


def local_preference(route: Route) -> int:
    """Give the route's degree of preference (RFC 4271 §9.1.1)."""
    value = route.attributes.local_preference
    return DEFAULT_LOCAL_PREFERENCE if value is None else value


def _as_path_length(route: Route) -> int:
    path = route.attributes.as_path
    return 0 if path is None else path.length


def _origin(route: Route) -> int:
    # A route without ORIGIN never passes RFC 7606 §3.d; one of our own without it counts as IGP.
    return int(route.attributes.origin or 0)


def _med(route: Route) -> int:
    return route.attributes.med or 0  # absent counts as 0: RFC 4271 §9.1.2.2 c


def neighbour_asn(route: Route) -> ASN | None:
    """Give the AS that the route was received from: the first of its AS_PATH; for an iBGP route without one, None."""
    path = route.attributes.as_path
    return None if path is None else path.first


def _keep_by_med(routes: Sequence[Route], rules: Rules) -> Sequence[Route]:
    best: dict[ASN | None, int] = {}
    for route in routes:
        group = None if rules.always_compare_med else neighbour_asn(route)
        best[group] = min(_med(route), best.get(group, _med(route)))
    return [
        route for route in routes if _med(route) == best[None if rules.always_compare_med else neighbour_asn(route)]
    ]


def _identifier(route: Route) -> int:
    originator: IPv4Address | None = route.attributes.originator_id
    if originator is not None:
        return int(originator)
    return int(route.source.identifier) if route.source else 0


def _address(route: Route) -> int:
    return int(route.source.address) if route.source else 0


STEPS: Final = (
    Step("local preference", "RFC 4271 §9.1.1", _lowest(lambda route: -local_preference(route))),
    Step("originated here", "RFC 4271 §9.1.1", _lowest(lambda route: route.source is not None)),
    Step("AS_PATH length", "RFC 4271 §9.1.2.2 a", _lowest(_as_path_length)),
    Step("ORIGIN", "RFC 4271 §9.1.2.2 b", _lowest(_origin)),
    Step("MULTI_EXIT_DISC", "RFC 4271 §9.1.2.2 c", _keep_by_med),
    Step(
        "eBGP over iBGP",
        "RFC 4271 §9.1.2.2 d",
        _lowest(lambda route: route.source is not None and route.source.internal),
    ),
    Step("BGP Identifier", "RFC 4271 §9.1.2.2 f, RFC 4456 §9", _lowest(_identifier)),
    Step("CLUSTER_LIST length", "RFC 4456 §9", _lowest(lambda route: len(route.attributes.cluster_list or ()))),
    Step("peer address", "RFC 4271 §9.1.2.2 g", _lowest(_address)),
    # Two paths of one peer are told apart by nothing in RFC 4271; the lowest identifier makes the choice stable.
    Step("path identifier", "RFC 7911 §6", _lowest(lambda route: route.path_id or 0)),
)


def select(routes: Iterable[Route], rules: Rules = DEFAULT_RULES) -> Route | None:
    """Give the best of the eligible routes to one prefix; None when there are none."""
    running: Sequence[Route] = list(routes)
    if not running:
        return None
    for step in STEPS:
        if len(running) == 1:
            break
        running = step.keep(running, rules)
    return running[0]


def explain(best: Route, other: Route, rules: Rules = DEFAULT_RULES) -> Step | None:
    """Give the step at which `best` beats `other` when the two stand alone; None when no step does."""
    for step in STEPS:
        kept = step.keep([best, other], rules)
        if len(kept) == 1:
            return step if kept[0] is best else None
    return None
