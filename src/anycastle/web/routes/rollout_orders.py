"""What can be ordered of a rollout."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Abort, Approve, Order, Pause, Promote, Resume
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE
from anycastle.web.identity import Asker, Person
from anycastle.web.matching import IfMatch, require_match
from anycastle.web.ordering import take
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.routes.rollouts import Number, require_rollout
from anycastle.web.shapes import NothingAsked, ReasonAsked, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["rollouts"])

_HOLDS: Final = frozenset({Pause, Abort})
"""What may be ordered in a hurry: it lets nothing go on. All else says which state was seen."""


@ROUTER.post("/rollouts/{number}/pause", response_model=Taken)
async def pause(
    request: Request, parts: PartsOf, asker: Asker, number: Number, _: NothingAsked, if_match: IfMatch = None
) -> Response:
    """Hold a rollout where it is."""
    return await _order(request, parts, asker, number, Pause(number), if_match)


@ROUTER.post("/rollouts/{number}/resume", response_model=Taken)
async def resume(
    request: Request, parts: PartsOf, asker: Asker, number: Number, _: NothingAsked, if_match: IfMatch = None
) -> Response:
    """Let a rollout go on; its step bakes anew. If-Match is needed."""
    return await _order(request, parts, asker, number, Resume(number), if_match)


@ROUTER.post("/rollouts/{number}/promote", response_model=Taken)
async def promote(
    request: Request, parts: PartsOf, asker: Asker, number: Number, _: NothingAsked, if_match: IfMatch = None
) -> Response:
    """End the bake of a step by hand. If-Match is needed."""
    return await _order(request, parts, asker, number, Promote(number), if_match)


@ROUTER.post("/rollouts/{number}/abort", response_model=Taken)
async def abort(
    request: Request, parts: PartsOf, asker: Asker, number: Number, asked: ReasonAsked, if_match: IfMatch = None
) -> Response:
    """End a rollout: what it changed goes back, step by step."""
    return await _order(request, parts, asker, number, Abort(number, asked.reason), if_match)


@ROUTER.post("/rollouts/{number}/approve", response_model=Taken)
async def approve(
    request: Request, parts: PartsOf, asker: Asker, number: Number, _: NothingAsked, if_match: IfMatch = None
) -> Response:
    """Agree, as a second person, to what a rollout is. If-Match is needed."""
    return await _order(request, parts, asker, number, Approve(f"rollout/{number}"), if_match)


async def _order(
    request: Request, parts: Parts, asker: Person, number: int, order: Order, if_match: str | None
) -> Response:
    rule = TABLE[f"{request.method} {request.scope['route'].path}"]
    await require_rollout(parts, asker, rule, number)

    def check(kept: Kept) -> None:
        require_match(if_match, kept.rollouts.get(number), must=type(order) not in _HOLDS)

    return await take(request, parts, asker, order, check)
