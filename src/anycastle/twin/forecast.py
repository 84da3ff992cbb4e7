"""Members and expected shares of configurations, by the rules or by a calibrated model: one face for both."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.lane_vectors import LANES
from anycastle.model.asn import ASN
from anycastle.twin.calibrated import as_members, chances, draw_pops
from anycastle.twin.calibration import Calibration
from anycastle.twin.deployment import Configuration, Deployment
from anycastle.twin.ensemble import MEMBERS, Ensemble, Members
from anycastle.twin.graph import ASGraph
from anycastle.twin.load import shares_by_group, shares_by_pop
from anycastle.twin.nearest import Whereabouts
from anycastle.twin.provenance import Provenance
from anycastle.twin.sweep import compile_deployment


@dataclass(frozen=True, slots=True)
class Pair:
    """Two configurations under the same luck."""

    before: Members
    after: Members
    provenance: NDArray[np.uint8]
    """uint8[node]: values of `Provenance`, of the configuration after."""
    corrected: bool = False
    """A calibrated model was corrected by the rules, for announcements that are not plain."""


def named_by(configurations: Iterable[Configuration]) -> set[ASN]:
    """Give the ASes that configurations keep routes from; a deployment is compiled with their names."""
    told = [how for each in configurations for how in each.announced.values()]
    return {asn for how in told for asn in (*how.no_export_to, *how.poison)}


@dataclass(frozen=True, slots=True)
class Forecast:
    """A deployment on a graph, ready for any of its configurations."""

    ensemble: Ensemble
    model: Calibration | None
    randomness: np.random.Generator

    @staticmethod
    def of(
        graph: ASGraph,
        deployment: Deployment,
        asked: tuple[Configuration, ...],
        randomness: np.random.Generator,
        model: Calibration | None = None,
        members: int = MEMBERS,
        where: Whereabouts | None = None,
    ) -> "Forecast":
        """Compile. `asked` are configurations that refuse routes to ASes; others may follow that name no more ASes.

        Raises `MisuseError` where a neighbour is not in the graph.
        """
        compiled = compile_deployment(graph, deployment, named=named_by(asked))
        return Forecast(Ensemble.of(compiled, randomness, members, where), model, randomness)

    @property
    def graph(self) -> ASGraph:
        """The graph that is forecast on."""
        return self.ensemble.compiled.graph

    @property
    def deployment(self) -> Deployment:
        """All session groups."""
        return self.ensemble.compiled.wiring.deployment

    def pair(self, before: Configuration, after: Configuration) -> Pair:
        """Give the members of both."""
        if self.model is None:
            assumed = np.full(len(self.graph), Provenance.ASSUMED, np.uint8)
            return Pair(self.ensemble.run(before), self.ensemble.run(after), assumed)
        told = tuple(chances(self.model, self.graph, self.ensemble, each) for each in (before, after))
        drawn = draw_pops(self.model, told, LANES, self.randomness)
        members = [as_members(self.ensemble, pops) for pops in drawn]
        return Pair(members[0], members[1], told[1].provenance, any(each.corrected for each in told))

    def expected(self, configuration: Configuration, of_node: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the expected weight at each PoP, float64[pop + 1]; the last has no route. It adds up to `of_node`'s."""
        if self.model is None:
            return np.asarray(shares_by_pop(self.ensemble.run(configuration), of_node).mean(axis=0))
        chance = chances(self.model, self.graph, self.ensemble, configuration).chance.astype(np.float64)
        landed = of_node @ chance
        return np.append(landed, max(0.0, float(of_node.sum() - landed.sum())))

    def by_group(
        self, members: Members, configuration: Configuration, of_node: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give the weight at each session group, float64[member, group + 1].

        A calibrated model knows PoPs only: within a PoP, its weight is parted among upstreams as the rules part it.
        """
        if self.model is None:
            return shares_by_group(members, of_node)
        by_rules = shares_by_group(self.ensemble.run(configuration), of_node).mean(axis=0)
        pop_of_group, pops = self.deployment.pop_of_group(), len(self.deployment.pops)
        at_pop = np.bincount(pop_of_group, by_rules[:-1], pops)
        announces = np.array([g.name in configuration.announced for g in self.deployment.groups], np.float64)
        alike = announces / np.maximum(1.0, np.bincount(pop_of_group, announces, pops))[pop_of_group]
        known = at_pop[pop_of_group] > 0
        part = np.where(known, by_rules[:-1] / np.maximum(at_pop[pop_of_group], 1e-30), alike)
        landed = shares_by_pop(members, of_node)
        return np.concatenate([landed[:, :-1][:, pop_of_group] * part, landed[:, -1:]], axis=1)
