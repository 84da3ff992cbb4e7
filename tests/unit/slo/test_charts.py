"""What charts ask for."""

import pytest

from anycastle.slo.charts import CHARTS, OF_MACHINES, POINTS_MAX, STEP_S_MIN, VALUE, step_of
from anycastle.slo.indicators.table import INDICATORS


def test_a_name_is_matched_as_it_is_and_never_as_a_pattern() -> None:
    chart = CHARTS["burn_rate"]
    assert chart.of(None) == "slo:burn_rate:ratio_rate1h"
    assert chart.of({"web", "dns"}) == 'slo:burn_rate:ratio_rate1h{service=~"dns|web"}'
    assert chart.of({"a.b"}) == r'slo:burn_rate:ratio_rate1h{service=~"a\\.b"}'
    assert chart.of({'x"} or up{a="'}).count('\\"') == 2
    assert CHARTS["cpu"].of({"dns"}) == CHARTS["cpu"].query


@pytest.mark.parametrize(("length_s", "step_s"), [(300, STEP_S_MIN), (3600, STEP_S_MIN), (92 * 86_400, 19_872)])
def test_a_series_has_points_up_to_the_limit(length_s: float, step_s: float) -> None:
    assert step_of(1e9, 1e9 + length_s) == step_s
    assert length_s / step_s <= POINTS_MAX


def test_charts_of_indicators_name_indicators_that_there_are() -> None:
    named = [chart.query.partition('indicator="')[2].partition('"')[0]
             for chart in CHARTS.values() if chart.query.startswith(VALUE)]  # fmt: skip
    assert len(named) == 4
    assert set(named) <= set(INDICATORS)
    assert set(OF_MACHINES) <= set(CHARTS)
