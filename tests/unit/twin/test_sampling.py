"""Shares from a sample and a model."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.twin.sampling import fit_sample, share_after_sample
from anycastle.twin.strengths import logistic


@pytest.mark.parametrize("scale", [1.0, 0.5, -1.0])
def test_the_level_is_the_samples_and_the_order_the_models(scale):
    """The model is 3 off in level, or has its order wrong (scale -1): the share comes out all the same."""
    rng = np.random.default_rng(5)
    odds = rng.normal(0, 2, 20_000)
    first = rng.random(20_000) < logistic(scale * odds - 1)
    sampled = rng.permutation(20_000)[:500]
    share = share_after_sample(odds + 3, sampled, first[sampled])
    assert abs(share - first.mean()) < 0.04
    naive = [abs(first[rng.permutation(20_000)[:500]].mean() - first.mean()) for _ in range(20)]
    assert abs(share - first.mean()) < 2.5 * max(naive)


def test_a_model_beats_the_bare_sample_where_it_is_right():
    errors, bare = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        odds = rng.normal(0, 3, 5000)
        first = rng.random(5000) < logistic(odds - 1)
        sampled = rng.permutation(5000)[:200]
        errors.append(abs(share_after_sample(odds, sampled, first[sampled]) - first.mean()))
        bare.append(abs(first[sampled].mean() - first.mean()))
    assert np.mean(errors) < np.mean(bare)


def test_a_sample_of_one_side_keeps_finite_and_none_is_refused():
    odds = np.linspace(-2, 2, 50)
    assert np.isfinite(fit_sample(odds, np.arange(10), np.ones(10, np.bool_))).all()
    with pytest.raises(MisuseError):
        fit_sample(odds, np.array([], np.int64), np.array([], np.bool_))
