"""Messages to notifiers that were not taken: those that wait, and the dead letters, which can be sent again."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from anycastle.response.orders import SendAgain
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.incident_shapes import Deliveries, Responded, RetryAsked
from anycastle.web.ordering import respond
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["incidents"])


@ROUTER.get("/deliveries", response_model=Deliveries)
async def deliveries(
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=210)] = None,
    state: Annotated[Literal["waiting", "dead"] | None, Query(description="Both where none is named.")] = None,
) -> Any:
    """List the messages that no notifier took, the dead letters first. What was taken is in the log: `notice_sent`."""
    found = [each for each in (await parts.incidents.deliveries()).plain() if state in (None, each["state"])]
    rest = [each for each in found if cursor is None or _place(each) > cursor]
    return {"items": rest[:limit], "next": _place(rest[limit - 1]) if len(rest) > limit else None}


def _place(delivery: dict[str, Any]) -> str:
    """Give where it stands in the list: a dead one stays before one that waits, whatever was sent meanwhile."""
    return f"{delivery['state']}/{delivery['key']}"


@ROUTER.post("/deliveries/retry", response_model=Responded)
async def retry(request: Request, asked: RetryAsked, parts: PartsOf, asker: Asker) -> Response:
    """Send dead letters again, once what kept them was mended. One that is no dead letter refuses all."""
    if (asked.keys is None) is not asked.all:
        errors = [{"pointer": "/keys", "detail": "name the letters, or say `all`; not both"}]
        raise Problem(ProblemKind.INVALID, "which letters is not said", {"errors": errors})
    return await respond(request, parts, asker, SendAgain(None if asked.all else tuple(asked.keys or ())))
