"""Members by a calibrated model: where measured catchments say more than the rules.

Theory of operation. The model gives each AS a chance for every announced PoP. A member draws one PoP an AS, from these
chances. Draws that are independent would make shares look certain, for thousands of them average out; but a model errs
for many ASes in one direction. So each member also draws an error of each PoP's odds that all ASes share, as large as
the model's error of shares was when experiments were left out. All draws are the same for every configuration: by the
Gumbel trick an AS changes its PoP only where its chances did.

A model knows which PoPs announce, and not how. Where a configuration prepends, or leaves sessions out, each AS's
chances are corrected by what the rules say of it: times the chance by the rules with the treatment, over that without.
This correction was not measured.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.twin.calibration import Calibration, predict
from anycastle.twin.deployment import PLAIN, Configuration, Deployment
from anycastle.twin.ensemble import Ensemble, Members
from anycastle.twin.graph import ASGraph
from anycastle.twin.provenance import Provenance

SHARE_ERROR: Final = 0.02
"""Where a model has no scorecard: the error of a PoP's share. A calibration that is accepted has less."""
NEVER: Final = 0.05
"""Added to chances by the rules before one is divided by another: no rule is sure beyond 1 in 20."""


@dataclass(frozen=True, slots=True)
class Chances:
    """What the model says of one configuration."""

    chance: NDArray[np.float32]
    """float32[node, pop] over the deployment's PoPs; a row adds up to 1, or to 0 where nothing is announced."""
    provenance: NDArray[np.uint8]
    """uint8[node]: values of `Provenance`."""
    corrected: bool
    """The treatments were not plain."""


def chances(model: Calibration, graph: ASGraph, ensemble: Ensemble, configuration: Configuration) -> Chances:
    """Give each node's chances. Raises `MisuseError` for a PoP that the model does not have."""
    deployment = ensemble.compiled.wiring.deployment
    announcing = deployment.announcing(configuration)
    chance = np.zeros((len(graph), len(deployment.pops)), np.float32)
    if not announcing:
        return Chances(chance, np.full(len(graph), Provenance.ASSUMED, np.uint8), corrected=False)
    found = predict(model, sorted(announcing), graph.asn)
    for at, pop in enumerate(found.announced):
        chance[:, deployment.pops.index(pop)] = found.chance[:, at]
    plain = plainly(deployment, announcing)
    corrected = plain != configuration
    provenance = found.provenance.astype(np.uint8)
    if corrected:
        asked, base = _by_rules(ensemble, configuration), _by_rules(ensemble, plain)
        chance *= (asked + NEVER) / (base + NEVER)
        chance /= np.maximum(chance.sum(axis=1, keepdims=True), 1e-30)
        differs = np.abs(asked - base).max(axis=1) > 0
        provenance[differs] = np.maximum(provenance[differs], Provenance.INFERRED.value)
    return Chances(chance, provenance, corrected)


def plainly(deployment: Deployment, pops: Collection[str]) -> Configuration:
    """Give the configuration in which these PoPs announce to all upstreams, plainly."""
    return Configuration({group.name: PLAIN for group in deployment.groups if group.pop in pops})


def _by_rules(ensemble: Ensemble, configuration: Configuration) -> NDArray[np.float32]:
    """Give the part of the members in which each node lands at each PoP, float32[node, pop]."""
    members = ensemble.run(configuration)
    pops = members.pops()
    parts = np.stack([(pops == at).mean(axis=1) for at in range(len(members.deployment.pops))], axis=1)
    return parts.astype(np.float32)[members.row_of_node]


def draw_pops(
    model: Calibration, told: tuple[Chances, ...], members: int, randomness: np.random.Generator
) -> tuple[NDArray[np.uint16], ...]:
    """Draw a PoP for every AS and member, uint16[node, member], under each of the configurations with the same luck.

    Costs about 2 s for 70,000 ASes, 8 PoPs and 64 members.
    """
    nodes, pops = told[0].chance.shape
    best = [np.full((nodes, members), -np.inf, np.float32) for _ in told]
    chosen = [np.full((nodes, members), pops, np.uint16) for _ in told]
    error = share_error(model)
    for at in range(pops):
        luck = randomness.gumbel(size=(nodes, members)).astype(np.float32)
        luck += randomness.normal(0.0, _odds_error(told, at, error), members).astype(np.float32)
        for which, each in enumerate(told):
            with np.errstate(divide="ignore"):
                value = np.log(each.chance[:, at])[:, None] + luck
            better = value > best[which]
            best[which][better] = value[better]
            chosen[which][better] = at
    return tuple(chosen)


def share_error(model: Calibration) -> float:
    """Give the model's error of a PoP's share, 0 to 1, as its scorecard has it."""
    summary = model.scorecard.get("all") or {}
    measured = summary.get("share_error")
    return float(measured) if measured else SHARE_ERROR


def _odds_error(told: tuple[Chances, ...], pop: int, error: float) -> float:
    """Turn an error of the share into one of the odds: the share's derivative is share * (1 - share)."""
    share = float(np.clip(np.mean([each.chance[:, pop].mean() for each in told]), 0.05, 0.95))
    return error / (share * (1.0 - share))


def as_members(ensemble: Ensemble, pops: NDArray[np.uint16]) -> Members:
    """Give drawn PoPs as members: at each PoP its first session group stands for all of them."""
    deployment = ensemble.compiled.wiring.deployment
    first = np.array([[g.pop for g in deployment.groups].index(pop) for pop in deployment.pops] + [65535], np.uint16)
    return Members(deployment, first[np.minimum(pops, len(deployment.pops))], np.arange(len(pops), dtype=np.int32))
