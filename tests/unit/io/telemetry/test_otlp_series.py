"""What points of OTLP add to their series: each measurement once, in whatever order and however often it comes."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from anycastle.base.ports import Timestamp
from anycastle.io.telemetry import otlp_intake, otlp_series
from anycastle.io.telemetry.otlp_intake import OTLPIntake
from anycastle.io.telemetry.otlp_series import Series, SeriesKeeper
from anycastle.io.telemetry.telemetry_file import OTLPMeaning
from anycastle.slo.reading import GLOBAL
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.intake import Intake
from anycastle.slo.telemetry.networks import Networks

NOW = Timestamp(1_800_000_000.0)
DELTA, CUMULATIVE = 1, 2
MEANING = OTLPMeaning(
    {"requests": "client_errors", "load": "edge_latency"}, {"client": "edge_latency"}, logs=False, token_file=None
)


class Taken:
    """An intake, and what it counted."""

    def __init__(self, since: float = NOW - 3600) -> None:
        self.cells = Cells()
        self.intake = OTLPIntake(Intake(self.cells, Networks(())), MEANING, "eu", SeriesKeeper(Timestamp(since)))

    def take(self, request: Any, now: float = NOW) -> tuple[int, str]:
        outcome = self.intake.take("/v1/metrics", request, Timestamp(now))
        return outcome.rejected, outcome.why

    def count(self, indicator: str) -> float:
        readings = self.cells.over(NOW, 7200).readings(np.random.default_rng(1))
        return next(each.count for each in readings if (each.indicator, each.scope) == (indicator, GLOBAL))

    def times(self) -> float:
        """Give the number of times."""
        histogram = self.cells.over(NOW, 7200).latency.get("eu", {}).get("fra")
        return 0.0 if histogram is None else sum(histogram.weights.values())


def nanoseconds(ago_s: float) -> int:
    return int((NOW - ago_s) * 1e9)


def total(
    number: float, start_ago_s: float, ago_s: float, temporality: int = DELTA, **more: str
) -> ExportMetricsServiceRequest:
    """Give a sum of requests, of one span."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, temporality
    point = metric.sum.data_points.add(
        start_time_unix_nano=nanoseconds(start_ago_s), time_unix_nano=nanoseconds(ago_s), as_double=number
    )
    for name, value in {"pop": "fra", **more}.items():
        point.attributes.add(key=name).value.string_value = value
    point.attributes.add(key="http.response.status_code").value.int_value = 200
    return request


def exponential(ago_s: float, scale: int, offset: int, counts: list[int], zero: int = 0) -> ExportMetricsServiceRequest:
    """Give a cumulative histogram of load times, begun 1,000 s ago."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load", unit="ms")
    metric.exponential_histogram.aggregation_temporality = CUMULATIVE
    point = metric.exponential_histogram.data_points.add(
        start_time_unix_nano=nanoseconds(1000), time_unix_nano=nanoseconds(ago_s), count=sum(counts) + zero,
        scale=scale, zero_count=zero,
    )  # fmt: skip
    point.positive.offset = offset
    point.positive.bucket_counts.extend(counts)
    point.attributes.add(key="pop").value.string_value = "fra"
    return request


@pytest.mark.mission("C8", "M5")
def test_a_delta_that_comes_again_counts_once_in_whatever_order() -> None:
    taken = Taken()
    first, second, third = total(5, 180, 120), total(7, 120, 60), total(11, 60, 0)
    for request in (first, third, first, second, third, second):
        assert taken.take(request) == (0, "")
    assert taken.count("M5") == 23
    assert (taken.intake.taken["counted"], taken.intake.taken["repeated"]) == (3, 3)
    taken.take(total(2, 60, 0, path="/other"))
    assert taken.count("M5") == 25, "another series of the same span"


@pytest.mark.mission("C8", "M5")
def test_a_delta_that_was_counted_is_known_after_a_restart() -> None:
    before, after = Taken(), Taken()
    before.take(total(5, 60, 0))
    kept = msgspec.json.encode(before.intake.series.known)
    after.intake.series.known = msgspec.json.decode(kept, type=dict[str, Series])
    after.take(total(5, 60, 0))
    assert after.count("M5") == 0
    after.take(total(6, 0, -10))
    assert after.count("M5") == 6


def test_a_delta_without_an_end_cannot_be_told_from_another() -> None:
    taken = Taken()
    for _ in range(2):
        request = total(5, 60, 0)
        request.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0].time_unix_nano = 0
        taken.take(request)
    assert taken.count("M5") == 10


@pytest.mark.mission("C8", "M1")
def test_an_exponential_histogram_that_grows_a_bucket_or_a_scale_counts_what_was_added() -> None:
    taken = Taken()
    taken.take(exponential(300, 2, 20, [4, 4]))
    assert taken.times() == 8
    taken.take(exponential(200, 2, 19, [1, 4, 5]))  # a bucket before, and one more in the last
    assert taken.times() == 10
    taken.take(exponential(100, 1, 9, [1, 10, 2], zero=1))  # 19 -> 9, 20 and 21 -> 10, and three new ones
    assert taken.times() == 14
    assert taken.take(exponential(0, 1, 9, [1, 10, 2], zero=1)) == (0, "")
    assert taken.times() == 14


@pytest.mark.mission("C8", "M1")
def test_buckets_of_an_exponential_histogram_stand_for_values_within_them() -> None:
    for scale, index in ((3, 40), (0, 6), (-2, 1), (20, 7_000_000), (5, -100)):
        base = 2 ** (2**-scale)
        counts = otlp_series.Counts(1.0, {index: 1.0}, scale=scale)
        ((value, number),) = otlp_series.times_of(counts, [])
        assert number == 1
        assert base**index <= value <= base ** (index + 1)


@pytest.mark.parametrize(
    ("scale", "offset", "why"),
    [(2000, 0, "a scale of 2000"), (-2000, 0, "a scale of -2000"), (-9, 100, "beyond all"), (0, 2**31 - 2, "beyond")],
)
def test_a_histogram_of_no_numbers_is_refused(scale: int, offset: int, why: str) -> None:
    rejected, said = Taken().take(exponential(0, scale, offset, [1]))
    assert rejected == 1
    assert why in said


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -1.0, 1e300])
def test_what_is_no_count_is_refused(number: float) -> None:
    taken = Taken()
    assert taken.take(total(number, 60, 0))[0] == 1
    assert taken.count("M5") == 0


def test_times_need_buckets() -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load", unit="ms")
    metric.histogram.aggregation_temporality = DELTA
    point = metric.histogram.data_points.add(time_unix_nano=nanoseconds(0), count=3, bucket_counts=[3])
    point.attributes.add(key="pop").value.string_value = "fra"
    taken = Taken()
    rejected, why = taken.take(request)
    assert rejected == 1
    assert "without buckets" in why
    assert taken.times() == 0


def test_series_are_bounded_and_the_silent_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_series, "SERIES_MAX", 2)
    taken = Taken()
    for path in ("/a", "/b"):
        taken.take(total(5, 1000, 60, CUMULATIVE, path=path))
    assert "more than 2 series" in taken.take(total(5, 1000, 60, CUMULATIVE, path="/c"))[1]
    later = NOW + otlp_series.SILENT_S
    assert taken.take(total(6, 1000, 50, CUMULATIVE, path="/b"), later - 10)[0] == 0
    assert taken.take(total(5, -otlp_series.SILENT_S, 50, CUMULATIVE, path="/c"), later)[0] == 0
    assert len(taken.intake.series.known) == 2
    assert taken.count("M5") == 16, "5 of each at first, 1 that was added"
    taken.take(total(50, 1000, 40, CUMULATIVE, path="/a"), later + otlp_series.SILENT_S)
    assert taken.count("M5") == 16, "one that was let go is only noted: how much of it was counted is not known"


def test_places_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_intake, "PLACES_MAX", 3)
    taken = Taken()
    assert [taken.take(total(1, 60, 0, pop=pop))[0] for pop in ("ams", "fra", "lon", "fra")] == [0, 0, 1, 0]
    assert taken.take(total(1, 60, 0, pop="x" * 101))[0] == 1


def test_a_span_without_ids_is_refused() -> None:
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(kind=3, start_time_unix_nano=nanoseconds(1), end_time_unix_nano=nanoseconds(0))
    )
    span.attributes.add(key="pop").value.string_value = "fra"
    outcome = Taken().intake.take("/v1/traces", request, NOW)
    assert (outcome.rejected, outcome.why) == (1, "a span without its ids")


_COUNTS = st.lists(st.integers(0, 2**64 - 1), max_size=4)
_TIMES = st.integers(0, 2**64 - 1)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), _COUNTS, _COUNTS, _TIMES, _TIMES)
def test_any_exponential_histogram_is_counted_or_refused(
    scale: int, offset: int, positive: list[int], negative: list[int], start: int, time: int
) -> None:
    request = exponential(0, scale, offset, [])
    point = request.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0]
    point.count, point.start_time_unix_nano, point.time_unix_nano = sum(positive) % 2**64, start, time
    point.positive.bucket_counts.extend(positive)
    point.negative.bucket_counts.extend(negative)
    taken = Taken()
    taken.take(request)
    kept = msgspec.json.encode(taken.intake.series.known)
    assert msgspec.json.decode(kept, type=dict[str, Series]) == taken.intake.series.known


@given(
    st.lists(st.floats(), max_size=4), _COUNTS, st.integers(0, 2**64 - 1), st.sampled_from([0, DELTA, CUMULATIVE, 3])
)
def test_any_explicit_histogram_is_counted_or_refused(
    bounds: list[float], counts: list[int], count: int, temporality: int
) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load", unit="ms")
    metric.histogram.aggregation_temporality = temporality
    point = metric.histogram.data_points.add(
        start_time_unix_nano=nanoseconds(9), time_unix_nano=nanoseconds(0), count=count
    )
    point.explicit_bounds.extend(bounds)
    point.bucket_counts.extend(counts)
    point.attributes.add(key="pop").value.string_value = "fra"
    taken = Taken()
    taken.take(request)
    assert taken.times() >= 0
