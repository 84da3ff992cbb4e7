"""M10: how many upstreams do what their communities say."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M10",
    "policy_compliance",
    "Upstreams that honoured every instruction that was tried, over upstreams of which something is known.",
    "toggles of a test prefix against a repeated control, by `anycastle watch toggles`",
    "ratio",
    (("inconclusive toggles", "the control moved as much; the upstream is asked again, and counts for nothing"),),
    "upstreams with a verdict",
    2,
    "Of one upstream there is a verdict and no share.",
    higher_is_better=True,
    target="95 % of upstreams",
    gotcha="Providers differ, and one that honours prepending may ignore a community: an upstream complies where it"
    " honours all that was tried. Routes move by themselves: without a control a toggle proves nothing.",
)


class Verdict(Enum):
    """What toggles say of one instruction."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    INCONCLUSIVE = "inconclusive"


def count(tally: Tally, verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    """Count upstreams; `verdicts` has, for each, what is known of each instruction."""
    for upstream, by_instruction in verdicts.items():
        known = [verdict for verdict in by_instruction.values() if verdict is not Verdict.INCONCLUSIVE]
        if len(known) < len(by_instruction):
            tally.exclude("inconclusive", len(by_instruction) - len(known))
        if known:
            tally.add(upstream, good=all(verdict is Verdict.HONOURED for verdict in known))
