"""Rollouts: those that there are, and a new one."""

from collections.abc import Collection
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from anycastle.base.errors import ParseError
from anycastle.io.controller_json import rollout_plain
from anycastle.rollout.gates import Gate, gate_to_ask
from anycastle.rollout.kept import Kept
from anycastle.rollout.orders import RollOut, RolloutPolicy
from anycastle.rollout.plan import Basis, FolderRevision
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, Rule, require
from anycastle.web.concerned import concerned_by, concerned_by_start
from anycastle.web.identity import Asker, Person
from anycastle.web.matching import etag
from anycastle.web.ordering import take
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import BasisAsked, PolicyAsked, RollOutAsked, Rollouts, RolloutShape, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["rollouts"])

Number = Annotated[int, Path(ge=1, le=2**53)]


@ROUTER.get("/rollouts", response_model=Rollouts)
async def rollouts(
    parts: PartsOf,
    asker: Asker,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Any:
    """List rollouts, the newest first: those that concern none but the services that you may see."""
    kept = await parts.controller.kept()
    items: list[dict[str, Any]] = []
    for number in sorted(kept.rollouts, reverse=True):
        if cursor is not None and number >= cursor:
            continue
        if asker.grant.services is not None:
            concerned = await concerned_by(parts.fleets, kept, kept.rollouts[number])
            if not (concerned and asker.grant.covers(concerned)):
                continue
        if len(items) == limit:
            return {"items": items, "next": items[-1]["number"]}
        items.append(_shown(kept, number))
    return {"items": items, "next": None}


@ROUTER.get("/rollouts/{number}", response_model=RolloutShape)
async def one_rollout(parts: PartsOf, asker: Asker, number: Number, response: Response) -> Any:
    """Show a rollout. Its ETag names this state of it."""
    kept = await require_rollout(parts, asker, TABLE["GET /api/v1/rollouts/{number}"], number)
    response.headers["ETag"] = etag(kept.rollouts[number])
    return _shown(kept, number)


@ROUTER.post("/rollouts", response_model=Taken, status_code=201)
async def start(request: Request, asked: RollOutAsked, parts: PartsOf, asker: Asker) -> Response:
    """Roll a stored revision out: the controller finds the steps, and says whether a second person must approve."""
    policy = RolloutPolicy(
        asked.policy.bake_s, asked.policy.patience_s, _gates(asked.policy, parts.controller.indicators)
    )
    wish = RollOut(
        asked.revision, asked.reason, policy, tuple(asked.canary_upstreams), frozenset(asked.retiring),
        _basis(asked.basis),
    )  # fmt: skip
    kept = await parts.controller.kept()
    concerned = await concerned_by_start(parts.fleets, kept, asked.revision)
    if asker.grant.services is not None:
        require(TABLE["POST /api/v1/rollouts"], asker.grant, concerned)

    def check(present: Kept) -> None:
        if asker.grant.services is not None and present.desired != kept.desired:
            raise Problem(ProblemKind.CONFLICT, "what is desired changed while this was looked at")

    return await take(request, parts, asker, wish, check, status=201, location="/api/v1/rollouts/{}")


def _shown(kept: Kept, number: int) -> dict[str, Any]:
    rollout = kept.rollouts[number]
    return {**rollout_plain(rollout, kept.waits_for.get(number, "")), "before": sorted(set(rollout.before.values()))}


async def require_rollout(parts: Parts, asker: Person, rule: Rule, number: int) -> Kept:
    """Give how things stand, with a rollout that somebody may see or order. Raises `Problem`."""
    kept = await parts.controller.kept()
    rollout = kept.rollouts.get(number)
    if rollout is None:
        raise Problem(ProblemKind.NOT_FOUND, f"there is no rollout {number}")
    if asker.grant.services is not None:
        require(rule, asker.grant, await concerned_by(parts.fleets, kept, rollout))
    return kept


def _basis(asked: BasisAsked | None) -> Basis | None:
    if asked is None:
        return None
    folder = FolderRevision(asked.folder.commit, asked.folder.dirty, asked.folder.digest)
    return Basis(folder, asked.live, asked.pops, asked.inputs)


def _gates(policy: PolicyAsked, known: Collection[str]) -> tuple[Gate, ...]:
    errors, gates = [], []
    for place, text in enumerate(policy.gates):
        try:
            gates.append(gate_to_ask(text, known))
        except ParseError as error:
            errors.append({"pointer": f"/policy/gates/{place}", "detail": str(error)})
    if errors:
        raise Problem(ProblemKind.INVALID, "gates cannot be asked", {"errors": errors})
    return tuple(gates)
