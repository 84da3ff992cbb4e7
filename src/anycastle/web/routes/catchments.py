"""Catchments: what probers deliver of them, what the twin foretells, and both side by side."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.base.errors import ParseError
from anycastle.io.clock import now
from anycastle.io.observed import Foretold, Seen
from anycastle.model.prefix import parse_address
from anycastle.model.service import Service
from anycastle.probe.course import Way
from anycastle.web.admission import Admitted
from anycastle.web.handing_in import LINES, term_of
from anycastle.web.identity import Asker, Person
from anycastle.web.keyed import answer_of
from anycastle.web.ordering import keyed_state
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.seen_shapes import CatchmentsShape, PredictionAsked, ResultsTaken, Traceroutes
from anycastle.web.shapes import Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["catchments"])

GARBAGE_SHOWN: Final = 10


@ROUTER.post("/probes/results", response_model=ResultsTaken, openapi_extra=LINES)
async def results(request: Request, parts: PartsOf) -> Any:
    """Take results of a prober, a line of JSON each: which PoP answered, and traceroutes. Others are passed over."""
    taken = await parts.observed.take(await request.body(), term_of(parts))
    return {
        "results": taken.results,
        "repeated": taken.repeated,
        "passed_over": taken.passed_over,
        "garbage": taken.garbage[:GARBAGE_SHOWN],
    }


@ROUTER.get("/catchments", response_model=CatchmentsShape)
async def catchments(parts: PartsOf, asker: Asker) -> Any:
    """Show which PoP each vantage point reached, over time, beside what the twin foretold."""
    foretold = await parts.observed.foretold()
    seen = await _seen(parts, asker)
    return {
        "items": [_vantage(each, service, foretold.get(service or "")) for each, service in seen if each.course.turns],
        "predictions": [
            {"service": each.service, "at": each.at, "who": each.who, "source": each.source,
             "networks": len(each.pop_of)}
            for each in foretold.values()
            if asker.grant.covers(frozenset({each.service}))
        ],
    }  # fmt: skip


@ROUTER.get("/traceroutes", response_model=Traceroutes)
async def traceroutes(parts: PartsOf, asker: Asker) -> Any:
    """Show by which routers packets went from each vantage point, over time."""
    seen = await _seen(parts, asker)
    return {
        "items": [
            {"vantage_point": each.vantage_point, "target": each.target, "service": service, "asn": each.asn,
             "ways": [_way(way) for way in each.course.ways]}
            for each, service in seen
            if each.course.ways
        ]
    }  # fmt: skip


@ROUTER.post("/predictions", response_model=Taken, status_code=201)
async def predict(request: Request, asked: PredictionAsked, parts: PartsOf, asker: Asker) -> Response:
    """Keep where the twin says that each AS lands, in the place of what was kept of the service."""
    pop_of = {int(asn): pop for asn, pop in asked.pop_of.items()}
    once = keyed_state(request).once(201, {"number": len(pop_of)})
    foretold = Foretold(asked.service, now().wall, asker.principal, asked.source, pop_of)
    await parts.observed.foretell(foretold, term_of(parts), once)
    return answer_of(once)


async def _seen(parts: Parts, asker: Person) -> list[tuple[Seen, str | None]]:
    """Give what was seen, each with the service that its target is of, within what somebody may see."""
    fleet = await parts.desired()
    services = () if fleet is None else fleet.services
    told = [(each, _service_of(each.target, services)) for each in await parts.observed.all()]
    if asker.grant.services is None:
        return told
    return [(each, service) for each, service in told if service is not None and service in asker.grant.services]


def _service_of(target: str, services: tuple[Service, ...]) -> str | None:
    try:
        address = parse_address(target)
    except ParseError:
        return None
    return next((each.name for each in services if any(prefix.contains(address) for prefix in each.prefixes)), None)


def _vantage(seen: Seen, service: str | None, foretold: Foretold | None) -> dict[str, Any]:
    latitude, longitude = seen.location or (None, None)
    return {
        "vantage_point": seen.vantage_point,
        "target": seen.target,
        "service": service,
        "asn": seen.asn,
        "country": seen.country,
        "latitude": latitude,
        "longitude": longitude,
        "predicted": None if foretold is None or seen.asn is None else foretold.pop_of.get(seen.asn),
        "lost": seen.course.lost,
        "turns": [
            {"pop": turn.pop, "first": turn.first, "last": turn.last, "rtt_ms": turn.rtt_ms}
            for turn in seen.course.turns
        ],
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "hops": way.hops, "rtts_ms": way.rtts_ms, "reached": way.reached, "first": way.first, "last": way.last,
    }  # fmt: skip
