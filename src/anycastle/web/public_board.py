"""What the public is told, made at most once in a few seconds: whoever asks often, unknown to us, costs nothing."""

from collections.abc import Mapping
from typing import Any, Final

from anycastle.base.ports import Instant, Timestamp
from anycastle.io.clock import now
from anycastle.io.status_page import summary
from anycastle.io.store.port import NotLeading
from anycastle.model.fleet import Fleet
from anycastle.response.public_status import Seen, public_status
from anycastle.web.controller import AgentView
from anycastle.web.parts import Parts
from anycastle.web.problems import Problem, ProblemKind

FRESH_S: Final = 2.0


async def board(parts: Parts) -> dict[str, Any]:
    """Give it. Raises `Problem` where nothing is public or known, `NotLeading` where another controller knows."""
    at = now()
    made = parts.board
    if made is not None and at.monotonic - made[0] < FRESH_S:
        return made[1]
    fleet = await parts.desired()
    if fleet is None or not fleet.status.is_public:
        raise Problem(ProblemKind.NOT_FOUND, "nothing of this fleet is public")
    agents = parts.controller.agents
    if agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    told = public_status(fleet, seen_of(fleet, agents, at.wall), await parts.incidents.all(), at.wall)
    if not told.known:
        raise Problem(ProblemKind.UNAVAILABLE, "no agent has told yet how any public component stands")
    fresh = summary(told)
    parts.board = (Instant(at.monotonic), fresh)
    return fresh


def seen_of(fleet: Fleet, agents: Mapping[str, AgentView], at: Timestamp) -> dict[tuple[str, str], Seen]:
    """Give (PoP, service) -> how it stands, for the PoPs whose agents have a session."""
    found = {}
    for pop, agent in agents.items():
        report = agent.report() if agent.connected else None
        for each in (report or {}).get("services", ()):
            drained = each.get("drain") is not None and each["drain"].get("step", "normal") != "normal"
            planned = drained or _in_window(fleet, pop, each["name"], at)
            prefixes = frozenset(each["prefixes"])
            announces = any(route["prefix"] in prefixes for route in (report or {}).get("exported", ()))
            found[pop, each["name"]] = Seen(announces, each["condition"] != "down", planned)
    return found


def _in_window(fleet: Fleet, pop: str, service: str, at: Timestamp) -> bool:
    return any(
        window.start <= at < window.end and pop in window.pops
        for each in fleet.services
        if each.name == service
        for window in each.windows
    )
