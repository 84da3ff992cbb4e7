"""M7: how much a PoP serves from its cache."""

from enum import Enum
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M7",
    "cache_hits",
    "Requests (and apart from them bytes) answered from a cache, over those that may be; hit, stale and collapsed"
    " (RFC 9211) count as served.",
    "access logs, Cache-Status",
    "ratio",
    (
        ("pass and bypass", "what must not be cached cannot be a hit; how much it is, is told"),
        ("the cold period after a shift", "a PoP that just received new clients fills its cache; told apart"),
    ),
    "requests",
    1_000,
    "At 80 % the interval of 1,000 is five percent wide.",
    higher_is_better=True,
    target="above 80 % of static content",
    gotcha="By requests and by bytes it differs, often by much: both are told. A wrong TTL shows as stale and churn, a"
    " shift of the catchment as a cold PoP.",
)

COLD_S: Final = 900.0
"""Seconds after a shift for which a PoP's cache counts as cold."""


class Cache(Enum):
    """How a cache handled a request (RFC 9211 §2)."""

    HIT = "hit"
    STALE = "stale"
    COLLAPSED = "collapsed"
    MISS = "miss"
    PASS = "pass"


_SERVED: Final = frozenset({Cache.HIT, Cache.STALE, Cache.COLLAPSED})


def count(tally: Tally, pop: str, how: Cache, number: float = 1.0, since_shift_s: float | None = None) -> None:
    """Count requests, or bytes, of one PoP."""
    if how is Cache.PASS:
        tally.exclude("pass", number)
    elif since_shift_s is not None and 0 <= since_shift_s < COLD_S:
        tally.exclude(f"cold: {how.value}", number)
    else:
        tally.add(pop, good=how in _SERVED, weight=number, events=number)
