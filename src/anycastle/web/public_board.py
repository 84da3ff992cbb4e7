"""What the public is told, made at most once in a few seconds: whoever asks often, unknown to us, costs nothing."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.status_page import summary
from anycastle.model.fleet import Fleet
from anycastle.model.service import Service
from anycastle.response.public_status import Seen, public_status
from anycastle.web.controller import AgentView
from anycastle.web.parts import Parts
from anycastle.web.problems import Problem, ProblemKind

FRESH_S: Final = 2.0
AT_ONCE: Final = 20
"""Reports that are read before others have their turn: agents are on this loop too."""


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
    told = public_status(fleet, await _seen(fleet, agents, at), await parts.incidents.all(), at)
    if not told.known:
        return Problem(ProblemKind.UNAVAILABLE, "it is not known now how any public component stands")
    return summary(told)


async def _seen(fleet: Fleet, agents: Mapping[str, AgentView], at: Timestamp) -> dict[tuple[str, str], Seen]:
    """Give (PoP, public service) -> how it stands, for the PoPs whose agents have a session and know their router."""
    public = {each.service for each in fleet.status.components}
    services = {each.name: each for each in fleet.services if each.name in public}
    found: dict[tuple[str, str], Seen] = {}
    for number, pop in enumerate(fleet.pops):
        agent = agents.get(pop.name)
        report = agent.report() if agent is not None and agent.connected else None
        # An agent that has just started has not read its router yet; one that only observes announces nothing.
        if report is not None and report.get("booted", True) and not report.get("observe_only", False):
            found |= {(pop.name, name): each for name, each in _stands(report, services, pop.name, at).items()}
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    return found


def _stands(report: Mapping[str, Any], services: Mapping[str, Service], pop: str, at: Timestamp) -> dict[str, Seen]:
    exported = {route["prefix"] for route in report.get("exported", ())}
    found = {}
    for each in report.get("services", ()):
        service = services.get(each["name"])
        if service is not None:
            planned = _drains(each) or _in_window(service, pop, at)
            found[each["name"]] = _stand(each["prefixes"], exported, each["condition"], planned=planned)
    return found


def _stand(prefixes: Collection[str], exported: Collection[str], condition: str, *, planned: bool) -> Seen:
    there = sum(prefix in exported for prefix in prefixes)
    # One family of two that is gone cuts clients off, and others not.
    return Seen(there > 0, condition != "down" and there == len(prefixes), planned)


def _drains(service: Mapping[str, Any]) -> bool:
    return service.get("drain") is not None and service["drain"].get("step", "normal") != "normal"


def _in_window(service: Service, pop: str, at: Timestamp) -> bool:
    return any(window.start <= at < window.end and pop in window.pops for window in service.windows)
