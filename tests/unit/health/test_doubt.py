import pytest

from anycastle.base.ports import Instant
from anycastle.health.doubt import DOUBT_S, Doubt

pytestmark = pytest.mark.mission("F7")


def said(*failures: tuple[str, float]) -> list[bool]:
    doubt = Doubt(Instant(0.0))
    return [doubt.failed(service, Instant(at)) for service, at in failures]


def test_two_services_within_the_span_raise_it() -> None:
    assert said(("a", 1.0), ("b", 1.0 + DOUBT_S)) == [False, True]
    assert said(("a", 1.0), ("b", 1.1 + DOUBT_S)) == [False, False]


def test_two_checks_of_one_service_do_not() -> None:
    assert said(("a", 1.0), ("a", 1.1), ("b", 1.2)) == [False, False, True]


def test_it_is_raised_once_in_a_span_however_many_fail() -> None:
    names = [("a", 1.0), ("b", 1.1), ("c", 1.2), ("d", 2.0), ("e", 2.1), ("f", 2.2)]
    assert said(*names) == [False, True, False, False, True, False]
