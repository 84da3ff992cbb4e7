"""What PoPs were told to drain, or to serve again, and what they said to it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from anycastle.rollout.kept import AgentOrder
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import AgentOrders

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["drains"])


@ROUTER.get("/orders", response_model=AgentOrders)
async def orders(
    parts: PartsOf,
    asker: Asker,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Any:
    """List orders to PoPs, the newest first: those that wait for an answer, and the last that were answered."""
    kept = await parts.controller.kept()
    seen = [
        _plain(each)
        for number, each in sorted(kept.orders.items(), reverse=True)
        if (cursor is None or number < cursor) and asker.grant.covers(frozenset(each.services))
    ]
    return {"items": seen[:limit], "next": seen[limit - 1]["number"] if len(seen) > limit else None}


def _plain(order: AgentOrder) -> dict[str, Any]:
    return {
        "number": order.number, "pop": order.pop, "kind": order.kind.value, "services": list(order.services),
        "who": order.who, "reason": order.reason, "soak_s": order.soak_s, "wait_s": order.wait_s,
        "expires": order.expires, "answer": order.answer,
    }  # fmt: skip
