"""M6: how many sessions die because their packets went to another PoP."""

from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M6",
    "session_disruption",
    "Sessions that died within the joining span of a change of their network's catchment, over all sessions;"
    " beside it deaths per session-hour.",
    "PoPs: sessions' ends and packets of flows that the PoP does not own; catchments of probes",
    "ratio",
    (
        ("deaths without a change of the catchment", "a client that moves, sleeps or crashes is not our doing"),
        ("sessions that ended in good order", "nothing was disrupted; they are in the sum of all"),
    ),
    "sessions",
    10_000,
    "At 0.05 % five deaths are expected of 10,000.",
    higher_is_better=False,
    target="below 0.05 % a month",
    gotcha="That a client moved is hard to tell from that a route did: only deaths that stand beside a change of the"
    " catchment count. The best signal is at the PoP that receives: packets in mid-flow of flows it does not own.",
)

JOIN_S: Final = 60.0
"""Seconds around a change of the catchment within which a death is laid to it: a client's retransmissions end by
then."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that ended, or still lasts."""

    network: str
    hours: float
    died_at: float | None = None
    """None where it ended in good order, or still lasts."""
    foreign: bool = False
    """The PoP that got its packets did not own the flow: it moved, for sure."""


def count(tally: Tally, session: Session, changes: tuple[float, ...], join_s: float = JOIN_S) -> None:
    """Count a session; `changes` are the times at which its network's catchment changed."""
    joined = session.died_at is not None and any(abs(session.died_at - change) <= join_s for change in changes)
    if session.died_at is not None and not joined and not session.foreign:
        tally.exclude("died without a change of its catchment")
    tally.add(session.network, good=session.died_at is None or not (joined or session.foreign))


def deaths_per_session_hour(deaths: float, hours: float) -> float | None:
    """Give the rate; None of no hour."""
    return deaths / hours if hours > 0 else None
