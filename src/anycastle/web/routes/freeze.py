"""The freeze: the controller changes nothing by itself."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Freeze, Thaw
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.matching import IfMatch, etag, require_match
from anycastle.web.ordering import take
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import FrozenShape, ReasonAsked, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["holding"])


@ROUTER.get("/freeze", response_model=FrozenShape)
async def frozen(parts: PartsOf, response: Response) -> Any:
    """Show whether the controller holds still. The ETag names this state."""
    part = (await parts.controller.kept()).frozen
    response.headers["ETag"] = etag(part)
    if part is None:
        return {"frozen": False}
    return {"frozen": True, "who": part.who, "reason": part.reason, "since": part.since}


@ROUTER.post("/freeze", response_model=Taken)
async def freeze(
    request: Request, asked: ReasonAsked, parts: PartsOf, asker: Asker, if_match: IfMatch = None
) -> Response:
    """Let the controller change nothing by itself. PoPs go on withdrawing what does not serve."""

    def check(kept: Kept) -> None:
        require_match(if_match, kept.frozen, must=False)

    return await take(request, parts, asker, Freeze(asked.reason), check)


@ROUTER.post("/thaw", response_model=Taken)
async def thaw(
    request: Request, asked: ReasonAsked, parts: PartsOf, asker: Asker, if_match: IfMatch = None
) -> Response:
    """End the freeze that you saw. If-Match is needed."""

    def check(kept: Kept) -> None:
        require_match(if_match, kept.frozen, must=True)

    return await take(request, parts, asker, Thaw(asked.reason), check)
