"""Budgets, burn rates and alerts; what is planned, what is awaited, and what is not known."""

from datetime import UTC, datetime
from math import inf

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective, Period, Planned, Window
from anycastle.slo.budget import budget_at
from anycastle.slo.burn import GUIDE, RULES, Firing, judge, judge_guide, minimum_of
from anycastle.slo.calendar import span_at
from anycastle.slo.engine import Context, SLOEngine
from anycastle.slo.series import Events, Series
from anycastle.slo.words import span_in_words, span_short

DAY = 86_400.0
REACH = Objective("reach", "dns", "routing_success", 0.999, by_region=True)


def steady(hours: float, bad_share: float, *, start: float = 0.0, rate: float = 1000.0) -> list[tuple[float, Events]]:
    """Give cells of a minute."""
    return [(start + 60.0 * number, Events(rate * (1 - bad_share), rate)) for number in range(1, int(hours * 60) + 1)]


def series_of(*parts: list[tuple[float, Events]]) -> Series:
    series = Series(60 * DAY)
    for part in parts:
        for at, events in part:
            series.add(Timestamp(at), events)
    return series


@pytest.mark.mission("C9")
def test_the_factors_are_those_of_the_field() -> None:
    assert [rule.factor(Window()) for rule in RULES] == [14.4, 6, 3, 1]
    assert [rule.name for rule in RULES] == ["5m/1h", "30m/6h", "2h/1d", "6h/3d"]
    week = [rule.factor(Window(Period.WEEK)) for rule in RULES]
    assert week == pytest.approx([3.36, 1.4, 0.7, 7 / 30])


def test_a_rule_needs_both_windows() -> None:
    fast = RULES[0]
    burning = series_of(steady(5, 0.0), steady(1, 0.02, start=5 * 3600))
    assert judge(fast, REACH, burning, Timestamp(6 * 3600.0)).firing is Firing.YES
    over = series_of(steady(5, 0.0), steady(1, 0.02, start=5 * 3600), steady(0.2, 0.0, start=6 * 3600))
    assert judge(fast, REACH, over, Timestamp(6.1 * 3600)).firing is Firing.NO  # it ended six minutes ago
    just_begun = series_of(steady(5, 0.0), steady(0.1, 0.02, start=5 * 3600))
    assert judge(fast, REACH, just_begun, Timestamp(5.1 * 3600)).firing is Firing.NO


def test_few_events_are_no_alarm_and_no_events_are_no_peace() -> None:
    minimum = minimum_of(RULES[0], REACH)
    few = series_of(steady(1, 1.0, rate=(minimum - 1) / 60))
    enough = series_of(steady(1, 1.0, rate=(minimum + 1) / 60))
    assert judge(RULES[0], REACH, few, Timestamp(3600.0)).firing is Firing.TOO_FEW
    assert judge(RULES[0], REACH, enough, Timestamp(3600.0)).firing is Firing.YES
    assert judge(RULES[0], REACH, enough, Timestamp(9 * 3600.0)).firing is Firing.NO_DATA
    loose = Objective("loose", "dns", "routing_success", 0.9)
    assert judge(RULES[0], loose, enough, Timestamp(3600.0)).firing is Firing.NEVER  # 1.44 of all events


def test_three_times_what_is_usual_and_spent_within_a_day() -> None:
    usual = steady(48, 0.001)  # at its target: a rate of 1
    now = Timestamp(49 * 3600.0)

    def asked(share: float) -> Firing:
        series = series_of(usual, steady(1, share, start=48 * 3600))
        return judge_guide(REACH, series, budget_at(REACH, series, now), now).firing

    assert asked(0.002) is Firing.NO
    assert asked(0.0031) is Firing.YES  # the budget is all but spent, and this is thrice the usual
    fresh = series_of(steady(12, 0.0), steady(1, 0.02, start=12 * 3600))
    verdict = judge_guide(REACH, fresh, budget_at(REACH, fresh, Timestamp(13 * 3600.0)), Timestamp(13 * 3600.0))
    assert (verdict.firing, verdict.note) == (Firing.TOO_FEW, "no baseline yet")
    quiet = series_of(steady(48, 0.00001), steady(1, 0.0002, start=48 * 3600))
    assert judge_guide(REACH, quiet, budget_at(REACH, quiet, now), now).firing is Firing.NO  # twenty times nothing much


def test_a_rolling_budget_and_its_outlook_in_words() -> None:
    series = series_of(steady(9, 0.0), steady(1, 0.002, start=9 * 3600))
    budget = budget_at(REACH, series, Timestamp(10 * 3600.0))
    assert budget.left == pytest.approx(0.8)
    assert budget.exhausted_in_s == pytest.approx(0.8 * 30 * DAY / 2)
    assert budget.words == "80.0% left; at the rate of the last hour it is spent in 12 days"
    good = budget_at(REACH, series_of(steady(2, 0.0)), Timestamp(7200.0))
    assert good.words == "100.0% left; at the rate of the last hour it lasts"
    assert budget_at(REACH, Series(DAY), Timestamp(7200.0)).words == "no data"
    spent = budget_at(REACH, series_of(steady(2, 0.5)), Timestamp(7200.0))
    assert (spent.words, spent.exhausted_in_s) == ("spent", 0.0)


def test_a_calendar_budget_is_of_the_whole_month() -> None:
    """A tenth of a month has passed with all its events good but as many bad as a tenth of the budget."""
    monthly = Objective("m", "dns", "routing_success", 0.999, window=Window(Period.MONTH))
    start = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    series = series_of(steady(72, 0.001, start=start))
    budget = budget_at(monthly, series, Timestamp(start + 3 * DAY))
    assert budget.left == pytest.approx(0.9)
    assert budget.window_ends_in_s == 27 * DAY
    assert budget.exhausted_in_s == pytest.approx(27 * DAY)
    assert budget_at(monthly, series, Timestamp(start + 31 * DAY)).left is None  # December: nothing measured yet


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.WEEK, datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)),
        (Period.MONTH, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (Period.QUARTER, datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_calendar_windows(period: Period, start: datetime, end: datetime) -> None:
    now = Timestamp(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp())
    assert span_at(Window(period), now) == (start.timestamp(), end.timestamp())


def test_regions_have_budgets_of_their_own_and_the_global_one_is_their_sum() -> None:
    engine = SLOEngine([REACH])
    for number in range(1, 91):
        bad = 300.0 if number > 30 else 0.0
        by_region = {"eu": Events(10_000, 10_000), "sa": Events(1000 - bad, 1000)}
        engine.take("reach", Timestamp(60.0 * number), by_region)
    found = {each.scope: each for each in engine.evaluate(Timestamp(90 * 60.0))}
    assert list(found) == ["global", "eu", "sa"]
    assert found["global"].budget.events == Events(972_000.0, 990_000.0)
    assert [alert.rule for alert in found["eu"].alerts] == []
    assert "5m/1h" in [alert.rule for alert in found["sa"].alerts]
    assert "dns reach in sa: the budget goes at 300.0 times" in found["sa"].alerts[0].summary


def test_silence_is_an_alert_of_its_own() -> None:
    engine = SLOEngine([REACH])
    (before,) = engine.evaluate(Timestamp(0.0))
    assert [(alert.rule, alert.summary) for alert in before.alerts] == [
        ("no-data", "dns reach: nothing was measured"),
    ]
    engine.take("reach", Timestamp(60.0), {"": Events(1000, 1000)})
    (fresh,) = engine.evaluate(Timestamp(600.0))
    assert fresh.alerts == ()
    (silent,) = engine.evaluate(Timestamp(3660.0))
    assert [alert.rule for alert in silent.alerts] == ["no-data"]


def test_maintenance_counts_unless_the_objective_says_otherwise() -> None:
    excluding = Objective("other", "dns", "routing_success", 0.999, maintenance=Planned.EXCLUDED)
    engine = SLOEngine([REACH, excluding])
    window = Context(Timestamp(0.0), Timestamp(600.0), maintenance=True)
    for name in ("reach", "other"):
        engine.take(name, Timestamp(300.0), {"": Events(0, 100)}, [window])
        engine.take(name, Timestamp(900.0), {"": Events(100, 100)}, [window])
    counted, excluded = engine.evaluate(Timestamp(900.0))
    assert counted.budget.events == Events(100, 200)
    assert excluded.budget.events == Events(100, 100, 0, 100)  # what was left out is told


def test_what_convergence_costs_spends_budget_and_pages_nobody() -> None:
    objective = Objective("reach", "dns", "routing_success", 0.999, by_region=True, convergence_s=120.0)
    engine = SLOEngine([objective])
    change = Context(Timestamp(3600.0), Timestamp(3600.0), maintenance=False, regions=frozenset({"eu"}))
    for number in range(1, 66):
        bad = 900 if 60 < number <= 62 else 0
        by_region = {"eu": Events(1000 - bad, 1000), "sa": Events(1000, 1000)}
        engine.take("reach", Timestamp(60.0 * number), by_region, [change])
    found = {each.scope: each for each in engine.evaluate(Timestamp(65 * 60.0))}
    assert found["eu"].budget.events.bad == 1800
    assert found["eu"].budget.events.allowed == 1800
    assert found["eu"].burns[0].long_rate == 0
    assert all(alert.rule != "5m/1h" for each in found.values() for alert in each.alerts)


def test_misuse_changes_nothing() -> None:
    engine = SLOEngine([REACH])
    with pytest.raises(MisuseError, match="no objective 'x'"):
        engine.take("x", Timestamp(1.0), {})
    series = Series(DAY)
    series.add(Timestamp(10.0), Events(1, 1))
    for at, events in ((5.0, Events(1, 1)), (11.0, Events(2, 1)), (11.0, Events(1, 2, 3)), (11.0, Events(0, 0, 0, -1))):
        with pytest.raises(MisuseError):
            series.add(Timestamp(at), events)
    assert series.over(Timestamp(20.0), inf) == Events(1, 1)


def test_spans_in_words() -> None:
    assert [span_in_words(each) for each in (0.2, 1, 61, 3600, 5400, 90_061)] == [
        "less than a second", "1 second", "1 minute 1 second", "1 hour", "1 hour 30 minutes", "1 day 1 hour",
    ]  # fmt: skip
    assert [span_short(each) for each in (30, 300, 3600, 3 * DAY)] == ["30s", "5m", "1h", "3d"]
    assert GUIDE == "3x/24h"
