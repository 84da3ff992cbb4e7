"""A PoP's share from a small sample of ASes and a model of all of them.

Theory of operation. The sample alone gives a share with an error of some 1.8 points (500 ASes, a share of 20 %). The
model knows how ASes differ, but not the level of this very experiment. So the model's log odds are scaled and moved to
fit the sample by logistic regression with two numbers, drawn towards no change of scale, and the share is the mean
chance over all ASes: the sample sets the level, the model fills in who was not asked.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.twin.strengths import Floats, logistic

RIDGE: Final = 4.0
"""Answers' worth of belief that the model's scale is right."""
ROUNDS: Final = 20


def fit_sample(odds: Floats, sampled: NDArray[np.int64], first: NDArray[np.bool_]) -> Floats:
    """Give the log odds float64[as] of all ASes after a sample: `sampled` int64[n] are rows, `first` bool[n] answers.

    `odds` are the model's without these answers. Raises `MisuseError` for an empty sample.
    """
    if not len(sampled):
        raise MisuseError("a sample needs one AS or more")
    x = np.column_stack([np.ones(len(sampled)), odds[sampled]])
    prior = np.array([0.0, 1.0])
    numbers = prior.copy()
    ridge = np.diag([0.05, RIDGE])

    def loss(at: Floats) -> float:
        fitted = x @ at
        likelihood = np.sum(np.logaddexp(0, fitted) - first * fitted)
        return float(likelihood + (at - prior) @ ridge @ (at - prior) / 2)

    for _ in range(ROUNDS):
        chance = logistic(x @ numbers)
        normal = (x * (chance * (1 - chance))[:, None]).T @ x + ridge
        step = np.linalg.solve(normal, x.T @ (first - chance) - ridge @ (numbers - prior))
        length = 1.0
        while loss(numbers + length * step) > loss(numbers) and length > 1e-4:
            length /= 2  # where answers contradict the model, a whole step goes astray
        numbers = numbers + length * step
    return np.asarray(numbers[0] + numbers[1] * odds)


def share_after_sample(odds: Floats, sampled: NDArray[np.int64], first: NDArray[np.bool_]) -> float:
    """Give the share of the first PoP over all ASes, the sample as it answered and the rest as fitted."""
    chance = logistic(fit_sample(odds, sampled, first))
    chance[sampled] = first
    return float(chance.mean())
