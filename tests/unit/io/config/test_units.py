import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.io.config.units import UnitError, format_duration, parse_capacity, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("250ms", 0.25), ("5m", 300.0), ("1.5h", 5400.0), ("10us", 1e-5), ("0s", 0.0), ("2 s", 2.0)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "5 ", "5S", "5min", "5d"])
def test_a_unit_is_needed(text: str) -> None:
    with pytest.raises((UnitError, ParseError)):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1e3s", "1s1s", "１s", "1_0s", "9" * 10 + "s", "inf", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ParseError):
        parse_duration(text)


def test_a_bare_number_is_told_what_to_write() -> None:
    with pytest.raises(UnitError, match="10 has no unit; write 10G, 10M or 10k"):
        parse_capacity("10")
    with pytest.raises(UnitError, match="did you mean 10G"):
        parse_capacity("10Gbit")


def test_a_capacity_is_read() -> None:
    assert [parse_capacity(text) for text in ("10G", "2.5T", "400M", "50k")] == [10e9, 2.5e12, 400e6, 50e3]


@given(st.integers(0, 10**8))
def test_formatting_is_undone_by_parsing(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000
