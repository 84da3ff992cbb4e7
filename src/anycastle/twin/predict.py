"""What a change of the fleet moves: two intents and a graph in, a `PredictedShift` out.

Theory of operation. The session groups of both intents stand in one deployment, and each intent is a configuration of
it. Both run with the same members, so that a user who moves in a member moves because of the change. Whoever moves
between two PoPs neither of which announces otherwise than before is counted apart: a plan that looks only at the PoPs
it touches is surprised by them.

`predict_shift` is all that a preview of a plan needs; it reads no file and prints nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.members import compare, likeliest
from anycastle.model.fleet import Fleet
from anycastle.twin.calibration import Calibration
from anycastle.twin.cascade import Cascade, Rules, cascade
from anycastle.twin.deployment import Configuration, Deployment, SessionGroup
from anycastle.twin.ensemble import MEMBERS, Members
from anycastle.twin.forecast import Forecast, Pair
from anycastle.twin.graph import ASGraph
from anycastle.twin.intent import UNSTATED_CAPACITY, Intent, Site, intent_of
from anycastle.twin.load import overload_chance, spread, weight_at
from anycastle.twin.nearest import Whereabouts
from anycastle.twin.predicted_shift import ASShifts, Flow, PoPShift, PredictedShift, UpstreamShift
from anycastle.twin.provenance import Provenance
from anycastle.twin.weights import Weights, equal_weights


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a prediction depends on beside graph and intents."""

    weights: Weights | None = None
    """All ASes alike unless given."""
    offered_load: float | None = None
    """Of all users together, in the unit of capacities."""
    calibration: Calibration | None = None
    members: int = MEMBERS
    region: NDArray[np.int8] | None = None
    """int8[node]: a place in `REGIONS`, -1 where not known (`twin.regions`). Among sessions with one upstream, users
    then land at the nearest PoP."""


def predict_fleets(
    graph: ASGraph,
    before: Fleet,
    after: Fleet,
    randomness: np.random.Generator,
    service: str | None = None,
    asked: Asked = Asked(),
) -> PredictedShift:
    """Give what replacing one fleet by another moves, for one service (by default the first) and its first prefix.

    Raises `MisuseError` where either has no such service, or the service has no session that the graph knows.
    """
    now = intent_of(before, graph, service)
    then = intent_of(after, graph, now.service)
    return predict_shift(graph, now, then, randomness, asked)


def predict_shift(
    graph: ASGraph, before: Intent, after: Intent, randomness: np.random.Generator, asked: Asked = Asked()
) -> PredictedShift:
    """Give what the step from one intent to another moves. A third of a second on the graph of 2025.

    Raises `MisuseError` for what the graph or the calibration cannot tell.
    """
    weights, load = asked.weights or equal_weights(graph), asked.offered_load
    deployment, then = join(before, after)
    configurations = (before.configuration, then.configuration)
    forecast = Forecast.of(
        graph, deployment, configurations, randomness, asked.calibration, asked.members,
        None if asked.region is None else whereabouts(asked.region, _sites(before, after)),
    )  # fmt: skip
    pair = forecast.pair(*configurations)
    seen = _Seen.of(pair, weights.of_node, touched(deployment, *configurations))
    chosen = (_likeliest(pair.before), _likeliest(pair.after))
    links = _Links.of(forecast, pair, configurations, before.link_capacity | then.link_capacity, weights.of_node)
    speaking = deployment.announcing(then.configuration)
    return PredictedShift(
        service=after.service,
        prefix=after.prefix,
        graph=graph.origin,
        weights=weights,
        members=pair.before.count,
        pops=tuple(_pop(site, site.name in speaking, seen, links, load) for site in _sites(before, after)),
        no_route_now=spread(seen.before[:, -1]),
        no_route=spread(seen.after[:, -1]),
        moved=spread(seen.moves.users),
        moved_though_kept=spread(seen.moves.users_kept),
        ases_moved=spread(seen.moves.ases),
        ases_moved_though_kept=spread(seen.moves.ases_kept),
        flows=seen.flows(deployment.pops),
        doubt=max(0.0, float(weights.of_node @ (1.0 - chosen[1].chance[pair.after.row_of_node]))),
        provenance=_provenance(pair, weights),
        corrected=pair.corrected,
        offered_load=load,
        cascade=None if load is None else _cascade(forecast, then, _sites(before, after), weights, load),
        remarks=tuple(dict.fromkeys((*before.remarks, *after.remarks))),
        ases=_ases(graph, pair, weights, chosen),
    )


def join(before: Intent, after: Intent) -> tuple[Deployment, Intent]:
    """Give one deployment for both, and the intent after on it: a session that became another has a name of its own."""
    known = {group.name: group for group in before.deployment.groups}
    renamed = {
        group.name: f"{group.name} (after)"
        for group in after.deployment.groups
        if group.name in known and known[group.name] != group
    }
    added = tuple(
        replace(group, name=renamed.get(group.name, group.name))
        for group in after.deployment.groups
        if known.get(group.name) != group
    )
    announced = {renamed.get(name, name): how for name, how in after.configuration.announced.items()}
    links = {renamed.get(name, name): each for name, each in after.link_capacity.items()}
    deployment = Deployment((*before.deployment.groups, *added))
    return deployment, replace(after, configuration=Configuration(announced), link_capacity=links)


def whereabouts(region: NDArray[np.int8], sites: Iterable[Site]) -> Whereabouts:
    """Bring together where ASes and PoPs are."""
    return Whereabouts(region, {site.name: site.location for site in sites})


def touched(deployment: Deployment, before: Configuration, after: Configuration) -> frozenset[str]:
    """Give the PoPs that announce otherwise than before, to any upstream."""

    def differs(group: SessionGroup) -> bool:
        return before.announced.get(group.name) != after.announced.get(group.name)

    return frozenset(group.pop for group in deployment.groups if differs(group))


class _Moves(NamedTuple):
    """Who moves, float64[member] each: the share of users, and the number of ASes."""

    users: NDArray[np.float64]
    users_kept: NDArray[np.float64]
    ases: NDArray[np.float64]
    ases_kept: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the members of both configurations add up to."""

    pops: tuple[str, ...]
    before: NDArray[np.float64]
    """float64[member, pop + 1]."""
    after: NDArray[np.float64]
    moves: _Moves
    flow: NDArray[np.float64]
    """float64[pop + 1, pop + 1], expected."""

    @staticmethod
    def of(pair: Pair, of_node: NDArray[np.float64], changed: frozenset[str]) -> "_Seen":
        names, one, other = pair.before.deployment.pops, pair.before.pops(), pair.after.pops()
        places, members = len(names) + 1, pair.before.count
        weights = np.stack([pair.before.weights_of_rows(each) for each in (of_node, np.ones(len(of_node)))])
        kept = np.array([name not in changed for name in names] + [True])
        moved, flow = np.empty((2, 2, members)), np.empty((places, places))
        compare(one, other, weights, kept, moved, flow)
        before, after = (weight_at(each, weights[0], places) for each in (one, other))
        return _Seen(names, before, after, _Moves(*moved.reshape(4, members)), flow / members)

    def flows(self, pops: tuple[str, ...]) -> tuple[Flow, ...]:
        """Give all flows that are not 0, the largest first."""
        names = [*pops, ""]
        found = [Flow(names[a], names[b], float(self.flow[a, b])) for a, b in np.argwhere(self.flow > 0).tolist()]
        return tuple(sorted(found, key=lambda flow: (-flow.share, flow.source, flow.target)))


@dataclass(frozen=True, slots=True)
class _Links:
    """The session groups before and after."""

    groups: tuple[SessionGroup, ...]
    now: NDArray[np.float64]
    """float64[member, group + 1]."""
    after: NDArray[np.float64]
    capacity: Mapping[str, float]

    @staticmethod
    def of(
        forecast: Forecast,
        pair: Pair,
        configurations: tuple[Configuration, Configuration],
        capacity: Mapping[str, float],
        of_node: NDArray[np.float64],
    ) -> "_Links":
        now = forecast.by_group(pair.before, configurations[0], of_node)
        after = forecast.by_group(pair.after, configurations[1], of_node)
        return _Links(forecast.deployment.groups, now, after, capacity)

    def of_pop(self, pop: str, load: float | None) -> tuple[UpstreamShift, ...]:
        """Give the shifts of a PoP's upstreams."""
        found = []
        for at, group in enumerate(self.groups):
            if group.pop == pop:
                after, room = self.after[:, at], self.capacity.get(group.name)
                chance = 0.0 if load is None else overload_chance(after * load, room)
                offered = None if load is None else spread(after).times(load)
                found.append(UpstreamShift(group.name, spread(self.now[:, at]), spread(after), offered, room, chance))
        return tuple(found)


class _Likeliest(NamedTuple):
    """Each row's likeliest PoP, int16[row] (-1: no route), and its chance, float64[row]."""

    pop: NDArray[np.int16]
    chance: NDArray[np.float64]


def _likeliest(members: Members) -> _Likeliest:
    pops, none = members.pops(), len(members.deployment.pops)
    best, count = np.empty(len(pops), np.uint16), np.empty(len(pops), np.int32)
    likeliest(pops, best, count, np.empty(none + 1, np.int32))
    return _Likeliest(np.where(best == none, -1, best.astype(np.int16)).astype(np.int16), count / members.count)


def _sites(before: Intent, after: Intent) -> tuple[Site, ...]:
    """Give all PoPs: those after, as they are then, and then those that were."""
    left = {site.name: site for site in after.sites}
    return (*after.sites, *(site for site in before.sites if site.name not in left))


def _pop(site: Site, announces: bool, seen: _Seen, links: _Links, load: float | None) -> PoPShift:
    at = seen.pops.index(site.name) if site.name in seen.pops else None
    now, after = (np.zeros(len(each)) if at is None else each[:, at] for each in (seen.before, seen.after))
    return PoPShift(
        name=site.name,
        city=site.city,
        location=site.location,
        announces=announces,
        now=spread(now),
        after=spread(after),
        change=spread(after - now),
        capacity=site.capacity,
        load_now=None if load is None else spread(now).times(load),
        load=None if load is None else spread(after).times(load),
        overload_chance=0.0 if load is None else overload_chance(after * load, site.capacity),
        upstreams=links.of_pop(site.name, load),
    )


def _provenance(pair: Pair, weights: Weights) -> dict[str, float]:
    summed = np.bincount(pair.provenance, weights.of_node, len(Provenance))
    return {each.name.lower(): float(summed[each.value]) for each in Provenance}


def _ases(
    graph: ASGraph,
    pair: Pair,
    weights: Weights,
    chosen: tuple[_Likeliest, _Likeliest],
) -> ASShifts:
    rows = pair.before.row_of_node
    before, after = chosen
    return ASShifts(
        pops=pair.before.deployment.pops,
        asn=graph.asn,
        weight=weights.of_node,
        before=before.pop[rows],
        after=after.pop[rows],
        chance_before=before.chance[rows].astype(np.float32),
        chance_after=after.chance[rows].astype(np.float32),
        provenance=pair.provenance,
    )


def _cascade(forecast: Forecast, after: Intent, sites: tuple[Site, ...], weights: Weights, load: float) -> Cascade:
    """Let the PoPs that are overloaded after the change withdraw."""
    deployment, pops = forecast.deployment, forecast.deployment.pops
    site_of = {site.name: site for site in sites}

    def load_of(announcing: frozenset[str]) -> NDArray[np.float64]:
        left = deployment.without(*(set(pops) - announcing), base=after.configuration)
        return load * forecast.expected(left, weights.of_node)

    speaking = deployment.announcing(after.configuration)
    order = [site.name for site in after.sites if site.name in speaking]
    counts = {name: site.capacity if site.capacity is not None else UNSTATED_CAPACITY for name, site in site_of.items()}
    return cascade(load_of, order, Rules(pops, tuple(site_of[pop].capacity for pop in pops), after.floor, counts))
