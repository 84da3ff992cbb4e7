"""M1 to M10: each with what it counts, what it leaves out, and when it says that it does not know."""

import random
from math import isinf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.slo.histogram import RELATIVE_ERROR, Histogram
from anycastle.slo.indicators import (
    m01_edge_latency,
    m02_convergence,
    m03_routing_success,
    m04_visibility,
    m05_client_errors,
    m06_session_disruption,
    m07_cache_hits,
    m08_scrubbed,
    m09_check_fidelity,
    m10_policy_compliance,
)
from anycastle.slo.indicators.m02_convergence import Course
from anycastle.slo.indicators.m07_cache_hits import Cache
from anycastle.slo.indicators.m10_policy_compliance import Verdict
from anycastle.slo.indicators.table import INDICATORS
from anycastle.slo.reading import State
from anycastle.slo.tally import Tally, by_scope, ratio_reading

RANDOMNESS = np.random.default_rng(1)


def test_every_indicator_says_what_it_is() -> None:
    assert [each.id for each in INDICATORS.values()] == [f"M{number}" for number in range(1, 11)]
    for name, each in INDICATORS.items():
        assert name == each.name
        assert each.excludes
        assert each.minimum > 0
        assert each.definition.endswith(".")
        assert all(what and why for what, why in each.excludes)


@pytest.mark.mission("M1")
def test_m1_merges_and_never_averages() -> None:
    """Two regions, one of them small and slow: a mean of their medians would say 155 ms, the users say 10."""
    fast, slow = {}, {}
    for network in range(100):
        fast[f"AS{network}"], slow[f"AS{network}"] = Histogram(), Histogram()
        fast[f"AS{network}"].add(10.0, 99)
        slow[f"AS{network}"].add(300.0, 1)
    del slow["AS0"], slow["AS1"], slow["AS2"], slow["AS3"], slow["AS4"]
    readings = {each.scope: each for each in m01_edge_latency.readings({"eu": fast, "sa": slow}, 0.5, RANDOMNESS)}
    assert readings["global"].value == pytest.approx(10, rel=RELATIVE_ERROR)
    assert readings["sa"].value == pytest.approx(300, rel=RELATIVE_ERROR)
    assert readings["eu"].state is State.MEASURED
    assert readings["sa"].state is State.TOO_FEW
    assert readings["global"].interval is not None
    assert [m01_edge_latency.minimum_for(level) for level in (0.5, 0.95)] == [96, 456]


def test_m1_without_answers_is_no_data() -> None:
    (reading,) = m01_edge_latency.readings({}, 0.95, RANDOMNESS)
    assert (reading.state, reading.value, reading.interval) == (State.NO_DATA, None, None)


@pytest.mark.mission("M2")
def test_m2_counts_the_slowest_though_nobody_saw_them_end() -> None:
    done = [Course(float(second), True) for second in range(1, 91)]
    stuck = [Course(900.0, False)] * 10
    assert m02_convergence.quantile(done, 0.95) == (86.0, True)  # dropping them would say 86 s
    assert m02_convergence.quantile(done + stuck, 0.95) == (900.0, False)
    reading = m02_convergence.reading(done + stuck)
    assert (reading.state, reading.value) == (State.MEASURED, 900.0)
    assert "more than this" in reading.note
    assert m02_convergence.reading([]).state is State.NO_DATA


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95]))
def test_m2_without_censoring_is_the_plain_quantile(times: list[int], level: float) -> None:
    found = m02_convergence.quantile([Course(float(each), True) for each in times], level)
    plain = sorted(times)[min(len(times) - 1, max(0, int(np.ceil(level * len(times) - 1e-9)) - 1))]
    assert found == (plain, True)


@pytest.mark.mission("M3")
def test_m3_an_answer_by_somebody_else_is_a_failure() -> None:
    tally = Tally()
    ours = {"fra", "iad"}.__contains__
    for answered, site, right, control in (
        (20.0, "fra", True, True),
        (20.0, "evil", True, True),
        (20.0, "fra", False, True),
        (4001.0, "fra", True, True),
        (None, "", True, True),
        (None, "", True, False),
    ):
        m03_routing_success.count(tally, m03_routing_success.Round("AS1", "eu", answered, site, right, control), ours)
    assert tally.ratio == pytest.approx(1 / 5)
    assert tally.excluded == {"probe cut off": 1}


@pytest.mark.mission("M4")
def test_m4_gives_an_as_one_vote() -> None:
    tally = Tally()
    view = m04_visibility.View
    m04_visibility.count(
        tally,
        [view(1, True, True), view(1, True, False), view(2, True, True, origin_valid=False), view(3, False, False),
         view(4, True, False, up=False), view(5, True, True)],
    )  # fmt: skip
    assert tally.ratio == pytest.approx(2 / 3)
    assert tally.excluded == {"further peer of one AS": 1, "no full table": 1, "session down": 1}


@pytest.mark.mission("M5")
def test_m5_tells_our_fault_from_the_clients() -> None:
    tally = Tally()
    for status, seconds in (
        (200, 0.1),
        (404, 0.1),
        (429, 0.1),
        (503, 0.1),
        (0, 9.0),
        (499, 0.2),
        (499, 30.0),
        (304, 0.1),
    ):
        m05_client_errors.count(tally, m05_client_errors.Requests("AS1", status, 10, seconds))
    assert tally.ratio == pytest.approx(20 / 60)  # 200 and 304 of 200, 304, 429, 503, none and a late 499
    assert tally.excluded == {"client's own error": 10, "client gave up at once": 10}
    queries = Tally()
    for rcode in (0, 3, 2, None):
        m05_client_errors.count_dns(queries, "AS1", rcode)
    assert queries.ratio == 0.5  # NXDOMAIN is right; SERVFAIL and silence are not


@pytest.mark.mission("M6")
def test_m6_lays_a_death_to_a_route_only_beside_one() -> None:
    tally = Tally()
    session = m06_session_disruption.Session
    m06_session_disruption.count(tally, session("AS1", 2.0, died_at=1000.0), (980.0,))
    m06_session_disruption.count(tally, session("AS1", 2.0, died_at=5000.0), (980.0,))
    m06_session_disruption.count(tally, session("AS1", 2.0, died_at=5000.0, foreign=True), ())
    m06_session_disruption.count(tally, session("AS1", 2.0), (980.0,))
    assert tally.ratio == 0.5
    assert tally.excluded == {"died without a change of its catchment": 1}
    assert m06_session_disruption.deaths_per_session_hour(2, 8) == 0.25
    assert m06_session_disruption.deaths_per_session_hour(2, 0) is None


@pytest.mark.mission("M7")
def test_m7_leaves_pass_and_cold_out_and_says_how_much() -> None:
    tally = Tally()
    for how, number in ((Cache.HIT, 70), (Cache.STALE, 5), (Cache.COLLAPSED, 5), (Cache.MISS, 20), (Cache.PASS, 50)):
        m07_cache_hits.count(tally, "fra", how, number)
    m07_cache_hits.count(tally, "fra", Cache.MISS, 500, since_shift_s=60.0)
    assert tally.ratio == pytest.approx(0.8)
    assert tally.excluded == {"pass": 50, "cold: miss": 500}


@pytest.mark.mission("M8")
def test_m8_is_of_what_was_offered() -> None:
    minutes = [m08_scrubbed.Minute("fra", passed=100, dropped=300, overflowed=100)] * 5
    reading = m08_scrubbed.reading(minutes, m08_scrubbed.Unit.PACKETS)
    assert (reading.value, reading.state, reading.note) == (0.6, State.MEASURED, "packets")
    assert reading.excluded == {"overflowed, not counted as scrubbed": 500}
    assert m08_scrubbed.reading([m08_scrubbed.Minute("fra", 0, 0)] * 9, m08_scrubbed.Unit.BITS).state is State.NO_DATA


@pytest.mark.mission("M9")
def test_m9_and_what_false_failures_lead_to() -> None:
    tally = Tally()
    for said, was in ((True, True), (False, True), (False, False), (True, False), (True, None)):
        m09_check_fidelity.count(tally, "udp", said_up=said, was_up=was)
    assert tally.ratio == 0.5
    assert len(tally.excluded) == 3
    matrix = m09_check_fidelity.Confusion(true_up=990, false_down=10, true_down=8, false_up=2)
    assert (matrix.false_positive_rate, matrix.miss_rate) == (0.01, 0.2)
    assert m09_check_fidelity.Confusion().false_positive_rate is None
    assert m09_check_fidelity.false_withdrawals_per_day(0.01, 1.0, 3) == pytest.approx(0.0855, abs=1e-3)
    assert m09_check_fidelity.false_withdrawals_per_day(0.05, 1.0, 3) == pytest.approx(10.26, abs=1e-2)
    assert m09_check_fidelity.false_withdrawals_per_day(0.0, 1.0, 3) == 0


def test_m9_runs_of_failures_counted_one_by_one() -> None:
    """The formula against checks that are thrown: at 20 % and three in a row."""
    dice = random.Random(3)
    run = withdrawals = 0
    trials = 300_000
    for _ in range(trials):
        run = run + 1 if dice.random() < 0.2 else 0
        if run == 3:
            withdrawals, run = withdrawals + 1, 0
    counted = 86_400 * withdrawals / trials
    assert m09_check_fidelity.false_withdrawals_per_day(0.2, 1.0, 3) == pytest.approx(counted, rel=0.05)


@pytest.mark.mission("M10")
def test_m10_asks_all_instructions_and_counts_no_guess() -> None:
    tally = Tally()
    m10_policy_compliance.count(
        tally,
        {
            "transit-a": {"prepend": Verdict.HONOURED, "no-asia": Verdict.HONOURED},
            "transit-b": {"prepend": Verdict.HONOURED, "no-asia": Verdict.IGNORED},
            "transit-c": {"prepend": Verdict.INCONCLUSIVE},
        },
    )
    assert tally.ratio == 0.5
    assert tally.excluded == {"inconclusive": 1}


def test_a_ratio_knows_that_an_as_is_one_opinion() -> None:
    tally = Tally()
    for number in range(20):
        for _ in range(100):
            tally.add(f"AS{number}", good=number != 0)
    reading = ratio_reading("M3", "eu", tally, 1000, RANDOMNESS)
    alone = ratio_reading("M3", "eu", tally, 1000, RANDOMNESS, clustered=False)
    assert reading.value == alone.value == 0.95
    assert reading.interval is not None
    assert alone.interval is not None
    assert reading.interval.low < alone.interval.low
    assert ratio_reading("M3", "eu", tally, 5000, RANDOMNESS).state is State.TOO_FEW
    bad = ratio_reading("M5", "eu", tally, 1000, RANDOMNESS, bad=True)
    assert bad.value == pytest.approx(0.05)
    assert ratio_reading("M3", "eu", Tally(), 1000, RANDOMNESS).state is State.NO_DATA


def test_the_global_scope_is_merged_and_not_a_mean() -> None:
    small, large = Tally(), Tally()
    small.add("AS1", good=False, weight=1)
    large.add("AS2", good=True, weight=99)
    scopes = by_scope({"sa": small, "eu": large})
    assert scopes["global"].ratio == 0.99
    assert not isinf(scopes["global"].events)
