"""M3: how often a client reaches a healthy PoP of ours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

TIMEOUT_MS: Final = 4000.0
"""RSSAC047 §5.1: four seconds, not retried."""

INDICATOR: Final = Indicator(
    "M3",
    "routing_success",
    "Probes and rounds answered within 4 s by an authorised site with the right content, over all that were tried.",
    "probes outside",
    "ratio",
    (
        ("rounds in which the probe reached none of its control targets", "the probe was cut off, not our service"),
        ("planned maintenance, where the objective says so", "it was announced to clients; how much is told"),
    ),
    "probes times rounds",
    3000,
    "At 99.9 % three bad rounds are expected of 3,000; of fewer, one more or less decides.",
    higher_is_better=True,
    target="99.9 % a month",
    gotcha="A failing region drowns in a global figure: each region has its own. Errors such as a refused connection"
    " are failures like timeouts (RSSAC047 §4.4). An answer by somebody else's site is a failure, however fast.",
)


@dataclass(frozen=True, slots=True)
class Round:
    """One try of one probe."""

    network: str
    region: str
    answered_ms: float | None
    """None: no answer, or an error."""
    site: str = ""
    content_right: bool = True
    control_reached: bool = True
    weight: float = 1.0


def count(tally: Tally, each: Round, allows: Callable[[str], bool], timeout_ms: float = TIMEOUT_MS) -> None:
    """Count one round."""
    if not each.control_reached and each.answered_ms is None:
        tally.exclude("probe cut off")
        return
    in_time = each.answered_ms is not None and each.answered_ms <= timeout_ms
    tally.add(each.network, good=in_time and each.content_right and allows(each.site), weight=each.weight)
