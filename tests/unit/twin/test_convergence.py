"""Measured times over predicted moves: levels, branches, what lies beyond what was seen."""

from math import inf

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.twin.convergence import Observed, Times, overlay

NOTHING = Times((1.0,), (0.0,))


def generator():
    return np.random.default_rng(3)


def moved(*weights):
    return np.array(weights, float), np.arange(len(weights))


def test_times_between_percentiles():
    """From 0 s at level 0 to 10 s at the median, 40 s at 0.9: 5 s at a quarter, 25 s at 0.7, and beyond 0.9 unknown."""
    times = Times((0.5, 0.9), (10.0, 40.0))
    assert times.at(np.array([0.0, 0.25, 0.5, 0.7, 0.9, 0.95])).tolist() == pytest.approx([0, 5, 10, 25, 40, inf])


def test_times_of_samples_with_one_that_never_ended():
    times = Times.of_samples([4.0, inf, 2.0, 6.0])
    assert times.at(np.array([0.25, 0.5, 0.75, 0.76])).tolist() == [2, 4, 6, inf]


def test_one_observation_is_that_time():
    assert Times.of_samples([7.0]).at(np.array([0.0, 0.4, 1.0])).tolist() == [7, 7, 7]


@pytest.mark.mission("M2", "C12")
def test_many_light_branches_follow_the_distribution():
    """Ten thousand branches, times even from 0 to 100 s: half of the users are through after 50 s in every draw."""
    found = overlay("withdraw", *moved(*[1.0] * 10_000), [Observed("withdraw", Times((1.0,), (100.0,)), NOTHING)],
                    generator(), draws=20)  # fmt: skip
    # a single level at 1 is one observation; two make a straight line
    assert found.arrivals[0].seconds == (100.0, 100.0, 100.0)
    even = Times((0.5, 1.0), (50.0, 100.0))
    found = overlay("withdraw", *moved(*[1.0] * 10_000), [Observed("withdraw", even, NOTHING)], generator(), draws=20)
    assert found.branches == 10_000
    for share, arrival in zip((50, 90, 95), found.arrivals, strict=True):
        assert arrival.seconds == pytest.approx((share,) * 3, abs=2)


def test_one_branch_is_as_uncertain_as_a_measurement():
    """All users behind one next hop: they move together, at any time from 0 to 100 s."""
    even = Times((0.5, 1.0), (50.0, 100.0))
    weights = np.ones(1000)
    found = overlay("withdraw", weights, np.zeros(1000, np.int64), [Observed("withdraw", even, NOTHING)], generator())
    assert (found.branches, found.moved) == (1, 1000)
    assert found.arrivals[0].seconds == pytest.approx((10, 50, 90), abs=8)
    assert found.arrivals[0].seconds == found.arrivals[2].seconds


def test_beyond_what_was_seen():
    """Only half of the peers had converged when the measurement ended: 90 % of the users come later than anyone saw."""
    half = Times((0.5,), (10.0,))
    found = overlay("withdraw", *moved(*[1.0] * 5000), [Observed("withdraw", half, NOTHING)], generator(), draws=50)
    assert found.arrivals[1].seconds == (None, None, None)


def test_the_unreachable_interval():
    """Slow branches are the ones without an answer: a tenth of the peers for 20 s, the others not at all."""
    even = Times((0.5, 1.0), (50.0, 100.0))
    dark = Times((0.9, 0.901, 1.0), (0.0, 20.0, 20.0))
    found = overlay("announce", *moved(*[1.0] * 20_000), [Observed("announce", even, dark)], generator(), draws=50)
    assert [arrival.unreachable_s[1] for arrival in found.arrivals] == pytest.approx([0, 0, 20], abs=0.5)


def test_a_draw_follows_one_measurement():
    """A fast and a slow change were seen, the slow one by thrice as many peers: a quarter of the draws is fast."""
    seen = [
        Observed("withdraw", Times.of_samples([1.0]), NOTHING, weight=1),
        Observed("withdraw", Times.of_samples([9.0]), NOTHING, weight=3),
        Observed("announce", Times.of_samples([500.0]), NOTHING),
    ]
    found = overlay("withdraw", *moved(1.0, 1.0), seen, generator())
    assert found.observed == 2
    assert found.arrivals[0].seconds == (1.0, 9.0, 9.0)


def test_nobody_moves():
    found = overlay("withdraw", *moved(0.0), [Observed("withdraw", NOTHING, NOTHING)], generator())
    assert (found.moved, found.arrivals) == (0.0, ())


def test_what_was_not_measured_is_refused():
    with pytest.raises(MisuseError, match="there is: announce"):
        overlay("withdraw", *moved(1.0), [Observed("announce", NOTHING, NOTHING)], generator())
    with pytest.raises(MisuseError, match="0 or more"):
        Times.of_samples([-1.0])
