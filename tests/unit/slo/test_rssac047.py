"""RSSAC047: its aggregation by its own examples, and the page that says what is done."""

import os
import re
from itertools import product
from pathlib import Path

import pytest

from anycastle.slo.rssac047 import (
    Measurement,
    Transport,
    availability,
    availability_threshold,
    correctness,
    latency,
    needed_of,
    publication_latency,
    publication_minutes,
    report_of_identifier,
    report_of_system,
    rss_availability,
    rss_latency,
)

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "anycast"
UDP, TCP = Transport.UDP, Transport.TCP


def asked(interval: int, vantage: str, identifier: str, answered_ms: float | None = 20.0, rcode: int = 0,
          transport: Transport = UDP, family: int = 4, serial: int | None = None) -> Measurement:  # fmt: skip
    return Measurement(interval, vantage, identifier, transport, family, answered_ms, rcode, serial)


def month(answers: list[list[int]]) -> list[Measurement]:
    """Give rounds in which so many of thirteen identifiers answered, by interval and vantage point."""
    return [
        asked(interval, str(vantage), str(identifier), 20.0 if identifier < number else None)
        for interval, row in enumerate(answers)
        for vantage, number in enumerate(row)
        for identifier in range(13)
    ]


def test_how_many_are_needed() -> None:
    assert [needed_of(number) for number in (13, 12, 4)] == [8, 8, 2]


def test_with_more_identifiers_each_may_fail_more_often() -> None:
    assert [availability_threshold(number) for number in (2, 10, 13, 20, 26)] == [1.0, 0.97, 0.96, 0.95, 0.93]


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ([[12] * 3] * 30, 1.0),  # one identifier out
        ([[8] * 3] * 30, 1.0),  # five out
        ([[7] * 3] * 30, 0.875),  # six out
        ([[13] * 3] * 29 + [[0] * 3], 29 / 30),  # all out for a thirtieth of the month
        ([[13] * 3] * 29 + [[13, 13, 7]], 1 - 1 / (30 * 3 * 8)),  # one vantage point reaches seven, once
        ([[13] * 3] * 28 + [[0, 0, 13]] * 2, 1 - 4 / 90),  # for two intervals two vantage points reach none
    ],
)
def test_the_systems_availability_by_the_examples_of_the_document(answers: list[list[int]], value: float) -> None:
    (result,) = rss_availability(month(answers), 8)
    assert result.value == pytest.approx(value, abs=1e-12)
    assert result.passes is (value >= 0.99999)


def test_an_identifiers_availability_is_apart_by_way_and_any_other_rcode_is_a_timeout() -> None:
    rows = [asked(each, "v", "a") for each in range(96)] + [asked(96, "v", "a", 4000.1), asked(97, "v", "a", rcode=2)]
    rows += [asked(98, "v", "a", None), asked(99, "v", "a", 4000.0)]
    rows += [asked(each, "v", "a", 20.0 if each else None, transport=TCP, family=6) for each in range(10)]
    udp, tcp = availability(rows)
    assert (udp.way, udp.value, udp.count, udp.passes) == ((UDP, 4), 0.97, 100, True)
    assert (tcp.way, tcp.value, tcp.passes) == ((TCP, 6), 0.9, False)


def test_latency_is_a_median_without_timeouts() -> None:
    times = [10.0, 20.0, 251.0, 300.0, None]
    tcp, udp = latency(
        asked(each, "v", "a", time, transport=way) for way in (UDP, TCP) for each, time in enumerate(times)
    )
    assert (tcp.value, tcp.count, tcp.passes) == (135.5, 4, True)
    assert (udp.way, udp.value, udp.passes) == ((UDP, 4), 135.5, True)
    (none,) = latency([asked(0, "v", "a", None)])
    assert (none.value, none.passes) == (None, None)


def test_the_systems_latency_is_of_the_least_that_are_needed() -> None:
    rows = [asked(0, "v", str(number), 10.0 * number) for number in range(1, 14)]
    (result,) = rss_latency(rows, 8)
    assert (result.value, result.count, result.passes) == (45.0, 8, True)


def test_publication_is_seen_when_the_slowest_way_shows_it() -> None:
    def shows(interval: int, vantage: str, identifier: str, serials: tuple[int, int]) -> list[Measurement]:
        return [
            asked(interval, vantage, identifier, serial=serial, transport=transport)
            for transport, serial in zip((UDP, TCP), serials, strict=True)
        ]

    rows: list[Measurement] = []
    for vantage, identifier in product("vw", "ab"):
        rows += shows(0, vantage, identifier, (1, 1))
    rows += shows(1, "v", "a", (2, 2)) + shows(1, "w", "a", (2, 1)) + shows(1, "v", "b", (1, 1))
    rows += shows(2, "w", "a", (2, 2)) + shows(3, "v", "b", (3, 3))
    minutes = publication_minutes(rows)
    assert minutes["a"] == [0.0, 5.0]
    assert minutes["b"] == [10.0, 0.0]  # a zone that was passed over is seen with the next one
    assert publication_latency(minutes["b"]).passes
    whole = publication_latency([40.0, 40.0], whole_system=True)
    assert (whole.value, whole.passes) == (40.0, False)
    assert publication_latency([]).passes is None


def test_of_an_identifier_the_value_is_not_told() -> None:
    results = [*availability([asked(0, "v", "a")]), correctness(99, 100), correctness(0, 0)]
    told = report_of_identifier(results)
    assert told == [
        ("availability", (UDP, 4), "pass", 1),
        ("correctness", None, "fail", 100),
        ("correctness", None, "no data", 0),
    ]
    assert report_of_system(results)[1] == ("correctness", None, "fail", 0.99, 100)


def test_the_page_has_each_requirement_once_and_its_tests_exist() -> None:
    page = (REPOSITORY / "docs" / "reference" / "rssac047.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ((?:[a-z]{3}[ ,]*)+)\|[^|]*\| (done|otherwise|not done|not ours) \|([^|]*)\|$", page, re.MULTILINE
    )
    tags = [tag for marks, _, _ in rows for tag in re.findall(r"[a-z]{3}", marks)]
    assert len(tags) == len(set(tags)) == 173
    for _, state, why in rows:
        assert why.strip()
        named = re.findall(r"`(tests/[\w/.]+)`", why)
        assert named or state != "done", f"no test: {why}"
        for name in named:
            assert (REPOSITORY / name).is_file(), name
    path = DATA / "rssac-047-tagged.md"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    known = set(re.findall(r"`\[([a-z]{3})\]`", path.read_text(encoding="utf-8"))) - {"xyz"}
    assert set(tags) == known
