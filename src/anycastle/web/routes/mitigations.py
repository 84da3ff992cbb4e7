"""What is announced against a hijack, or that this ends."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.base.errors import ParseError
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import Mitigate
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, Rule, require
from anycastle.web.identity import Asker, Person
from anycastle.web.ordering import take
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import MitigationAsked, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["mitigations"])


@ROUTER.post("/mitigations", response_model=Taken, status_code=201)
async def mitigate(request: Request, asked: MitigationAsked, parts: PartsOf, asker: Asker) -> Response:
    """Announce the approved more-specifics of a hijacked prefix. It is a rollout that a second person must approve."""
    return await _take(request, asked, parts, asker, TABLE["POST /api/v1/mitigations"], end=False)


@ROUTER.post("/mitigations/end", response_model=Taken, status_code=201)
async def end(request: Request, asked: MitigationAsked, parts: PartsOf, asker: Asker) -> Response:
    """Announce them no more."""
    return await _take(request, asked, parts, asker, TABLE["POST /api/v1/mitigations/end"], end=True)


async def _take(
    request: Request, asked: MitigationAsked, parts: Parts, asker: Person, rule: Rule, *, end: bool
) -> Response:
    try:
        prefix = parse_prefix(asked.prefix)
    except ParseError as error:
        errors = [{"pointer": "/prefix", "detail": str(error)}]
        raise Problem(ProblemKind.INVALID, "the prefix cannot be read", {"errors": errors}) from error
    if asker.grant.services is not None:
        require(rule, asker.grant, await _concerned(parts, await parts.controller.kept(), prefix))
    wish = Mitigate(prefix, asked.reason, end)
    return await take(request, parts, asker, wish, status=201, location="/api/v1/rollouts/{}")


async def _concerned(parts: Parts, kept: Kept, prefix: Prefix) -> frozenset[str]:
    """Give the services with a prefix that overlaps."""
    names: set[str] = set()
    for revision in kept.desired.revisions:
        fleet = await parts.fleets.fleet(revision)
        for service in fleet.services if fleet is not None else ():
            if any(each.overlaps(prefix) for each in service.prefixes):
                names.add(service.name)
    return frozenset(names)
