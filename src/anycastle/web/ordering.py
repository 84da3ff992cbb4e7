"""From an endpoint to the controller: an order with who gave it, taken once, and its answer kept with it."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from anycastle.io.store.port import Once
from anycastle.response.orders import ResponseOrder
from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Order, Wish
from anycastle.web.identity import Person
from anycastle.web.keyed import Keyed, answer_of
from anycastle.web.parts import Parts


def keyed_state(request: Request) -> Keyed:
    """Give the key of a request that was admitted with one."""
    keyed: Keyed = request.state.keyed
    return keyed


async def take(
    request: Request,
    parts: Parts,
    asker: Person,
    order: Order | Wish,
    check: Callable[[Kept], None] | None = None,
    *,
    status: int = 200,
    location: str | None = None,
) -> Response:
    """Have an order taken; answer with its number. `location` may hold a place for the number."""
    keyed = keyed_state(request)

    def answered(number: int) -> Any:
        return keyed.once(status, {"number": number}, location and location.format(number))

    number = await parts.controller.order(order, asker.principal, check=check, once=answered)
    return answer_of(answered(number))


async def respond(request: Request, parts: Parts, asker: Person, order: ResponseOrder) -> Response:
    """Have something done with incidents or dead letters; answer with the keys of letters that are sent again."""
    keyed = keyed_state(request)

    def answered(keys: tuple[str, ...]) -> Once:
        return keyed.once(200, {"again": list(keys)})

    return answer_of(answered(await parts.controller.respond(order, asker.principal, answered)))
