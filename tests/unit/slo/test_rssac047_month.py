"""Which zones an answer may be of, and what is reported of a month."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.slo.rssac047 import Measurement, Transport
from anycastle.slo.rssac047_month import Answers, first_seen, month_of, serials_at

DAY_S = 86_400.0

pytestmark = pytest.mark.mission("M3")


def soa(
    interval: int, vantage: str, identifier: str, serial: int | None, answered_ms: float | None = 20.0
) -> Measurement:
    return Measurement(interval, vantage, identifier, Transport.UDP, 4, answered_ms, 0, serial)


def test_a_zone_is_in_use_from_the_first_time_that_anybody_saw_it() -> None:
    rows = [soa(3, "v1", "a", 8), soa(2, "v2", "b", 8), soa(2, "v1", "a", 7), soa(1, "v1", "a", 9, None)]
    assert first_seen(rows) == {8: 600.0, 7: 600.0}


def test_an_answer_may_be_of_the_zones_of_two_days_and_of_the_one_before() -> None:
    seen = {each: Timestamp(each * DAY_S) for each in (1, 2, 3, 4, 5)}
    assert serials_at(seen, Timestamp(5.1 * DAY_S)) == (5, 4, 3)
    assert serials_at(seen, Timestamp(3.5 * DAY_S)) == (3, 2, 1)
    assert serials_at(seen, Timestamp(40 * DAY_S)) == (5,)
    assert serials_at(seen, Timestamp(5 * DAY_S - 10)) == (5, 4, 3, 2)  # the interval in which it was first seen
    assert serials_at({}, Timestamp(0.0)) == ()


def test_a_serial_that_somebody_made_up_is_out_of_use_after_two_days() -> None:
    seen = {each: Timestamp(each * DAY_S) for each in range(1, 11)} | {4_000_000_000: Timestamp(2.5 * DAY_S)}
    assert serials_at(seen, Timestamp(3.1 * DAY_S)) == (3, 4_000_000_000, 2, 1)
    assert serials_at(seen, Timestamp(10.1 * DAY_S)) == (10, 9, 8)


def test_one_identifier_is_no_system_and_two_are() -> None:
    rows = [soa(1, "v1", "a", 7)]
    month = month_of(rows, {"a": Answers(9, 10)})
    assert [(each.metric, each.passes) for each in month.identifiers["a"]] == [
        ("availability", True), ("latency", True), ("correctness", False), ("publication_latency", None)
    ]  # fmt: skip
    assert month.system == ()

    rows += [soa(1, "v1", "b", 7), soa(2, "v1", "a", 8), soa(2, "v1", "b", 7), soa(3, "v1", "b", 8)]
    month = month_of(rows, {"a": Answers(10, 10), "b": Answers(29, 30)}, 2)
    system = {each.metric: each for each in month.system}
    assert (system["correctness"].value, system["correctness"].count) == (39 / 40, 40)
    assert (system["publication_latency"].value, system["publication_latency"].count) == (2.5, 2)
    assert month_of(rows, {}, 3).system == (), "of three, two were measured"
    assert [each.value for each in month.identifiers["b"] if each.metric == "publication_latency"] == [5.0]


def test_without_answers_that_were_kept_nothing_is_said_of_correctness() -> None:
    month = month_of([soa(1, "v1", "a", 7), soa(1, "v1", "b", 7)], {}, 2)
    assert not [each for each in (*month.identifiers["a"], *month.system) if each.metric == "correctness"]
