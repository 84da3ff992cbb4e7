"""Capacities as people read them."""

import pytest

from anycastle.model.capacity import capacity_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(4e15, "4000T"), (1.1e11, "110G"), (2.5e9, "2.5G"), (1e6, "1M"), (1500.0, "1.5k"), (7.0, "7"), (0.0, "0")],
)
def test_a_capacity_is_written_as_in_the_files(value: float, text: str) -> None:
    assert capacity_text(value) == text


def test_a_sum_of_floats_does_not_show() -> None:
    assert capacity_text(0.1e9 + 0.2e9) == "300M"
    assert capacity_text(1234567e12) == "1234567T"
