from anycastle.lab.client import Query, Tally


def tally() -> Tally:
    return Tally(
        "berlin",
        [Query(1.0, 1.1, "ams"), Query(2.0), Query(3.0, 3.2, "ams"), Query(4.0, 4.5, "iad"), Query(5.0)],
    )


def test_a_query_that_was_never_answered_is_lost_by_the_time_of_its_sending() -> None:
    assert tally().lost() == 2
    assert tally().lost(until=5.0) == 1
    assert tally().lost(since=2.5) == 1


def test_a_failover_is_the_first_answer_by_another_to_a_query_sent_after_the_failure() -> None:
    assert tally().first_answer_from_elsewhere("ams", 2.5) == 4.5
    assert tally().first_answer_from_elsewhere("iad", 2.5) == 3.2
    assert tally().first_answer_from_elsewhere("ams", 4.5) is None


def test_the_last_answer_says_who_serves() -> None:
    assert tally().served_by() == "iad"
    assert Tally("silent").served_by() is None
