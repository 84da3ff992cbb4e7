"""The course of a vantage point: turns and ways, bounded."""

from anycastle.base.ports import Timestamp
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.course import PATHS_MAX, TURNS_MAX, Course
from anycastle.probe.sighting import Sighting

P1 = VantagePoint("p1")


def see(course: Course, at: float, pop: str, rtt_ms: float | None = None, error: str = "") -> bool:
    return course.see(Sighting(P1, "192.0.2.53", Timestamp(at), pop, rtt_ms, error=error))


def test_a_turn_goes_on_while_the_pop_answers_and_has_the_shortest_round_trip() -> None:
    course = Course()
    assert see(course, 1, "fra", 12.0)
    assert see(course, 2, "", error="no answer")
    assert course.lost == 1
    assert see(course, 3, "fra", 9.0)
    assert see(course, 4, "fra", None)
    assert see(course, 5, "iad", 80.0)
    assert [(turn.pop, turn.first, turn.last, turn.rtt_ms) for turn in course.turns] == [
        ("fra", 1, 4, 9.0),
        ("iad", 5, 5, 80.0),
    ]
    assert course.lost == 0


def test_what_is_late_or_repeated_is_not_taken() -> None:
    course = Course()
    assert see(course, 5, "fra")
    assert not see(course, 5, "iad")
    assert not see(course, 4, "iad")
    assert len(course.turns) == 1


def test_memory_is_bounded_and_the_newest_stays() -> None:
    course = Course()
    for at in range(3 * TURNS_MAX):
        see(course, at, f"pop{at % 2}")
        course.trace(Timestamp(at), (f"10.0.{at % 7}.1",), (1.0,), reached=True)
    assert len(course.turns) == TURNS_MAX
    assert len(course.ways) == PATHS_MAX
    assert course.turns[-1].first == 3 * TURNS_MAX - 1


def test_a_hop_that_speaks_later_completes_the_way() -> None:
    course = Course()
    course.trace(Timestamp(1), ("a", "", "c"), (1.0, None, 3.0), reached=True)
    course.trace(Timestamp(2), ("a", "b", ""), (1.0, 2.0, None), reached=True)
    assert [way.hops for way in course.ways] == [("a", "b", "c")]
    course.trace(Timestamp(3), ("a", "b", "c"), (1.0, 2.0, 3.0), reached=False)
    assert len(course.ways) == 2
