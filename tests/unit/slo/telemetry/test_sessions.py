import pytest

from anycastle.slo.telemetry.sessions import EndedSession, ForeignFlow, count_sessions


def ended(port: int, at: float = 100.0, *, orderly: bool = True) -> EndedSession:
    return EndedSession("10.0.0.1", port, "AS1", "eu", at - 50.0, at, orderly)


def flow(port: int, at: float, region: str = "eu") -> ForeignFlow:
    return ForeignFlow("10.0.0.1", port, "AS1", region, at)


@pytest.mark.mission("M6")
def test_two_pops_that_saw_one_session_count_it_once() -> None:
    tallies = count_sessions([ended(1), ended(2, orderly=False), ended(3)], [flow(2, 96.0)], {})
    assert (tallies["eu"].good, tallies["eu"].total) == ({"AS1": 2}, {"AS1": 3})


@pytest.mark.mission("M6")
def test_a_session_of_a_dead_pop_is_known_by_the_flow_alone_however_many_pops_met_it() -> None:
    tallies = count_sessions([ended(1)], [flow(2, 96.0), flow(2, 97.0, "na"), flow(2, 300.0)], {})
    assert sum(each.events for each in tallies.values()) == 3, "one that ended well, and two that died, of one port"
    assert sum(sum(each.good.values()) for each in tallies.values()) == 1


@pytest.mark.mission("M6")
def test_a_flow_of_a_port_that_was_used_again_is_of_the_later_session() -> None:
    tallies = count_sessions([ended(1, 100.0), ended(1, 400.0, orderly=False)], [flow(1, 396.0)], {})
    assert (tallies["eu"].good["AS1"], tallies["eu"].events) == (1, 2)


@pytest.mark.mission("M6")
def test_a_death_counts_beside_a_change_of_the_catchment_and_else_is_told() -> None:
    tallies = count_sessions([ended(1, orderly=False)], [], {"AS1": [90.0]})
    assert tallies["eu"].good["AS1"] == 0
    tallies = count_sessions([ended(1, orderly=False)], [], {"AS2": [90.0]})
    assert tallies["eu"].good["AS1"] == 1
    assert tallies["eu"].excluded == {"died without a change of its catchment": 1}
