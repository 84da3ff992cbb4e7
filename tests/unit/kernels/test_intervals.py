"""Intervals hold what they promise: counted over worlds whose truth is known."""

import numpy as np
import pytest

from anycastle.kernels.intervals import (
    CLUSTERS_MIN,
    Interval,
    effective_number,
    numbered,
    quantile_intervals,
    ratio_interval,
    weighted_quantiles,
    wilson,
)


def test_wilson_by_the_numbers_of_the_literature() -> None:
    """Newcombe 1998, table I: 81 of 263 and 15 of 148, 0 of 20, 1 of 29."""
    for successes, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson(successes, trials)
        assert found is not None
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert wilson(0, 0) is None


def test_weighted_quantiles_are_values_that_were_seen() -> None:
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([1.0, 2.0, 1.0])
    assert weighted_quantiles(values, weights, (0.0, 0.5, 0.51, 0.75, 1.0)).tolist() == [10, 10, 20, 20, 30]


def world(randomness: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give times of 40 ASes of different sizes: what an AS's probes share is far more than what they differ by."""
    sizes = 1 + randomness.geometric(0.2, 40)
    network = np.repeat(np.arange(40), sizes)
    shared = randomness.normal(60, 20, 40)
    return shared[network] + randomness.normal(0, 2, len(network)), network


@pytest.mark.mission("M1")
def test_the_interval_by_as_holds_the_truth_and_the_naive_one_does_not() -> None:
    """The median of that world is 60 by construction; 200 samples of it."""
    randomness = np.random.default_rng(7)
    by_network = naive = 0
    for _ in range(200):
        values, network = world(randomness)
        ones = np.ones(len(values))
        (whole,) = quantile_intervals(values, ones, network, (0.5,), randomness, resamples=300)
        (each,) = quantile_intervals(values, ones, np.arange(len(values)), (0.5,), randomness, resamples=300)
        assert whole is not None
        assert each is not None
        by_network += whole.low <= 60 <= whole.high
        naive += each.low <= 60 <= each.high
    assert by_network >= 180
    assert naive <= 150


def test_the_interval_of_a_share_by_as_holds_the_truth() -> None:
    randomness = np.random.default_rng(8)
    held = 0
    for _ in range(200):
        trials = randomness.integers(5, 40, 60).astype(float)
        good = randomness.binomial(trials.astype(int), randomness.beta(18, 2, 60)).astype(float)
        found = ratio_interval(good, trials, randomness, resamples=300)
        assert found is not None
        held += found.low <= 0.9 <= found.high
    assert held >= 180


def test_too_few_clusters_give_no_interval() -> None:
    randomness = np.random.default_rng(1)
    few = CLUSTERS_MIN - 1
    values = np.arange(float(few))
    assert quantile_intervals(values, values + 1, np.arange(few), (0.5, 0.9), randomness) == (None, None)
    assert ratio_interval(values, values + 1, randomness) is None
    assert ratio_interval(np.zeros(20), np.zeros(20), randomness) is None


def test_where_all_agree_a_cluster_counts_as_one_opinion() -> None:
    """Twenty ASes that never failed say no more than twenty trials: not that failures are impossible."""
    trials = np.full(20, 1000.0)
    found = ratio_interval(trials, trials, np.random.default_rng(1))
    assert found == wilson(20, 20)
    assert found == Interval(pytest.approx(0.8389, abs=1e-4), 1.0)  # type: ignore[arg-type]


def test_how_many_equal_ones_say_as_much() -> None:
    assert effective_number(np.array([1.0, 1.0, 1.0])) == 3
    assert effective_number(np.array([10.0, 0.0])) == 1
    assert effective_number(np.array([0.0])) == 0
    assert numbered(["b", "a", "b"]).tolist() == [0, 1, 0]
