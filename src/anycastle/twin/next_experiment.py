"""Which announcement, or which probes, would make the predictions surest.

Theory of operation. The uncertainty of a pair of PoPs is the expected part of wrong answers: the mean over ASes, by
their weight, of the chance of the less likely PoP. Announcing the pair removes its own. It also settles other pairs by
transitivity: if an AS is known to take j over k, and would turn out to take i over j, then i over k is settled. How
likely that is the model itself says, so every announcement has an expected gain. Probes for one announced set gain
most at the ASes with most weight times uncertainty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.twin.calibration import Calibration, predict
from anycastle.twin.evidence import pair_index, pairs_of
from anycastle.twin.strengths import Floats, logistic


@dataclass(frozen=True, slots=True)
class Proposal:
    """One announcement and what it would gain, in parts of the weight that would no longer be wrong."""

    announced: tuple[str, ...]
    uncertainty: float
    """Expected part of wrong answers under this set, as things are."""
    gain: float
    """Summed over all pairs of PoPs: its own, and what transitivity settles."""
    known: float
    """Part of the weight that was measured under this set."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One AS to be measured."""

    asn: ASN
    weight: float
    uncertainty: float


def propose(model: Calibration, weight: Floats | None = None) -> tuple[Proposal, ...]:
    """Give all announcements of two PoPs, the best first. `weight` float64[as] as `model.asn`; alike without."""
    weights = _normal(model, weight)
    pops = len(model.pops)
    chance = logistic(model.odds.astype(np.float64))
    sure = np.interp(np.maximum(chance, 1 - chance), model.reliability[:, 0], model.reliability[:, 1])
    known = model.outcome != 0
    chance = np.where(known, model.outcome > 0, np.where(chance >= 0.5, sure, 1 - sure))
    doubt = np.where(known, 0.0, np.minimum(chance, 1 - chance))
    return tuple(
        sorted(
            (
                _proposal(model, (int(i), int(j)), chance, known, doubt, weights, pops)
                for i, j in pairs_of(pops)
            ),
            key=lambda each: (-each.gain, each.announced),
        )
    )  # fmt: skip


def _normal(model: Calibration, weight: Floats | None) -> Floats:
    if weight is None:
        return np.full(len(model.asn), 1 / len(model.asn))
    if weight.shape != model.asn.shape or (weight < 0).any() or not weight.sum() > 0:
        raise MisuseError("weights are one number above 0 for each AS of the model")
    return np.asarray(weight / weight.sum())


def _proposal(
    model: Calibration,
    pair: tuple[int, int],
    chance: Floats,
    known: NDArray[np.bool_],
    doubt: Floats,
    weights: Floats,
    pops: int,
) -> Proposal:
    i, j = pair
    own = pair_index(pops, i, j)
    fresh = ~known[:, own]
    gain = float(weights @ doubt[:, own])
    for k in range(pops):
        if k in pair:
            continue
        for near, far in ((j, i), (i, j)):  # what is known of `near` and k settles `far` and k
            between, settled = pair_index(pops, *sorted((near, k))), pair_index(pops, *sorted((far, k)))
            near_wins = np.where(near < k, chance[:, between], 1 - chance[:, between])
            far_beats_near = chance[:, own] if far == i else 1 - chance[:, own]
            likely = np.where(near_wins > 0.5, far_beats_near, 1 - far_beats_near)
            applies = fresh & known[:, between] & ~known[:, settled]
            gain += float(weights @ np.where(applies, likely * doubt[:, settled], 0.0))
    return Proposal(
        (model.pops[i], model.pops[j]), float(weights @ doubt[:, own]), gain, float(weights @ known[:, own])
    )


def propose_probes(
    model: Calibration, announced: Sequence[str], count: int, weight: Floats | None = None
) -> tuple[Probe, ...]:
    """Give the ASes whose answers under this set would settle most, the best first."""
    weights = _normal(model, weight)
    doubt = 1 - predict(model, announced).chance.max(axis=1)
    place = np.argsort(-weights * doubt, kind="stable")[: max(0, count)]
    return tuple(Probe(ASN(int(model.asn[at])), float(weights[at]), float(doubt[at])) for at in place)
