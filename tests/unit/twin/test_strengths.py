"""Strengths in layers: against known truths and a plain solution."""

import numpy as np
import pytest

from anycastle.twin.strengths import RIDGE_OWN, Layer, contrasts, fit_own, fit_surroundings, logistic, logit, offset_to


def test_log_odds_are_safe_for_any_size():
    assert logistic(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    assert float(logistic(logit(0.2))) == pytest.approx(0.2)


@pytest.mark.parametrize("share", [0.003, 0.2, 0.5, 0.997])
def test_the_offset_gives_the_share(share):
    odds = np.random.default_rng(1).normal(0, 3, 500)
    assert logistic(odds + offset_to(odds, share)).mean() == pytest.approx(share, abs=1e-5)
    far = np.array([-25.0, 25.0])
    assert logistic(far + offset_to(far, 0.9)).mean() == pytest.approx(0.9, abs=1e-4)


def test_layers_sum_and_spread():
    layer = Layer(np.array([0, 1, 1]), np.array([0, 0, 1]), 2, 1.0)
    assert layer.sums(np.array([[1.0], [2.0], [9.0]])).tolist() == [[3.0], [2.0]]
    assert layer.means(np.array([[4.0], [6.0]]), 3).tolist() == [[4.0], [5.0], [0.0]]  # AS1 has two, AS2 none


def test_a_group_that_differs_is_found_and_the_offset_is_the_share():
    outcome = np.zeros((400, 3), np.int8)
    outcome[:, 0] = np.where(np.arange(400) < 200, 1, -1)  # the first half is drawn to PoP 0
    groups = Layer(np.arange(400), (np.arange(400) >= 200).astype(np.int64), 2, 30.0)
    found = fit_surroundings(outcome, np.zeros(outcome.shape), [groups])
    assert found.offset.tolist() == pytest.approx([0, 0, 0], abs=0.05)
    assert found.strength[0, 0] - found.strength[0, 1] > 1
    assert found.strength[399, 0] - found.strength[399, 1] < -1
    assert np.abs(found.strength[:, 2]).max() < 0.01  # nothing is known of the third PoP


def test_own_answers_move_an_as_and_nothing_else():
    outcome = np.array([[1, 1, 0], [0, 0, 0]], np.int8)
    found = fit_own(outcome, np.zeros((2, 3)), 3)
    mean, variance = found.difference(0, 1)
    assert mean[0] > 0.5
    assert mean[1] == 0
    assert variance[1] == pytest.approx(2 / RIDGE_OWN)
    assert variance[0] < variance[1]


def test_own_strengths_are_where_the_slope_is_none():
    rng = np.random.default_rng(3)
    outcome = rng.integers(-1, 2, (50, 6)).astype(np.int8)
    odds = rng.normal(size=(50, 6))
    own = fit_own(outcome, odds, 4).mean
    matrix = contrasts(4)
    chance = logistic(odds + own @ matrix.T)
    slope = np.where(outcome != 0, (outcome > 0) - chance, 0.0) @ matrix - RIDGE_OWN * own
    assert np.abs(slope).max() < 0.02


def test_two_that_both_beat_a_third_stay_uncertain():
    outcome = np.array([[0, 1, 1], [1, 1, 0]], np.int8)  # 0 and 1 beat 2; 0 beats both
    _, variance = fit_own(outcome, np.zeros((2, 3)), 3).difference(0, 1)
    assert variance[0] > variance[1]
