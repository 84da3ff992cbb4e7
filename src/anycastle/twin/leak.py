"""Who would be drawn through a leak: an AS that passes on, to providers and peers, what they or others told it.

Theory of operation. First the world without the leak: it gives the leaker's route and the ASes on it, which will find
themselves in the leaked path and drop it. Then, in a lane for each leaker, the same announcements and the leak: at each
of its providers a customer's route, at each of its peers a peer's, one longer than the leaker's own. The leaker's own
route does not change, for whoever it leads through drops the leak: of the states of rest that a leak may allow, this is
the one that is reached from the world without it.

Adopters of ASPA see the valley in the path, whoever sends it. Adopters of Only to Customer see a mark, if one of them
set it where the route came down (or crossed) to the leaker, and drop it when a customer or peer sends it; a leaker
that is one of them leaks nothing. All networks are taken to have published their ASPA records.

Source: RFC 7908 (types 1 to 4), RFC 9234 §5, draft-ietf-sidrops-aspa-verification §5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.route_key import KeyLayout
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Configuration, Deployment, Standing, Wiring
from anycastle.twin.graph import ASGraph
from anycastle.twin.lanes import Compact, LaneSeeds, run_lanes
from anycastle.twin.policy import Adopters, Fault, Policy, fault_table
from anycastle.twin.routes import NO_GROUP, Propagation, Routes


@dataclass(frozen=True, slots=True)
class Leaked:
    """What one leak would do."""

    leaker: ASN
    why_not: str
    """Empty, or why nothing leaks."""
    through: NDArray[np.int32]
    """Nodes whose packets would take the leak: their route went up or across at the leaker."""
    share: float
    """Of all weight."""
    moved: float
    """Share of the weight that lands at another PoP than before, or anew."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A leak to run: the leaker's node, its length, the nodes on its route, and what drops it."""

    node: int
    length: int
    on_route: tuple[int, ...]
    marked: bool


_PROVIDER_CODE: Final = 1
_PEER_CODE: Final = 2
"""Classes as `twin.routes.RouteFields` codes them."""


def leaks(
    graph: ASGraph,
    deployment: Deployment,
    leakers: Sequence[ASN],
    adopters: Adopters | None = None,
    configuration: Configuration | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Iterator[Leaked]:
    """Give what each leak would do, in the order of the leakers.

    Raises `MisuseError` where an ASN is not in the graph.
    """
    configuration = configuration or deployment.everywhere()
    propagation = Propagation(Wiring.of(graph, deployment))
    base = propagation.run(configuration)
    weight = np.ones(len(graph)) if weights is None else weights
    for start in range(0, len(leakers), LANES):
        batch = leakers[start : start + LANES]
        cases = [_case(base, graph.node(leaker), adopters) for leaker in batch]
        runnable = [case for case in cases if isinstance(case, _Case)]
        groups = iter(_run(propagation.wiring, configuration, runnable, adopters))
        before = base.pop()
        for leaker, case in zip(batch, cases, strict=True):
            if isinstance(case, str):
                yield Leaked(leaker, case, np.zeros(0, np.int32), 0.0, 0.0)
            else:
                yield _judge(leaker, case, next(groups), before, weight, deployment)


def _judge(
    leaker: ASN,
    case: _Case,
    group: NDArray[np.uint16],
    before: NDArray[np.uint16],
    weight: NDArray[np.float64],
    deployment: Deployment,
) -> Leaked:
    through = np.flatnonzero(group == len(deployment.groups)).astype(np.int32)
    table = np.full(NO_GROUP + 1, NO_GROUP, np.uint16)
    table[: len(deployment.groups)] = deployment.pop_of_group()
    table[len(deployment.groups)] = before[case.node]
    moved = table[group] != before
    total = weight.sum()
    return Leaked(leaker, "", through, float(weight[through].sum() / total), float(weight[moved].sum() / total))


def _case(base: Routes, node: int, adopters: Adopters | None) -> _Case | str:
    """Give the leak of a node, or why there is none."""
    fields = base.fields()
    class_ = int(fields.class_[node])
    if class_ == 0:
        return "it has no route"
    if class_ not in (_PROVIDER_CODE, _PEER_CODE):
        return "its route is a customer's or its own, which it may tell everyone"
    if adopters is not None and adopters.bits[node] & Policy.OTC:
        return "it verifies Only to Customer, so it marks the route and keeps it"
    path = base.path(node)
    marked = False
    for below, above in pairwise(path):
        if fields.class_[below] not in (_PROVIDER_CODE, _PEER_CODE):
            break
        if adopters is not None and (adopters.bits[below] | adopters.bits[above]) & Policy.OTC:
            marked = True
    return _Case(node, int(fields.length[node]), path, marked)


def _run(
    wiring: Wiring, configuration: Configuration, cases: Sequence[_Case], adopters: Adopters | None
) -> list[NDArray[np.uint16]]:
    """Give each node's group in each lane, uint16[node]; the leak is the group after the deployment's last."""
    if not cases:
        return []
    graph, groups = wiring.graph, len(wiring.deployment.groups)
    bottom, beside = wiring.seeded()
    stay = set(wiring.silent)
    for case in cases:
        bottom.update(graph.providers(case.node).tolist())
        beside.update(graph.peers(case.node).tolist())
        stay.update(case.on_route)
    for how in configuration.announced.values():
        stay.update(int(node) for node in graph.nodes([*how.poison, *how.no_export_to]) if node >= 0)
    compact = Compact.of(graph, bottom, beside - bottom, stay, adopters)
    fault = np.zeros((3, groups + 1, LANES), np.uint8)
    for lane, case in enumerate(cases):
        found = [Fault(groups, Policy.ASPA)]
        found += [Fault(groups, Policy.OTC, (Standing.CUSTOMER.value, Standing.PEER.value))] if case.marked else []
        fault[:, :, lane] = fault_table(found, groups + 1)
    longest = max([wiring.longest([configuration]), *(case.length + 1 for case in cases)])
    rows = run_lanes(
        compact,
        wiring.ranks,
        lambda layout: _seeds(wiring, configuration, cases, compact, layout, adopters, fault),
        (groups + 1, longest),
        fault,
    )
    no_route = np.iinfo(rows.group.dtype).max
    columns = [rows.group[compact.item_of, lane].astype(np.uint16) for lane in range(len(cases))]
    return [np.where(column == no_route, NO_GROUP, column).astype(np.uint16) for column in columns]


def _seeds(
    wiring: Wiring,
    configuration: Configuration,
    cases: Sequence[_Case],
    compact: Compact,
    layout: KeyLayout,
    adopters: Adopters | None,
    fault: NDArray[np.uint8],
) -> LaneSeeds:
    graph, leak = wiring.graph, len(wiring.deployment.groups)
    plain, preferred = list[tuple[int, int, int]](), list[tuple[int, int, int]]()
    refusals = set[tuple[int, int, int, int]]()
    base = wiring.seeds(configuration, layout)
    for lane, case in enumerate(cases):
        for seed in base.seeds:
            (preferred if seed.preferred else plain).append((int(compact.place[seed.node]), lane, seed.key))
        refusals.update((*row, lane) for row in base.refusals)
        refusals.update((node, -1, leak, lane) for node in case.on_route)
        rank = int(wiring.ranks.rank[case.node])
        for neighbours, class_ in ((graph.providers(case.node), 0), (graph.peers(case.node), 1)):
            for node in neighbours.tolist():
                refused = node in case.on_route or node in wiring.silent
                dropped = adopters is not None and adopters.bits[node] & fault[class_, leak, lane]
                if not refused and not dropped:
                    key = layout.key(class_, case.length + 1, rank, leak)
                    plain.append((int(compact.place[node]), lane, key))
    return LaneSeeds.of(plain, preferred, refusals, layout)
