"""Capacities as people read them."""

from decimal import Decimal
from typing import Final

_MULTIPLES: Final = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
_DIGITS: Final = 12
"""Significant digits: more than anybody writes, fewer than where a sum of floats shows that it is one."""


def capacity_text(value: float) -> str:
    """Give a capacity as the fleet's files write it, such as `40G`; one below a thousand stands as it is."""
    exact = Decimal(f"{value:.{_DIGITS}g}")
    multiple, unit = next(((many, unit) for many, unit in _MULTIPLES if exact >= many), (1, ""))
    return f"{(exact / multiple).normalize():f}{unit}"
