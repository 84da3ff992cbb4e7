"""Histograms, series, minimum counts and the language of scripts, each against brute force."""

from math import ceil, comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError, ParseError
from anycastle.base.ports import Timestamp
from anycastle.slo.histogram import BUCKETS_MAX, RELATIVE_ERROR, Histogram, merged
from anycastle.slo.minimum_counts import HEALTHY, binomial_tail, minimum_count
from anycastle.slo.script import parse_script
from anycastle.slo.series import Events, Series

values = st.floats(1e-2, 1e7)


@given(st.lists(st.lists(values, max_size=20), min_size=1, max_size=4), st.floats(0, 1))
def test_a_quantile_of_what_was_merged_is_that_of_all_values(parts: list[list[float]], level: float) -> None:
    histograms = []
    for part in parts:
        histogram = Histogram()
        for value in part:
            histogram.add(value)
        histograms.append(histogram)
    whole = merged(histograms)
    ordered = sorted(value for part in parts for value in part)
    if not ordered:
        assert whole.quantile(level) is None
        return
    exact = ordered[max(0, ceil(level * len(ordered) - 1e-9) - 1)]
    assert whole.quantile(level) == pytest.approx(exact, rel=RELATIVE_ERROR * 1.0001)
    assert whole.total == len(ordered)
    assert len(whole.weights) <= BUCKETS_MAX


@given(st.lists(values, max_size=40), values)
def test_what_is_at_most_a_bound_is_right_but_for_values_just_above(given_values: list[float], bound: float) -> None:
    histogram = Histogram()
    for value in given_values:
        histogram.add(value)
    found = histogram.at_most(bound)
    assert sum(value <= bound for value in given_values) <= found
    assert found <= sum(value <= bound * (1 + 2.1 * RELATIVE_ERROR) for value in given_values)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_histogram_refuses_what_is_no_time(value: float) -> None:
    histogram = Histogram()
    if 0 <= value < float("inf"):
        histogram.add(value)
    else:
        with pytest.raises(MisuseError):
            histogram.add(value)
        assert histogram.weights == {}


cells = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=40)


@given(cells, st.integers(0, 4000), st.integers(1, 4000))
def test_a_span_of_a_series_is_the_sum_of_its_cells(
    steps: list[tuple[int, int, int, int]], now: int, span: int
) -> None:
    series, at = Series(keep_s=1e9), 0
    known: list[tuple[int, Events]] = []
    for step, good, bad, excluded in steps:
        at += step
        events = Events(good, good + bad, bad // 2, excluded)
        series.add(Timestamp(float(at)), events)
        known.append((at, events))
    found = series.over(Timestamp(float(now)), span)
    within = [events for moment, events in known if now - span < moment <= now]
    assert found == Events(*(sum(column) for column in zip(*within, strict=True))) if within else found == Events()
    assert series.cells_in(Timestamp(float(now)), span) == len(within)


@given(cells, st.integers(100, 2000))
def test_what_is_forgotten_does_not_change_what_is_kept(steps: list[tuple[int, int, int, int]], keep: int) -> None:
    short, whole, at = Series(keep_s=keep), Series(keep_s=1e9), 0
    for step, good, bad, _ in steps:
        at += step
        for series in (short, whole):
            series.add(Timestamp(float(at)), Events(good, good + bad))
    assert short.over(Timestamp(float(at)), keep) == whole.over(Timestamp(float(at)), keep)


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.001, 0.999))
def test_the_tail_is_the_sum_of_the_binomial(least: int, trials: int, share: float) -> None:
    exact = sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(least, trials + 1))
    assert binomial_tail(least, trials, share) == pytest.approx(exact, abs=1e-12, rel=1e-9)


@pytest.mark.parametrize("target", [0.95, 0.99, 0.995, 0.999])
@pytest.mark.parametrize(("factor", "short_s"), [(14.4, 300), (6, 1800), (3, 7200)])
def test_from_the_minimum_on_chance_is_as_rare_as_was_asked(target: float, factor: float, short_s: float) -> None:
    """Every number of events from the minimum on, one by one; and just below it chance is too likely."""
    budget = 1 - target
    if budget * factor >= 1:
        with pytest.raises(MisuseError, match="never fire"):
            minimum_count(budget, factor, short_s)
        return
    found = minimum_count(budget, factor, short_s)
    for events in range(found.events, found.events * 3):
        needed = ceil(events * found.mark - 1e-9)
        assert binomial_tail(needed, events, HEALTHY * budget) <= found.chance * (1 + 1e-9), events
    before = found.events - 1
    assert binomial_tail(ceil(before * found.mark - 1e-9), before, HEALTHY * budget) > found.chance


TEXT = (
    'objective reach target 99.9% load 1m at 65m good bad{region="eu"} 5x3 0+1x5 _x2 alert page 5m/1h no alerts burn >='
    " 14.4 +- budget = state too few start maintenance 10m change window month by region # é x9999999 -1"
)
words = st.sampled_from(TEXT.split())


@given(st.lists(st.tuples(st.booleans(), st.lists(words, max_size=6)), max_size=12))
def test_any_lines_are_a_script_or_are_told_with_their_place(lines: list[tuple[bool, list[str]]]) -> None:
    text = "\n".join(("  " if inner else "") + " ".join(each) for inner, each in lines)
    try:
        parse_script(text, "f")
    except ParseError as error:
        for line in str(error).splitlines():
            place = line.split(":")
            assert place[0] == "f"
            assert 1 <= int(place[1]) <= max(1, len(lines))
            assert int(place[2]) >= 1
