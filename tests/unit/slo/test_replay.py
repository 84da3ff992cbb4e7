"""Labelled histories through the rules: false alarms a month and delays."""

import os
from pathlib import Path

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.labelled_series import read_incidents, read_series
from anycastle.model.objective import Objective
from anycastle.slo.replay import Incident, Outcome, counted, learned_threshold, replay, slices, without_minimum

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "series"
OBJECTIVE = Objective("replayed", "", "", 0.999)


def rows(days: int, value: float) -> list[tuple[Timestamp, float]]:
    return [(Timestamp(300.0 * number), value) for number in range(1, days * 288 + 1)]


def by_rule(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {each.rule: each for each in outcomes}


def test_a_made_incident_is_found_and_its_delay_is_that_of_the_arithmetic() -> None:
    """At 10 % bad a rate of 14.4 over an hour is reached after 14.4 % of it: 8.6 minutes, in cells of five: 10."""
    incident = Incident(Timestamp(5 * 86_400.0), Timestamp(5 * 86_400.0 + 7200))
    cells = counted(rows(7, 10_000), [incident], OBJECTIVE, 0.1, np.random.default_rng(1))
    found = by_rule(replay(OBJECTIVE, cells, [incident]))
    assert (found["5m/1h"].delays_s, found["5m/1h"].false_alarms) == ((600.0,), 0)
    assert all(each.false_alarms == 0 for each in found.values())


@pytest.mark.mission("C9")
def test_without_minimum_counts_chance_raises_alarms_and_with_them_it_does_not() -> None:
    """Thirty healthy days of four requests every five minutes: one bad one of 48 is 2 % of an hour."""
    cells = counted(rows(30, 4), [], OBJECTIVE, 0.0, np.random.default_rng(2))
    bare = by_rule(replay(without_minimum(OBJECTIVE), cells, []))
    assert bare["5m/1h"].false_alarms >= 3
    for each in replay(OBJECTIVE, cells, []):
        assert each.false_alarms == 0


def test_the_threshold_is_learned_from_the_first_part() -> None:
    assert learned_threshold([float(each % 7) for each in range(1000)] + [99.0]) == 6
    assert [cell.events.good for cell in slices([(Timestamp(1.0), 5.0), (Timestamp(2.0), 7.0)], 6.0)] == [1, 0]
    with pytest.raises(MisuseError, match="at least 100"):
        learned_threshold([1.0] * 20)


@pytest.mark.mission("C9")
def test_the_real_histories() -> None:
    name = "elb_request_count_8c0756.csv.gz"
    if not (DATA / name).exists():
        pytest.skip(f"no {DATA / name}; set ANYCASTLE_DATA to the folder of real inputs")
    history = read_series(DATA / name)
    incidents = read_incidents(DATA / "combined_windows.json", DATA / name)
    assert (len(history), len(incidents)) == (4032, 2)
    cells = counted(history, incidents, OBJECTIVE, 0.05, np.random.default_rng(1))
    found = by_rule(replay(OBJECTIVE, cells, incidents))
    for page in ("5m/1h", "30m/6h"):
        assert found[page].detected == 2
        assert found[page].false_alarms == 0
    assert found["5m/1h"].delay_s is not None
    assert found["5m/1h"].delay_s <= 3600
    bare = by_rule(replay(without_minimum(OBJECTIVE), cells, incidents))
    assert bare["3x/24h"].false_alarms >= 10  # a single bad request at night, and the budget of a young month
    assert found["3x/24h"].false_alarms == 0
