"""M5: how many requests fail by our fault, as clients see it."""

from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M5",
    "client_errors",
    "Requests that ended in 5xx, 408, 425, 429, a reset or no answer, over all requests; of DNS: SERVFAIL, REFUSED,"
    " NOTIMP, FORMERR and timeouts.",
    "access logs and clients' own reports",
    "ratio",
    (
        ("4xx other than these", "the service answered rightly: the client asked for what is not there or not his"),
        ("NXDOMAIN", "it is the right answer"),
        ("499 and other requests that the client gave up within a second", "he left; nothing failed yet"),
    ),
    "requests",
    10_000,
    "At 0.1 % ten bad ones are expected of 10,000; of fewer, chance decides.",
    higher_is_better=False,
    target="below 0.1 %",
    gotcha="A failover inflates errors for the time of its convergence: those within the objective's allowance are told"
    " apart. What never reached a PoP is in no access log: M3 sees it.",
)

_OUR_FAULT: Final = frozenset({408, 425, 429})
_LEFT: Final = 499
LEFT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests that are alike."""

    network: str
    status: int
    """0 for a reset or no answer."""
    number: float = 1.0
    seconds: float = 0.0


def count(tally: Tally, each: Requests) -> None:
    """Count HTTP requests; they weigh by number: a request is a user's."""
    if each.status == _LEFT and each.seconds < LEFT_S:
        tally.exclude("client gave up at once", each.number)
        return
    bad = each.status >= 500 or each.status in _OUR_FAULT or each.status in (0, _LEFT)
    if not bad and 400 <= each.status < 500:
        tally.exclude("client's own error", each.number)
        return
    tally.add(each.network, good=not bad, weight=each.number, events=each.number)


DNS_BAD: Final = frozenset({1, 2, 4, 5})
"""FORMERR, SERVFAIL, NOTIMP, REFUSED (RFC 1035 §4.1.1)."""


def count_dns(tally: Tally, network: str, rcode: int | None, number: float = 1.0) -> None:
    """Count DNS queries; None is a timeout."""
    tally.add(network, good=rcode is not None and rcode not in DNS_BAD, weight=number, events=number)
