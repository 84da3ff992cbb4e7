"""Tokens of the API. A token's text is in one answer, once."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from anycastle.io.store.people import TokenNote, new_token
from anycastle.model.person import Grant, Role
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.ordering import keyed_state
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Name, TokenAsked, TokenMade, Tokens

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["people"])


@ROUTER.get("/tokens", response_model=Tokens)
async def tokens(
    parts: PartsOf, limit: Annotated[int, Query(ge=1, le=500)] = 100, cursor: Annotated[Name | None, Query()] = None
) -> Any:
    """List tokens by name, also those that are over; never their texts."""
    notes = await parts.people.tokens(limit, cursor or "")
    return {"items": [_plain(note) for note in notes], "next": notes[-1].name if len(notes) == limit else None}


@ROUTER.post("/tokens", response_model=TokenMade, status_code=201)
async def make(request: Request, asked: TokenAsked, parts: PartsOf, asker: Asker) -> Response:
    """Make a token. Whoever is limited to services cannot come here, so no token is worth more than its maker's."""
    grant = Grant(Role(asked.role), None if asked.services is None else frozenset(asked.services))
    if grant.futile:
        raise Problem(ProblemKind.INVALID, grant.futile)
    principal = asked.principal or asker.principal
    note, secret = new_token(asked.name, grant, principal, asker.name, asked.lasts_s)
    told = TokenMade(name=note.name, token=None, expires=note.expires)  # type: ignore[arg-type]  # pydantic reads it
    kept = keyed_state(request).once(201, told.model_dump(mode="json"))
    await parts.people.add_token(note, secret, term=parts.controller.term(), once=kept)
    return JSONResponse({**told.model_dump(mode="json"), "token": secret}, 201, {"Cache-Control": "no-store"})


@ROUTER.delete("/tokens/{name}", status_code=204)
async def revoke(parts: PartsOf, asker: Asker, name: Annotated[Name, Path()]) -> None:
    """End a token, now. Streams that it opened end within a heartbeat."""
    if not await parts.people.revoke_token(name, asker.name, term=parts.controller.term()):
        raise Problem(ProblemKind.NOT_FOUND, f"no token is named {name}")


def _plain(note: TokenNote) -> dict[str, Any]:
    services = note.grant.services
    return {
        "name": note.name, "role": note.grant.role.value, "services": None if services is None else sorted(services),
        "principal": note.principal, "created": note.created, "created_by": note.created_by, "expires": note.expires,
        "last_used": note.last_used, "revoked": note.revoked, "revoked_by": note.revoked_by,
    }  # fmt: skip
