"""Sessions that died because their packets went to another PoP: what two PoPs saw of one flow, put together.

The PoP that a session began at logs its end: in good order, or by the client's silence. The PoP that gets its packets
afterwards sees a flow in its middle that it does not own. One flow is known by the client's address and port, at about
one time. Where the first PoP is dead, its log says nothing: the flow that the other one saw stands for the session.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators import m06_session_disruption as m06
from anycastle.slo.tally import Tally

SAME_FLOW_S: Final = m06.JOIN_S
"""How long after a session's end at one PoP its packets may still be met at another."""


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session as the PoP that owned it saw it end."""

    client: str
    port: int
    network: str
    region: str
    began_at: float
    ended_at: float
    orderly: bool


@dataclass(frozen=True, slots=True)
class ForeignFlow:
    """A flow in its middle at a PoP that does not own it."""

    client: str
    port: int
    network: str
    region: str
    seen_at: float


def count_sessions(
    ended: Iterable[EndedSession], foreign: Iterable[ForeignFlow], shifts: Mapping[str, Sequence[float]]
) -> dict[str, Tally]:
    """Count sessions by region; `shifts` has, for each network, when its catchment changed."""
    flows: dict[tuple[str, int], list[ForeignFlow]] = {}
    for flow in sorted(foreign, key=lambda each: each.seen_at):
        flows.setdefault((flow.client, flow.port), []).append(flow)
    tallies: dict[str, Tally] = {}
    for session in ended:
        own = flows.get((session.client, session.port), [])
        met = next((each for each in own if _same(session, each)), None)
        if met is not None:
            own.remove(met)
        died_at = None if session.orderly and met is None else session.ended_at
        hours = max(0.0, session.ended_at - session.began_at) / 3600
        counted = m06.Session(session.network, hours, died_at, met is not None)
        m06.count(tallies.setdefault(session.region, Tally()), counted, tuple(shifts.get(session.network, ())))
    for rest in flows.values():
        for flow in _distinct(rest):  # of sessions that no log tells of: their PoP is dead
            m06.count(tallies.setdefault(flow.region, Tally()), m06.Session(flow.network, 0.0, flow.seen_at, True), ())
    return tallies


def _same(session: EndedSession, flow: ForeignFlow) -> bool:
    return session.began_at <= flow.seen_at <= session.ended_at + SAME_FLOW_S


def _distinct(flows: Sequence[ForeignFlow]) -> Iterable[ForeignFlow]:
    """Leave out a flow that further PoPs saw too, as routes moved on."""
    last: float | None = None
    for flow in flows:
        if last is None or flow.seen_at > last + SAME_FLOW_S:
            yield flow
        last = flow.seen_at
