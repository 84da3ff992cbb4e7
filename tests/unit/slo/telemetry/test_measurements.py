import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError
from anycastle.io.telemetry.state import decode, encode
from anycastle.model.event import ConvergenceMeasured
from anycastle.slo.indicators.m08_scrubbed import Unit
from anycastle.slo.reading import GLOBAL, Reading, State
from anycastle.slo.telemetry import measurements
from anycastle.slo.telemetry.cells import AHEAD_S, Cells, summed
from anycastle.slo.telemetry.intake import Intake, LogSource, ProbeSeen, probe_of
from anycastle.slo.telemetry.measurements import ENTRIES_MAX, OTHERS, Measurements
from anycastle.slo.telemetry.networks import NetworkEntry, Networks
from anycastle.wire.access.record import Handling, RequestRecord, SessionRecord

NOW = 1_795_806_450.0
ALL = LogSource("fra", "eu", frozenset({"client_errors", "cache_hits", "session_disruption"}))


def intake(cell_s: float = 60.0, keep_s: float = 3600.0) -> Intake:
    return Intake(Cells(cell_s, keep_s), Networks([NetworkEntry("10.1.0.0/16", "AS64500", "na")]))


def request(client: str, status: int, handling: Handling | None = None, at: float = NOW, octets: int = 100):
    return RequestRecord(at, client, status, octets, 0.01, 0.005, handling)


def read(measured: Measurements, indicator: str, note: str = "", scope: str = GLOBAL) -> Reading:
    readings = measured.readings(np.random.default_rng(1))
    return next(each for each in readings if (each.indicator, each.scope) == (indicator, scope) and note in each.note)


@pytest.mark.mission("M5", "M7")
def test_requests_count_by_network_region_and_cache() -> None:
    taken = intake()
    for client, status, handling in (
        ("10.1.2.3", 200, Handling.HIT), ("10.1.9.9", 503, Handling.MISS), ("10.2.0.1", 200, Handling.PASS),
        ("10.2.0.9", 404, None), ("", 200, Handling.STALE),
    ):  # fmt: skip
        taken.access(ALL, request(client, status, handling), NOW)
    measured = taken.cells.over(NOW, 60)
    assert measured.tallies["client_errors"]["na"].total == {"AS64500": 2}
    assert measured.tallies["client_errors"]["eu"].total == {"10.2.0.0/24": 1, "unknown": 1}
    assert (read(measured, "M5").value, read(measured, "M5", scope="na").value) == (0.25, 0.5)
    assert read(measured, "M5").excluded == {"client's own error": 1}
    assert read(measured, "M7", "requests").value == pytest.approx(2 / 3)
    assert read(measured, "M7", "octets").count == 300
    assert read(measured, "M7", "requests").excluded == {"pass": 1}


@pytest.mark.mission("M5")
def test_a_log_counts_only_what_it_is_said_to_count() -> None:
    taken = intake()
    taken.access(LogSource("fra", "eu", frozenset({"cache_hits"})), request("10.1.2.3", 503, Handling.HIT), NOW)
    taken.access(
        LogSource("fra", "eu", frozenset({"cache_hits"})), SessionRecord(NOW, "10.1.2.3", 1, 1.0, 9, True), NOW
    )
    measured = taken.cells.over(NOW, 60)
    assert read(measured, "M5").state is State.NO_DATA
    assert read(measured, "M6").state is State.NO_DATA
    assert read(measured, "M7", "requests").value == 1.0


@pytest.mark.mission("M1", "M3")
@pytest.mark.parametrize("kind", ["traceroute", "mtu", "large_body", "session"])
def test_looking_at_a_path_is_no_request_of_a_client(kind: str) -> None:
    taken = intake()
    for failure in ("", "reset", "black_hole", "timeout"):
        taken.probe(ProbeSeen(NOW, "v", "AS64500", "na", "t", kind, 60_000.0, failure, "fra"), NOW + 9)
    measured = taken.cells.over(NOW, 60)
    assert read(measured, "M1", "p50").state is State.NO_DATA
    assert read(measured, "M3").state is State.NO_DATA


@pytest.mark.mission("M1", "M3", "M6")
def test_probes_count_and_a_pop_that_is_another_is_a_change_of_the_catchment() -> None:
    taken = intake()
    for second, (failure, pop) in enumerate((("", "fra"), ("timeout", ""), ("", "ams"), ("site", "x"), ("ours", ""))):
        taken.probe(ProbeSeen(NOW + second, "v", "AS64500", "na", "t", "dns", 20.0, failure, pop), NOW + 9)
    measured = taken.cells.over(NOW + 9, 60)
    assert (read(measured, "M3").value, read(measured, "M3").count) == (0.5, 4)
    assert read(measured, "M1", "p50").value == pytest.approx(20.0, rel=0.01)
    assert measured.shifts == {"AS64500": [NOW + 2, NOW + 3]}
    taken.access(ALL, SessionRecord(NOW - 50, "10.1.2.3", 99, 55.0, 9, orderly=False, silent=True), NOW + 9)
    assert read(taken.cells.over(NOW + 9, 60), "M6").value == 1.0


@pytest.mark.mission("M2", "M4", "M8")
def test_what_the_watch_and_filters_tell() -> None:
    taken = intake()
    told = ConvergenceMeasured("192.0.2.0/24", "withdraw", ("fra",), 3, 3, 1, 1.0, 2.0, None, None, None, 2.0, 3,
                               (1.5, 2.5), (900.0,))  # fmt: skip
    taken.converged(told, NOW, NOW)
    taken.visible("192.0.2.0/24", 20, 19, NOW)
    taken.visible("192.0.2.0/24", 20, 18, NOW + 1)
    for minute in range(5):
        taken.scrubbed("fra", Unit.PACKETS, (70.0, 20.0, 10.0), NOW + 60 * minute, NOW + 300)
    measured = taken.cells.over(NOW + 300, 600)
    assert (read(measured, "M2").value, "1 of 3 censored" in read(measured, "M2").note) == (900.0, True)
    assert read(measured, "M4", scope="192.0.2.0/24").value == 0.9
    scrubbed = read(measured, "M8", "packets")
    assert (scrubbed.value, scrubbed.state, scrubbed.count) == (0.2, State.MEASURED, 5)
    assert measured.traffic() == {"packets": (500.0, 100.0)}
    assert scrubbed.excluded == {"overflowed, not counted as scrubbed": 50}


def test_without_anything_every_indicator_says_no_data() -> None:
    readings = Measurements().readings(np.random.default_rng(1))
    assert {each.indicator for each in readings} == {f"M{number}" for number in range(1, 11)}
    assert {each.state for each in readings} == {State.NO_DATA}
    assert {each.value for each in readings} == {None}


requests = st.tuples(
    st.sampled_from(["10.1.0.1", "10.2.0.1", "10.3.0.1"]), st.sampled_from([200, 404, 500]),
    st.sampled_from([*Handling, None]), st.floats(0, 1800),
)  # fmt: skip


@given(st.lists(requests, max_size=30), st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_collectors_put_together_read_as_one_that_saw_all(rows: list, shares: list[int]) -> None:
    whole, parts = intake(), [intake() for _ in range(3)]
    for (client, status, handling, second), share in zip(rows, shares, strict=False):
        record = request(client, status, handling, NOW + second)
        whole.access(ALL, record, NOW + 1800)
        parts[share].access(ALL, record, NOW + 1800)
        parts[share].foreign_flow(client, 7, "eu", NOW + 1800)
        whole.foreign_flow(client, 7, "eu", NOW + 1800)
    one = whole.cells.over(NOW + 1800, 3600)
    together = summed(decode(encode(part.cells.over(NOW + 1800, 3600))) for part in parts)
    assert together.readings(np.random.default_rng(1)) == one.readings(np.random.default_rng(1))


def test_cells_are_forgotten_and_what_is_dated_wrongly_is_bounded() -> None:
    cells = Cells(60.0, 600.0)
    assert cells.at(NOW, NOW) is not None
    assert cells.at(NOW - 601, NOW) is None
    assert cells.too_old == 1
    assert cells.at(NOW + 10 * AHEAD_S, NOW) is cells.at(NOW, NOW)
    assert len(cells.forget(NOW + 700)) == 1
    assert cells.cells == {}
    for lengths in ((0.5, 60.0), (60.0, 30.0), (1.0, 1e6)):
        with pytest.raises(MisuseError):
            Cells(*lengths)


def test_networks_and_lists_are_bounded_and_say_what_they_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "NETWORKS_MAX", 2)
    taken = intake()
    for number in range(5):
        taken.access(ALL, request(f"10.{number + 2}.0.1", 200), NOW)
        taken.probe(ProbeSeen(NOW, f"v{number}", f"AS{number}", "eu", "t", "dns", 1.0, "", "fra"), NOW)
    measured = taken.cells.over(NOW, 60)
    assert measured.tallies["client_errors"]["eu"].total == {"10.2.0.0/24": 1, "10.3.0.0/24": 1, OTHERS: 3}
    assert measured.latency["eu"][OTHERS].total == 3
    cell = Measurements()
    full = [0] * ENTRIES_MAX
    cell.add_to(full, 1, "sessions")
    assert (len(full), cell.left_out) == (ENTRIES_MAX, {"sessions": 1})


@pytest.mark.parametrize(
    "value",
    [{}, {"vantage_point": 1}, {"vantage_point": "v", "at": 1, "phases": {"answer": "x"}, "failure": None},
     {"vantage_point": "v", "at": 1, "phases": {}, "failure": 3}],
)  # fmt: skip
def test_what_is_no_result_of_a_prober(value: dict) -> None:
    assert probe_of(value, {}) is None


def test_phases_that_are_no_part_of_an_answer_are_left_out() -> None:
    phases = {"resolve": 100.0, "connect": 1.0, "first_byte": 2.0, "body": 3.0, "identity": 50.0}
    seen = probe_of(
        {"vantage_point": "v", "at": NOW, "phases": phases, "failure": None, "asn": 64500}, {"AS64500": "eu"}
    )
    assert seen is not None
    assert (seen.total_ms, seen.network, seen.region) == (6.0, "AS64500", "eu")


@pytest.mark.parametrize(
    ("client", "network"),
    [("10.1.2.3", "AS64500"), ("192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("x", "unknown")],
)
def test_networks(client: str, network: str) -> None:
    assert intake().networks.of(client).network == network


def test_the_longest_prefix_wins() -> None:
    known = Networks([NetworkEntry("10.0.0.0/8", "wide"), NetworkEntry("10.1.0.0/16", "narrow")])
    assert [known.of(each).network for each in ("10.1.0.1", "10.2.0.1")] == ["narrow", "wide"]
    with pytest.raises(MisuseError):
        Networks([NetworkEntry("10.0.0.1/8", "x")])
