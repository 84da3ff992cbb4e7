"""The language of series and expected alerts: what it can say, and what it answers to what is wrong."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.model.objective import Period, Planned, Window, parse_share, parse_span, parse_window
from anycastle.slo.script import RULE_NAMES, parse_script
from anycastle.slo.script_run import run

BURNING = """
objective reach
  target 99.9%
  by region
load 1m
  good{region="eu"} 1000x360 980x60
  bad{region="eu"}  0x360    20x60
  good{region="sa"} 1000x420
"""


@pytest.mark.mission("C9")
def test_expected_alerts_come_and_nothing_else_does() -> None:
    text = f"""{BURNING}
at 6h
  no alerts
at 7h
  alert page 5m/1h eu
  alert ticket 6h/3d eu
  alert ticket 6h/3d global
  burn 1h eu = 20 +- 0.01
  burn 5m = 10 +- 0.01
  budget sa = 100%
  state 30m/6h eu quiet
  state 3x/24h too few
"""
    assert run(parse_script(text, "f")) == []


def test_what_is_not_met_is_told_with_the_figures() -> None:
    text = f"""{BURNING}
at 7h
  alert page 30m/6h eu
at 7h
  burn 1h eu >= 30
  budget eu = 50% +- 1%
  state 5m/1h eu quiet
  budget asia = 1%
"""
    told = [f"{each.where}: {each.words}" for each in run(parse_script(text, "f"))]
    assert told[0].startswith("f:11:3: no alert page 30m/6h eu: quiet; rates 20.00, 3.33 against 6; 360000 events")
    assert any(line.startswith("f:10: an alert that was not expected: page 5m/1h eu (") for line in told)
    assert any(line.startswith("f:13:3: burn eu is 20.000, not >= 30.000") for line in told)
    assert any(line.startswith("f:14:3: budget eu is -185.714%, not = 50.000%") for line in told)
    assert any(line.startswith("f:15:3: 5m/1h eu is firing, not quiet") for line in told)
    assert told[-1] == "f:16:3: there is no scope 'asia'; there are global, eu, sa"


def test_maintenance_and_changes_are_told_apart() -> None:
    text = """
objective reach
  target 99.9%
  maintenance excluded
  convergence 2m
load 1m
  good 1000x60 0x10 1000x60
  bad  0x60 1000x10 0x60
maintenance 60m 68m
change 68m
at 130m
  alert ticket 6h/3d    # the budget of the two allowed minutes is spent all the same, though no rate shows it
at 130m
  burn 6h = 0
"""
    failures = run(parse_script(text, "f"))
    assert [each.where for each in failures] == ["f:12:3"]  # nothing alarms: what is allowed makes no rate
    assert "rates 0.00, 0.00" in failures[0].words


def test_everything_wrong_is_told_at_once() -> None:
    text = """objectiv reach
objective reach
  target 100%
  windw 30d
  window soon
load 1m
  god 5x3
  good 5xx3
  good 3-1x9
at 1h
  alert page 5m/2h
  allert page 5m/1h
  burn 1h
  state 5m/1h sleepy
at soon
at 1h nobody
"""
    with pytest.raises(ParseError) as caught:
        parse_script(text, "f.slotest")
    assert str(caught.value).splitlines() == [
        "f.slotest:1:1: no block is called 'objectiv'; did you mean 'objective'?",
        "f.slotest:3:10: a target lies between 0 and 100%, both excluded, not at 100%",
        "f.slotest:4:3: an objective has no key 'windw'; did you mean 'window'?",
        "f.slotest:5:10: 'soon' is no window; write 30d, week, month, quarter",
        "f.slotest:7:3: 'god' is no series; write good, bad or good{region=\"eu\"}",
        "f.slotest:8:8: '5xx3' is no value; write 5, 5x60, 0+1x10, _ or _x10",
        "f.slotest:9:8: 3-1x9 falls below 0, and events are counted from 0 on",
        "f.slotest:11:14: no rule is called '5m/2h'; did you mean '5m/1h'?; there are " + ", ".join(RULE_NAMES),
        "f.slotest:12:3: nothing is expected by 'allert'; did you mean 'alert'?",
        "f.slotest:13:3: write `burn 1h eu >= 14.4`",
        "f.slotest:14:15: a rule's state is firing, quiet, too few, no data, never",
        "f.slotest:15:4: 'soon' is no span of time; write 90s, 5m, 1h30m or 3d",
        "f.slotest:16:7: there is no objective 'nobody'",
    ]
    with pytest.raises(ParseError, match="the script has no objective"):
        parse_script("", "f")


def test_values_of_the_language() -> None:
    script = parse_script(
        "objective a\n maintenance excluded\n window quarter\nload 30s\n good 1 0+5x3 _x2 9-3x2\nat 1m\n no alerts\n",
        "f",
    )
    assert script.loads[0].values == (1, 0, 5, 10, None, None, 9, 6)
    assert script.loads[0].cell_s == 30
    assert script.objectives["a"].maintenance is Planned.EXCLUDED
    assert script.objectives["a"].window == Window(Period.QUARTER)
    assert (parse_span("1h30m"), parse_share("99.95%"), parse_share("0.5")) == (5400, 0.9995, 0.5)
    assert parse_window("7d") == Window(Period.ROLLING, 7)
