import pytest

from anycastle.base import limits
from anycastle.base.errors import AnycastleError, MisuseError, ParseError, WorldError
from anycastle.base.ports import FAR_FUTURE, Instant, after


@pytest.mark.parametrize("error", [MisuseError, ParseError, WorldError])
def test_every_error_of_ours_has_one_root(error: type[AnycastleError]) -> None:
    assert issubclass(error, AnycastleError)
    assert str(error("what went wrong")) == "what went wrong"


def test_the_worlds_faults_are_worth_another_try_unless_said_otherwise() -> None:
    assert WorldError("gone").retryable
    assert not WorldError("refused", retryable=False).retryable


def test_an_instant_far_away_stays_there() -> None:
    assert after(Instant(1.5), 2.0) == 3.5
    assert after(FAR_FUTURE, 1.0) == FAR_FUTURE


@pytest.mark.rfc("4271", "4.1")
@pytest.mark.rfc("8654", "3")
def test_limits_of_messages() -> None:
    assert (limits.MESSAGE_MAX, limits.MESSAGE_MAX_EXTENDED) == (4096, 65535)


def test_every_limit_is_a_positive_number() -> None:
    values = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert values
    assert all(isinstance(value, int) and value > 0 for value in values.values())
