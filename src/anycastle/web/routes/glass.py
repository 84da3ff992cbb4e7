"""The glass that two people can break: rollouts go on in spite of freezes and gates, for a while."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Approve, BreakGlass
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.matching import IfMatch, etag, require_match
from anycastle.web.ordering import take
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import GlassAsked, GlassShape, NothingAsked, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["holding"])


@ROUTER.get("/break-glass", response_model=GlassShape)
async def glass(parts: PartsOf, response: Response) -> Any:
    """Show whether somebody asked for it, and whether a second person agreed. The ETag names this state."""
    part = (await parts.controller.kept()).glass
    response.headers["ETag"] = etag(part)
    if part is None:
        return {"asked": False}
    until = part.until if part.approved_by is not None else None
    return {
        "asked": True, "who": part.who, "reason": part.reason, "since": part.asked, "lasts_s": part.lasts_s,
        "approved_by": part.approved_by, "until": until,
    }  # fmt: skip


@ROUTER.post("/break-glass", response_model=Taken)
async def ask(request: Request, asked: GlassAsked, parts: PartsOf, asker: Asker) -> Response:
    """Ask for the glass to be broken. A second person must approve."""
    return await take(request, parts, asker, BreakGlass(asked.reason, asked.lasts_s))


@ROUTER.post("/break-glass/approve", response_model=Taken)
async def approve(
    request: Request, _: NothingAsked, parts: PartsOf, asker: Asker, if_match: IfMatch = None
) -> Response:
    """Agree, as a second person, to what was asked. If-Match is needed."""

    def check(kept: Kept) -> None:
        require_match(if_match, kept.glass, must=True)

    return await take(request, parts, asker, Approve("break-glass"), check)
