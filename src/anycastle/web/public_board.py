"""What the public is told, made at most once in a few seconds: whoever asks often, unknown to us, costs nothing."""

from collections.abc import Mapping
from typing import Any, Final

from anycastle.io.clock import now
from anycastle.io.status_page import summary
from anycastle.response.public_status import public_status, with_windows
from anycastle.web.controller import AgentView
from anycastle.web.parts import Parts
from anycastle.web.problems import Problem, ProblemKind

FRESH_S: Final = 2.0


async def board(parts: Parts) -> dict[str, Any]:
    """Give it. Raises `Problem` where nothing is public, or it is not known here."""
    agents = parts.controller.agents
    if agents is None:  # and who leads is nothing for the public
        raise Problem(ProblemKind.UNAVAILABLE, "this controller does not know how the services stand")
    async with parts.board_lock:  # who comes meanwhile gets what the first one made
        made = parts.board
        if made is None or now().monotonic - made[0] >= FRESH_S:
            made = parts.board = now().monotonic, await _made(parts, agents)
    told = made[1]
    if isinstance(told, Problem):
        raise Problem(told.kind, told.detail)
    return told


async def _made(parts: Parts, agents: Mapping[str, AgentView]) -> dict[str, Any] | Problem:
    fleet = await parts.desired()
    if fleet is None or not fleet.status.is_public:
        return Problem(ProblemKind.NOT_FOUND, "nothing of this fleet is public")
    at = now().wall
    standing = await parts.public_standings.read(agents, [pop.name for pop in fleet.pops])
    told = public_status(fleet, with_windows(fleet, standing, at), await parts.incidents.all(), at)
    if not told.known:
        return Problem(ProblemKind.UNAVAILABLE, "it is not known now how any public component stands")
    return summary(told)
