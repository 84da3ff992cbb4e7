"""What the watch sees of the Internet: its findings, and the routes of a prefix over time."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from anycastle.base.errors import ParseError
from anycastle.io.watched import Found, routes_in
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, require
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.seen_shapes import FindingsShape, RoutesShape

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["watch"])

_ROUTES: Final = "/routes/{network}/{length}"


@ROUTER.get("/findings", response_model=FindingsShape)
async def findings(parts: PartsOf, asker: Asker) -> Any:
    """List what watches on the controller's machine find, the open ones first; `watched` is false without a watch."""
    found = await parts.watched.findings()
    fleet = None if asker.grant.services is None else await parts.desired()
    if asker.grant.services is not None:
        found = [each for each in found if asker.grant.covers(_services(fleet, each.told.get("prefixes", ())))]
    return {"watched": parts.watched.has_logs, "items": [_plain(each) for each in found]}


@ROUTER.get(_ROUTES, response_model=RoutesShape)
async def routes(
    parts: PartsOf,
    asker: Asker,
    network: Annotated[str, Path(max_length=50)],
    length: Annotated[int, Path(ge=0, le=128)],
) -> Any:
    """Show what each peer of the watch saw of a prefix over time, as RIPEstat's BGPlay does."""
    try:
        prefix = parse_prefix(f"{network}/{length}")
    except ParseError as error:
        raise Problem(ProblemKind.INVALID, f"the prefix cannot be read: {error}") from error
    if asker.grant.services is not None:
        require(TABLE[f"GET /api/v1{_ROUTES}"], asker.grant, _services(await parts.desired(), (str(prefix),)))
    told = await parts.watched.routes(prefix)
    if told is None:
        raise Problem(ProblemKind.NOT_FOUND, f"no watch of this controller has seen {prefix}")
    return {
        "prefix": str(prefix),
        "from": told["query_starttime"],
        "to": told["query_endtime"],
        "sources": [{"id": each["id"], "asn": each["as_number"], "collector": each["rrc"]} for each in told["sources"]],
        "origins": [{"asn": each["as_number"], "first": each["first"]} for each in told["origins"]],
        "changes": [
            {"at": told["query_starttime"], "source": each["source_id"], "path": each["path"]}
            for each in told["initial_state"]
        ]
        + [
            {"at": each["timestamp"], "source": each["attrs"]["source_id"], "path": each["attrs"].get("path")}
            for each in told["events"]
        ],
    }


def _services(fleet: Fleet | None, prefixes: tuple[str, ...] | list[str]) -> frozenset[str]:
    """Give the services whose prefixes these overlap; one that overlaps none stands for itself: it is nobody's."""
    names: set[str] = set()
    for text in prefixes:
        prefix = _parsed(text)
        own = {
            each.name
            for each in (fleet.services if fleet is not None and prefix is not None else ())
            if any(one.overlaps(prefix) for one in each.prefixes)  # type: ignore[arg-type]  # it is none of None
        }
        names |= own or {text}
    return frozenset(names)


def _parsed(text: str) -> Prefix | None:
    try:
        return parse_prefix(text)
    except ParseError:
        return None


def _plain(found: Found) -> dict[str, Any]:
    return {
        "finding": found.finding,
        "kind": found.kind,
        "subject": found.subject,
        "opened": found.opened,
        "cleared": found.cleared,
        **found.told,
        "evidence": found.evidence,
        "routes": routes_in(found.evidence),
    }
