"""Who asked for what, and what came of it."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from anycastle.web.admission import Admitted
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import Audit

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["people"])


@ROUTER.get("/audit", response_model=Audit)
async def audit(
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    who: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = None,
) -> Any:
    """List the audit, the newest first. That you looked is in it from now on."""
    rows = await parts.people.audit(limit, cursor, who)
    return {"items": [asdict(row) for row in rows], "next": rows[-1].number if len(rows) == limit else None}
