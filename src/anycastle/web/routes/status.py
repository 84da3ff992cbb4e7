"""What the public is told: a page for people, and the same for programs. Anyone may ask, and sees what is named."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from anycastle.io.clock import now
from anycastle.io.status_page import POLICY, page
from anycastle.web.admission import Admitted
from anycastle.web.parts import PartsOf
from anycastle.web.public_board import board
from anycastle.web.status_shapes import SummaryShape

ROUTER: Final = APIRouter(route_class=Admitted, tags=["status"])

_HTML: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


@ROUTER.get("/api/v1/status/summary.json", response_model=SummaryShape)
async def summary(parts: PartsOf) -> Any:
    """Tell how the public components stand, in Statuspage's shape; 404 where the fleet's files make none public."""
    return await board(parts)


@ROUTER.get("/status", response_class=HTMLResponse, responses=_HTML)
async def status(parts: PartsOf) -> Response:
    """Show the public status page: one file that loads and runs nothing."""
    text = page(await board(parts), now().wall)
    return HTMLResponse(text, headers={"Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'"})
