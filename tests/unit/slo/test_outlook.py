"""Outlooks of budgets, of what the exported rules record."""

from math import inf, nan

import pytest

from anycastle.model.objective import Objective, Window
from anycastle.slo.export.prometheus import LEFT, SILENT
from anycastle.slo.outlook import Outlook, Recorded, Standing, outlooks

REACH = Objective("reach", "dns", "routing_success", 0.999, by_region=True)
DAY_S = 86_400.0


def recorded(name: str, value: float, service: str = "dns", region: str = "") -> Recorded:
    where = {"scope": "region", "region": region} if region else {"scope": "global"}
    return Recorded({"__name__": name, "service": service, "objective": "reach", **where}, value)


def firing(region: str = "", name: str = "AnycastleBudgetBurn") -> dict[str, str]:
    where = {"scope": "region", "region": region} if region else {"scope": "global"}
    return {"alertname": name, "service": "dns", "objective": "reach", "severity": "page", "burnrate_tier": "5m/1h",
            **where}  # fmt: skip


@pytest.mark.mission("C9")
def test_each_region_of_which_something_is_recorded_has_its_own() -> None:
    rows = [recorded(LEFT, 0.75), recorded(LEFT, 0.5, region="eu"), recorded("slo:sli_error:ratio_rate1h", 0.002)]
    whole, eu = outlooks([REACH], rows, [])
    assert (whole.region, whole.left, whole.standing) == ("", 0.75, Standing.OK)
    assert (eu.region, eu.left, eu.burn) == ("eu", 0.5, {})
    assert whole.burn == {"1h": pytest.approx(2.0)}
    assert whole.exhausted_in_s == pytest.approx(0.75 * 30 * DAY_S / 2)
    assert whole.words == "75.0% left; at the rate of the last hour it is spent in 11 days 6 hours"
    assert whole.bad == pytest.approx(0.00025)


def test_events_without_a_region_are_one_of_the_regions_and_not_the_whole() -> None:
    nowhere = {"__name__": LEFT, "service": "dns", "objective": "reach", "scope": "region"}
    alert = {**firing(), "scope": "region"}
    whole, unknown = outlooks([REACH], [recorded(LEFT, 0.62), Recorded(nowhere, -3.0)], [alert])
    assert (whole.region, whole.left, whole.standing) == ("", 0.62, Standing.OK)
    assert (unknown.region, unknown.left, unknown.standing) == ("unknown", -3.0, Standing.EXHAUSTED)


def test_what_is_not_recorded_or_is_no_number_is_no_data_and_no_zero() -> None:
    for rows in ([], [recorded(LEFT, nan)], [recorded(LEFT, 1.0, service="web")]):
        (told,) = outlooks([REACH], rows, [])
        assert (told.standing, told.left, told.bad, told.events) == (Standing.NO_DATA, None, None, None)
        assert told.words == "no data"
        assert told.exhausted_in_s == inf


def test_an_alert_of_its_rules_burns_where_it_fires_and_one_of_silence_does_not() -> None:
    rows = [recorded(LEFT, 0.75), recorded(LEFT, 0.5, region="eu")]
    whole, eu = outlooks([REACH], rows, [firing("eu"), firing("eu"), firing(name=SILENT)])
    assert (whole.standing, whole.alerts) == (Standing.OK, ())
    assert (eu.standing, eu.alerts) == (Standing.BURNING, ("page 5m/1h",))


def test_what_is_overspent_is_exhausted_whatever_burns() -> None:
    (told,) = outlooks([REACH], [recorded(LEFT, -0.2)], [firing()])
    assert (told.standing, told.exhausted_in_s, told.words) == (Standing.EXHAUSTED, 0.0, "spent")


def test_a_budget_that_does_not_burn_lasts() -> None:
    assert Outlook(Objective("a", "b", "cache_hits", 0.9, window=Window()), "", 1.0, {"1h": 0.0}).exhausted_in_s == inf
