"""The twin: what a change of announcements would move, before anybody makes it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from fastapi import APIRouter

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.io.config.units import parse_capacity
from anycastle.io.foretelling import AGAIN_S, WAITING_MAX, Crowded, TwinQuestion
from anycastle.io.store.port import NotLeading
from anycastle.model.announcement import RouteAttributes
from anycastle.model.community import Community, parse_community
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.service import Service
from anycastle.model.upstream import Upstream
from anycastle.rollout.as_announced import fleet_as_announced
from anycastle.rollout.difference import attribute_texts
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.what_if import WhatIf, known_routes, routes_if
from anycastle.web.admission import Admitted, problem_answers
from anycastle.web.authorisation import TABLE, require
from anycastle.web.exports import Exports
from anycastle.web.identity import Asker
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.twin_shapes import ShiftAsked, ShiftShape

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["twin"])

Routes = Mapping[RouteKey, RouteAttributes]


@ROUTER.post("/twin/shift", response_model=ShiftShape, responses=problem_answers(408, 409, 413, 415))
async def shift(asked: ShiftAsked, parts: PartsOf, asker: Asker) -> Any:
    """Tell what switched PoPs, prepends and communities would move, from what routers export now. Nothing changes."""
    require(TABLE["POST /api/v1/twin/shift"], asker.grant, frozenset({asked.service}))
    if parts.foreteller is None:
        raise Problem(ProblemKind.NO_GRAPH, "this controller has no graph to foretell by")
    revision = (await parts.controller.kept()).desired.revision
    fleet = await parts.fleets.fleet(revision)
    service = next((each for each in (fleet.services if fleet else ()) if each.name == asked.service), None)
    if fleet is None or service is None:
        raise Problem(ProblemKind.NOT_FOUND, f"no service is named {asked.service}")
    prefix = _prefix(asked, service)
    tried = WhatIf(frozenset(asked.off), frozenset(asked.on), asked.prepends, _communities(asked, fleet))
    heard = await _heard(parts, service)
    now = known_routes(fleet, service, prefix, heard)
    after = routes_if(fleet, service, prefix, now, tried)
    key = _key(revision, asked, prefix, now, after)
    offered = None if asked.load is None else parse_capacity(asked.load)
    before, then = (_announcing(fleet, service, prefix, routes) for routes in (now, after))
    told = await _foretold(parts, TwinQuestion(before, then, service.name, prefix, offered, key))
    unheard = [pop for pop in service.pops if pop not in heard]
    return {**told, "routes": list(_routes(fleet, service, prefix, now, after)), "unheard": unheard}


async def _foretold(parts: Parts, question: TwinQuestion) -> Mapping[str, Any]:
    assert parts.foreteller is not None
    try:
        return await parts.foreteller.ask(question)
    except Crowded as error:
        words = f"the twin answers one question after the other, and {WAITING_MAX} wait already"
        raise Problem(ProblemKind.TOO_MANY, words, headers={"Retry-After": str(AGAIN_S)}) from error
    except WorldError as error:
        raise Problem(ProblemKind.UNAVAILABLE, f"the twin does not answer: {error}") from error


async def _heard(parts: Parts, service: Service) -> dict[str, Exports]:
    agents = parts.controller.agents
    if agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    read = await parts.exports.read(agents, service.pops)
    return {pop: exports for pop, exports in read.items() if exports is not None}


def _key(revision: str, asked: ShiftAsked, prefix: Prefix, now: Routes, after: Routes) -> str:
    """Name a question by all that its answer depends on: the fleet's files, and what is announced of the prefix."""
    lines = [revision, asked.service, str(prefix), str(asked.load)]
    for routes in (now, after):
        lines += ["", *(f"{key} {attribute_texts(told)}" for key, told in sorted(routes.items()))]
    return sha256("\n".join(lines).encode()).hexdigest()


def _announcing(fleet: Fleet, service: Service, prefix: Prefix, routes: Routes) -> Fleet:
    """Give the fleet with these routes, and this service alone: fifty others are a megabyte that nobody looks at."""
    made = fleet_as_announced(fleet, service.name, prefix, routes)
    return replace(made, services=tuple(each for each in made.services if each.name == service.name))


def _prefix(asked: ShiftAsked, service: Service) -> Prefix:
    if asked.prefix is None:
        return service.prefixes[0]
    prefix = parse_prefix(asked.prefix)
    if prefix not in service.prefixes:
        known = ", ".join(map(str, service.prefixes[:8]))
        raise MisuseError(f"{prefix} is no prefix of the service {service.name}; its are: {known}")
    return prefix


def _communities(asked: ShiftAsked, fleet: Fleet) -> dict[str, frozenset[Community]]:
    """Give the communities that are tried. Raises `MisuseError` with a line for each word that nobody knows."""
    upstreams = {f"{pop.name}/{each.name}": each for pop in fleet.pops for each in pop.upstreams}
    found, problems = dict[str, frozenset[Community]](), list[str]()
    for place, words in asked.communities.items():
        meant = [_meant(word, upstreams.get(place)) for word in words]
        found[place] = frozenset(each for each in meant if each is not None)
        problems += [
            f"{word!r} is neither a community nor in the vocabulary of {place}"
            for word, each in zip(words, meant, strict=True)
            if each is None
        ]
    if problems:
        raise MisuseError("\n".join(["what is tried cannot be:", *problems]))
    return found


def _meant(word: str, upstream: Upstream | None) -> Community | None:
    if upstream is not None and word in upstream.vocabulary:
        return upstream.vocabulary[word]
    try:
        return parse_community(word)
    except ParseError:
        return None


def _routes(fleet: Fleet, service: Service, prefix: Prefix, now: Routes, after: Routes) -> Iterator[dict[str, Any]]:
    places = {pop.name: pop for pop in fleet.pops}
    for name in service.pops:
        for upstream in places[name].upstreams:
            key = RouteKey(name, upstream.name, prefix)
            told = {"now": _route(now.get(key)), "after": _route(after.get(key))}
            yield {"pop": name, "upstream": upstream.name, "asn": upstream.asn, **told}


def _route(told: RouteAttributes | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {"prepend": told.prepend, "communities": sorted(map(str, told.communities))}
