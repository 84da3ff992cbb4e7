"""PRE001: each upstream that a service is announced through has a session that is up."""

from typing import Final

from anycastle.rollout.intent import intent_of
from anycastle.rollout.readiness.row import Asked, Row, answered, unknown

CODE: Final = "PRE001"
TITLE: Final = "BGP sessions with upstreams are up"


def sessions(asked: Asked) -> Row:
    """Look at each PoP, upstream and family that carries a route."""
    if asked.live is None:
        return unknown(CODE, TITLE, "no agent was asked", "name what agents say: --controller, --socket or --live")
    needed = sorted({(key.pop, key.upstream, key.prefix.family) for key in intent_of(asked.fleet).routes})
    up: list[str] = []
    down = [f"{pop}: nothing is heard of it" for pop in asked.live.unheard]
    for pop, upstream, family in needed:
        report = asked.live.reports.get(pop)
        if report is not None:
            name = f"{pop}: {upstream} {family}"
            (up if (upstream, family) in report.established else down).append(name)
    return answered(CODE, TITLE, [f"{each} is up" for each in up], down, "look at these sessions on the routers")
