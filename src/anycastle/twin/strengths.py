"""How strongly each AS is drawn to each PoP: Bradley and Terry's model, in layers from all ASes down to one.

Theory of operation. An AS takes PoP i rather than j with the log odds

    offset(i, j) + hint(AS; i, j) + s_i - s_j,      s = s(its country) + s(its providers) + s(its own)

The hint is what the paths say (`twin.path_field`), about its mean. The offset belongs to the experiment: it is set so
that the mean chance is the share that was measured, so an odd experiment (replies lost, a session down that day) moves
no other pair. Strengths of groups follow by one Newton step a layer and round on the logistic likelihood, one small
matrix a group, with a ridge towards none. A group's answers weigh at most as `half` of its ASes, for ASes of a group
are not independent.

An AS's own strengths come last, by Newton's method from its own answers. The same matrix gives the variance of a
difference: where an AS chose between i and k and between j and k, and both beat k, then nothing is known of i against
j, and the variance says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.twin.evidence import pairs_of

Floats = NDArray[np.float64]

# Found by leaving out one pair at a time on the PEERING experiments of 2019; docs/design/calibration.md has the figures
# of other values. None of them is sharp.
RIDGE_GROUP: Final = 1.0
RIDGE_OWN: Final = 0.35
ROUNDS_GROUP: Final = 2
ROUNDS_OWN: Final = 5
"""Newton steps; the fifth changes no strength by more than 0.01."""
CURVATURE_MIN: Final = 0.02
"""Of one answer: p (1 - p) at 2 %; below it a step would jump."""
SHARE_MIN: Final = 0.003
"""A share is taken as no smaller: an experiment has answers that are wrong."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Which ASes belong to which groups; an AS may belong to several (its providers), or to none."""

    row: NDArray[np.int64]
    """int64[entry]: the AS."""
    group: NDArray[np.int64]
    """int64[entry]."""
    groups: int
    half: float
    """ASes of a group that weigh as much as all the rest of it together."""

    def sums(self, values: Floats) -> Floats:
        """Give the sums of float64[as, k] over each group, float64[group, k]."""
        total = np.empty((self.groups, values.shape[1]))
        for column in range(values.shape[1]):
            total[:, column] = np.bincount(self.group, values[self.row, column], self.groups)
        return total

    def means(self, values: Floats, ases: int) -> Floats:
        """Give to each AS the mean of its groups' float64[group, k]; 0 where it has none."""
        total = np.empty((ases, values.shape[1]))
        for column in range(values.shape[1]):
            total[:, column] = np.bincount(self.row, values[self.group, column], ases)
        return np.asarray(total / np.maximum(np.bincount(self.row, minlength=ases), 1)[:, None])


def logit(share: Floats | float) -> Floats:
    """Give log odds."""
    return np.asarray(np.log(share) - np.log1p(-np.asarray(share)))


def logistic(value: Floats | float) -> Floats:
    """Give the probability of log odds, safe for any size."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(value))))


def contrasts(pops: int) -> Floats:
    """Give the matrix float64[pair, pop] that takes strengths to differences: +1 the first, -1 the second."""
    pairs = pairs_of(pops)
    matrix = np.zeros((len(pairs), pops))
    matrix[np.arange(len(pairs)), pairs[:, 0]] = 1.0
    matrix[np.arange(len(pairs)), pairs[:, 1]] = -1.0
    return matrix


def offset_to(odds: Floats, share: float, start: float = 0.0) -> float:
    """Give what is to be added to log odds so that their mean chance is `share`."""
    target = float(logit(share))
    low, high = target - float(odds.max()), target - float(odds.min())
    offset = min(max(start, low), high)
    for _ in range(60):
        chance = logistic(odds + offset)
        gap = share - float(chance.mean())
        if abs(gap) < 1e-6:
            break
        low, high = (offset, high) if gap > 0 else (low, offset)
        step = offset + gap / max(float((chance * (1 - chance)).mean()), 1e-9)
        offset = step if low < step < high else (low + high) / 2
    return offset


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all but an AS's own answers say."""

    offset: Floats
    """float64[pair]: of each experiment; 0 where none was made."""
    strength: Floats
    """float64[as, pop]: of country and providers."""


def fit_surroundings(outcome: NDArray[np.int8], hint: Floats, layers: Sequence[Layer]) -> Surroundings:
    """Give the offsets of experiments and the strengths of groups.

    `outcome` int8[as, pair] as in `Evidence`; `hint` float64[as, pair].
    """
    ases, pairs = outcome.shape
    pops = round((1 + (1 + 8 * pairs) ** 0.5) / 2)
    matrix = contrasts(pops)
    rows = [np.flatnonzero(outcome[:, pair]) for pair in range(pairs)]
    share = [float(np.clip(np.mean(outcome[at, pair] > 0), SHARE_MIN, 1 - SHARE_MIN)) if len(at) else 0.5
             for pair, at in enumerate(rows)]  # fmt: skip
    of_group = [np.zeros((layer.groups, pops)) for layer in layers]
    strength, offset = np.zeros((ases, pops)), np.zeros(pairs)
    for turn in range(ROUNDS_GROUP + 1):
        if turn:
            for at, layer in enumerate(layers):
                odds = hint + offset + strength @ matrix.T
                step = _group_step(outcome, odds, layer, of_group[at], matrix)
                of_group[at] = of_group[at] + step
                strength = strength + layer.means(step, ases)
        odds = hint + strength @ matrix.T
        for pair, answered in enumerate(rows):
            if len(answered):
                offset[pair] = offset_to(odds[answered, pair], share[pair], float(offset[pair]))
    return Surroundings(offset, strength)


def _group_step(outcome: NDArray[np.int8], odds: Floats, layer: Layer, now: Floats, matrix: Floats) -> Floats:
    """Give one Newton step of a layer's strengths, float64[group, pop]."""
    asked = outcome != 0
    chance = logistic(odds)
    slope = np.where(asked, (outcome > 0) - chance, 0.0)
    curvature = np.where(asked, np.maximum(chance * (1 - chance), CURVATURE_MIN / 2), 0.0)
    count = layer.sums(asked.astype(np.float64))
    weight = layer.half / (count + layer.half)
    normal = _normal(layer.sums(curvature) * weight, matrix, RIDGE_GROUP)
    right = (layer.sums(slope) * weight) @ matrix - RIDGE_GROUP * now
    return np.asarray(np.clip(np.linalg.solve(normal, right[..., None])[..., 0], -3.0, 3.0))


def _normal(weight: Floats, matrix: Floats, ridge: float) -> Floats:
    pops = matrix.shape[1]
    outer = (matrix[:, :, None] * matrix[:, None, :]).reshape(len(matrix), pops * pops)
    return np.asarray((weight @ outer).reshape(-1, pops, pops) + ridge * np.eye(pops))


@dataclass(frozen=True, slots=True)
class OwnStrengths:
    """Strengths of each AS beyond its surroundings, and the matrix whose inverse is their covariance."""

    mean: Floats
    """float64[as, pop]."""
    normal: Floats
    """float64[as, pop, pop]."""

    def difference(self, first: int, second: int) -> tuple[Floats, Floats]:
        """Give mean and variance of s_first - s_second, float64[as] each."""
        side = np.zeros(self.mean.shape[1])
        side[first], side[second] = 1.0, -1.0
        solved = np.linalg.solve(self.normal, np.broadcast_to(side, self.mean.shape)[..., None])[..., 0]
        return self.mean @ side, solved @ side


def fit_own(outcome: NDArray[np.int8], odds: Floats, pops: int) -> OwnStrengths:
    """Give the own strengths of ASes from their answers int8[as, pair], over what was expected, float64[as, pair]."""
    matrix = contrasts(pops)
    asked, won = outcome != 0, outcome > 0
    own = np.zeros((len(outcome), pops))
    normal = np.broadcast_to(RIDGE_OWN * np.eye(pops), (len(outcome), pops, pops))
    for _ in range(ROUNDS_OWN):
        chance = logistic(odds + own @ matrix.T)
        curvature = np.where(asked, np.maximum(chance * (1 - chance), CURVATURE_MIN), 0.0)
        slope = np.where(asked, won - chance, 0.0)
        normal = _normal(curvature, matrix, RIDGE_OWN)
        step = np.linalg.solve(normal, (slope @ matrix - RIDGE_OWN * own)[..., None])[..., 0]
        own = own + np.clip(step, -2.0, 2.0)
    return OwnStrengths(own, normal)
