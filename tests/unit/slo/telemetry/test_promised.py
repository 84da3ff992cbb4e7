"""Totals of objectives: which events count for which, and what is kept."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective
from anycastle.model.prefix import parse_prefix
from anycastle.slo.telemetry import promised as promised_module
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.intake import Intake, LogSource, ProbeSeen
from anycastle.slo.telemetry.networks import NetworkEntry, Networks
from anycastle.slo.telemetry.promised import Promised
from anycastle.wire.access.record import Handling, RequestRecord

pytestmark = pytest.mark.mission("C9", "I3")

NOW = Timestamp(1_800_000_000.0)
OBJECTIVES = (
    Objective("reach", "dns", "routing_success", 0.999, by_region=True),
    Objective("fast", "dns", "edge_latency", 0.95, threshold_ms=100.0),
    Objective("very-fast", "dns", "edge_latency", 0.5, threshold_ms=10.0),
    Objective("errors", "web", "client_errors", 0.999),
    Objective("cached", "web", "cache_hits", 0.8),
)
PREFIXES = ((parse_prefix("192.0.2.0/24"), "dns"), (parse_prefix("192.0.2.128/25"), "web"))


def taken(promised: Promised) -> Intake:
    return Intake(Cells(), Networks([NetworkEntry("10.1.0.0/16", "AS64500", "na")]), promised=promised)


def probe(total_ms: float, failure: str = "", region: str = "eu", address: str = "192.0.2.53") -> ProbeSeen:
    return ProbeSeen(NOW, "v1", "AS64500", region, "t", "dns", total_ms, failure, "fra", address)


def totals(promised: Promised) -> dict[tuple[str, str, str], tuple[float, float]]:
    return {key: (events, good) for key, events, good in promised.totals()}


def test_a_probe_counts_for_the_service_whose_prefix_has_its_target() -> None:
    promised = Promised(OBJECTIVES, PREFIXES)
    intake = taken(promised)
    for each in (probe(5.0), probe(50.0), probe(150.0), probe(4000.0, "timeout"), probe(9.0, "site", region="na"),
                 probe(9.0, "ours"), probe(9.0, address="203.0.113.1"), probe(9.0, address="")):  # fmt: skip
        intake.probe(each, NOW)
    assert totals(promised) == {
        ("dns", "reach", "eu"): (4.0, 3.0),
        ("dns", "reach", "na"): (1.0, 0.0),
        ("dns", "fast", "eu"): (3.0, 2.0),  # what was not answered has no time: it is of `reach`
        ("dns", "very-fast", "eu"): (3.0, 1.0),
    }


def test_the_longest_prefix_says_whose_an_address_is() -> None:
    promised = Promised(OBJECTIVES, PREFIXES)
    asked = ("192.0.2.1", "192.0.2.200", "2001:db8::1", "no address")
    assert [promised.service_of(each) for each in asked] == ["dns", "web", "", ""]


def test_a_line_of_a_log_counts_for_the_service_that_its_source_names() -> None:
    promised = Promised(OBJECTIVES, PREFIXES)
    intake = taken(promised)
    counts = frozenset({"client_errors", "cache_hits"})
    for status, handling in ((200, Handling.HIT), (503, Handling.MISS), (200, Handling.HIT)):
        line = RequestRecord(NOW, "10.1.2.3", status, 100, 0.01, 0.005, handling)
        intake.access(LogSource("fra", "eu", counts, "web"), line, NOW)
        intake.access(LogSource("fra", "eu", counts), line, NOW)  # of no service
    assert totals(promised) == {("web", "errors", "na"): (3.0, 2.0), ("web", "cached", "na"): (3.0, 2.0)}


def test_totals_go_on_after_a_restart_and_those_of_a_promise_that_is_gone_end() -> None:
    before = Promised(OBJECTIVES, PREFIXES)
    taken(before).probe(probe(5.0), NOW)
    after = Promised(OBJECTIVES[:1], PREFIXES)
    after.restore(before.totals())
    taken(after).probe(probe(4000.0, "timeout"), NOW)
    assert totals(after) == {("dns", "reach", "eu"): (2.0, 1.0)}


def test_regions_beyond_the_bound_are_counted_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised_module, "REGIONS_MAX", 2)
    promised = Promised(OBJECTIVES[:1], PREFIXES)
    for region in ("a", "b", "c", "d"):
        taken(promised).probe(probe(5.0, region=region), NOW)
    assert totals(promised) == {
        ("dns", "reach", "a"): (1.0, 1.0), ("dns", "reach", "b"): (1.0, 1.0), ("dns", "reach", ""): (2.0, 2.0)
    }  # fmt: skip
