"""A pilot's report: differences, intervals that cover the truth as often as they say, and a prediction's verdict."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.twin.pilot import CLUSTERS_MIN, Measurements, compare, judge


def rows(cluster, rtt_ms, weight=None, region=None):
    count = len(cluster)
    return Measurements(
        tuple(cluster),
        tuple(region or [""] * count),
        np.array(rtt_ms, float),
        np.ones(count) if weight is None else np.array(weight, float),
    )


def generator():
    return np.random.default_rng(7)


ASES = [f"AS{each}" for each in range(30)]


@pytest.mark.mission("S4")
def test_a_change_alike_for_all_has_no_width():
    """Every AS gets 10 ms faster, from 30 ... 59 ms: the mean goes from 44.5 to 34.5, and each draw says -10."""
    before = rows(ASES, range(30, 60))
    after = rows(ASES, range(20, 50))
    pilot = compare(before, after, generator())
    mean, p50, p95 = pilot.parts[0].differences
    assert (mean.before_ms, mean.after_ms) == (44.5, 34.5)
    assert mean.low_ms == pytest.approx(-10)
    assert mean.high_ms == pytest.approx(-10)
    assert mean.proven
    assert (p50.before_ms, p50.after_ms) == (44, 34)
    assert (p95.before_ms, p95.after_ms) == (58, 48)
    assert judge(pilot, -10.0).word == "agrees"
    assert judge(pilot, -15.0).word == "does not agree"


def test_weights_count():
    before = rows(ASES, [10] * 29 + [100], [1] * 29 + [29])
    after = rows(ASES, [10] * 30, [1] * 29 + [29])
    assert compare(before, after, generator()).parts[0].differences[0].before_ms == 55


def test_many_rows_of_one_network_are_one_fact():
    """One AS of thirty with a thousand rows: the interval of the mean is as wide as what that AS did."""
    before = rows([*ASES, *["AS0"] * 1000], [50] * 1030)
    after = rows([*ASES, *["AS0"] * 1000], [50.0] * 1 + [50] * 29 + [20] * 1000)
    mean = compare(before, after, generator()).parts[0].differences[0]
    assert mean.change_ms < -29
    assert mean.high_ms == pytest.approx(0)  # AS0 is in a third of the draws not at all
    assert not mean.proven


def test_too_few_clusters_say_nothing():
    few = ASES[: CLUSTERS_MIN - 1]
    pilot = compare(rows(few, [10] * len(few)), rows(few, [5] * len(few)), generator())
    assert pilot.parts[0].differences == ()
    assert judge(pilot, -5).word == "too few to say"


def test_who_was_asked_once_is_left_out_and_counted():
    before = rows([*ASES, "AS98"], [10] * 30 + [500])
    after = rows([*ASES, "AS99", "AS97"], [10] * 30 + [1, 1])
    pilot = compare(before, after, generator())
    assert (pilot.only_before, pilot.only_after) == (1, 2)
    assert pilot.parts[0].differences[0].change_ms == 0


def test_regions_apart():
    region = ["north"] * 25 + ["south"] * 5
    pilot = compare(rows(ASES, [10] * 30, None, region), rows(ASES, [5] * 30, None, region), generator())
    assert [(part.name, part.clusters, len(part.differences)) for part in pilot.parts] == [
        ("all", 30, 3), ("north", 25, 3), ("south", 5, 0),
    ]  # fmt: skip


def test_nothing_in_common_is_refused():
    with pytest.raises(MisuseError, match="both before and after"):
        compare(rows(["AS1"], [1]), rows(["AS2"], [1]), generator())


def test_the_same_randomness_gives_the_same_report():
    before, after = rows(ASES, range(30)), rows(ASES, range(30, 0, -1))
    assert compare(before, after, generator()) == compare(before, after, generator())


@pytest.mark.mission("S4")
def test_intervals_cover_the_truth_as_often_as_they_say():
    """Two hundred pilots of 60 ASes with 1 to 20 rows, effects of the ASes drawn around -5 ms: 95 % of intervals hold
    the mean effect by AS. Binomial noise of 200 is 1.5 %; few clusters cost some coverage: at least 90 % is asked.
    """
    draw = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        names, was, now = [], [], []
        for each in range(60):
            base, effect = draw.gamma(4, 15), draw.normal(-5, 10)
            names.append(f"AS{each}")
            was.append(base + draw.normal(0, 3))
            now.append(base + effect + draw.normal(0, 3))
        mean = compare(rows(names, was), rows(names, now), draw, draws=300).parts[0].differences[0]
        held += mean.low_ms <= -5 <= mean.high_ms
    assert held >= 180
