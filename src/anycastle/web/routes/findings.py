"""What the watch sees of the Internet: its findings, and the routes of a prefix over time."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.findings_lines import WATCH_NAME, parse_telling
from anycastle.io.told_findings import SILENT_S, Telltale
from anycastle.io.watched import Found, in_order, routes_in
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, require
from anycastle.web.handing_in import LINES, term_of
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.seen_shapes import EventsTaken, FindingsShape, RoutesShape

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["watch"])

_ROUTES: Final = "/routes/{network}/{length}"


@ROUTER.get("/findings", response_model=FindingsShape)
async def findings(parts: PartsOf, asker: Asker) -> Any:
    """List what watches find, the open ones first, and which of them are silent; `watched` is false without a watch."""
    found = in_order([*await parts.watched.findings(), *await parts.told.findings()])
    watches = await parts.told.watches()
    fleet = None if asker.grant.services is None else await parts.desired()
    if asker.grant.services is not None:
        found = [each for each in found if asker.grant.covers(_services(fleet, each.told.get("prefixes", ())))]
    return {
        "watched": parts.watched.has_logs or bool(watches),
        "watches": [_watch(watches[name], now().wall) for name in sorted(watches)],
        "items": [_plain(each) for each in found],
    }


@ROUTER.post("/findings/events", response_model=EventsTaken, openapi_extra=LINES)
async def tell(request: Request, parts: PartsOf, asker: Asker) -> Any:
    """Take events of findings of a watch on another machine: a line that says which rows of its log, then the rows."""
    told = parse_telling(await request.body())
    if told.problems:
        errors = [{"in": "body", "pointer": f"/{number}", "detail": text} for number, text in told.problems]
        raise Problem(ProblemKind.INVALID, f"{len(errors)} lines cannot be used", {"errors": errors})
    taken = await parts.told.take(told, asker.principal, now().wall, term_of(parts))
    far = taken.far
    return {
        "log": far.log, "sequence": far.sequence, "hash": far.hash, "events": taken.events, "repeated": taken.repeated,
    }  # fmt: skip


@ROUTER.delete("/findings/watches/{watch}", status_code=204)
async def forget(parts: PartsOf, watch: Annotated[str, Path(pattern=WATCH_NAME)]) -> None:
    """Forget a watch that is no more, and what it found."""
    if not await parts.told.forget(watch, term_of(parts)):
        raise Problem(ProblemKind.NOT_FOUND, f"no watch {watch} told anything")


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
        "watch": found.watch,
        "kind": found.kind,
        "subject": found.subject,
        "opened": found.opened,
        "cleared": found.cleared,
        **found.told,
        "evidence": found.evidence,
        "routes": routes_in(found.evidence),
    }


def _watch(watch: Telltale, wall: Timestamp) -> dict[str, Any]:
    return {
        "name": watch.name, "heard": watch.heard, "silent": wall - watch.heard > SILENT_S,
        "sequence": watch.far.sequence, "beyond": watch.beyond,
    }  # fmt: skip
