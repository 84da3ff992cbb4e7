"""An upstream over all PoPs: its sessions, and what it is told against what it is to be told, as agents said last."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anycastle.base.errors import ParseError
from anycastle.io.agent_report import report_of
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP
from anycastle.model.upstream import Upstream

Heard = Mapping[str, "Told"]
"""PoP -> what its agent said of upstreams; PoPs that were not heard are not in it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one report says, by upstream."""

    sessions: Mapping[str, tuple[Mapping[str, Any], ...]]
    wanted: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Upstream -> prefix -> attributes."""
    exported: Mapping[str, Mapping[str, Mapping[str, Any]]]
    observes: bool = False
    """It changes nothing: what it wants is not amiss for being away."""


def told_of(pop: str, said: Mapping[str, Any]) -> Told | None:
    """Give what a report says of upstreams; None where it is no report, or its router was not read yet."""
    try:
        if not report_of(dict(said), pop).booted:
            return None
    except ParseError:
        return None
    sessions: dict[str, list[Mapping[str, Any]]] = {}
    for each in said.get("sessions", ()):
        sessions.setdefault(each["upstream"], []).append(each)
    return Told(
        {name: tuple(each) for name, each in sessions.items()},
        _by_upstream(said.get("wanted", ())),
        _by_upstream(said.get("exported", ())),
        said.get("observe_only") is True,
    )


def _by_upstream(routes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for route in routes:
        found.setdefault(route["upstream"], {})[route["prefix"]] = {
            "prepend": route.get("prepend", 0),
            "med": route.get("med"),
            "communities": sorted(route.get("communities", ())),
        }
    return found


def upstreams(fleet: Fleet, heard: Heard) -> list[dict[str, Any]]:
    """Give all upstreams by their ASNs, in brief."""
    found: dict[int, list[tuple[PoP, Upstream]]] = {}
    for pop in fleet.pops:
        for each in pop.upstreams:
            found.setdefault(each.asn, []).append((pop, each))
    return [_brief(asn, places, heard) for asn, places in sorted(found.items())]


def places_of(fleet: Fleet, asked: str) -> list[tuple[PoP, Upstream]]:
    """Give where an upstream is, by its name or its ASN (`64496`, `AS64496`); nowhere is an empty list."""
    number = asked[2:] if asked[:2].upper() == "AS" else asked
    every = [(pop, each) for pop in fleet.pops for each in pop.upstreams]
    named = [(pop, each) for pop, each in every if each.name == asked]
    return named or [(pop, each) for pop, each in every if str(int(each.asn)) == number]


def whole(fleet: Fleet, places: list[tuple[PoP, Upstream]], heard: Heard) -> dict[str, Any]:
    """Give an upstream with its sessions and routes at each PoP."""
    services = {str(prefix): each.name for each in fleet.services for prefix in each.prefixes}
    return {
        "asns": sorted({int(each.asn) for _, each in places}),
        "names": sorted({each.name for _, each in places}),
        "places": [_place(pop, each, heard.get(pop.name), services) for pop, each in places],
    }


def _brief(asn: int, places: list[tuple[PoP, Upstream]], heard: Heard) -> dict[str, Any]:
    states = [
        session["state"] for pop, each in places for session in _sessions(heard.get(pop.name), each.name)
    ]  # fmt: skip
    return {
        "asn": asn,
        "names": sorted({each.name for _, each in places}),
        "kinds": sorted({each.kind.value for _, each in places}),
        "pops": len(places),
        "heard": sum(pop.name in heard for pop, _ in places),
        "sessions": len(states),
        "sessions_up": sum(state == "established" for state in states),
        "routes_missing": sum(_differing(heard.get(pop.name), each.name) for pop, each in places),
    }


def _sessions(told: Told | None, upstream: str) -> tuple[Mapping[str, Any], ...]:
    return () if told is None else told.sessions.get(upstream, ())


def _differing(told: Told | None, upstream: str) -> int:
    """Count the prefixes that are not told as they are to be, or told though they should not."""
    if told is None or told.observes:
        return 0
    wanted, exported = told.wanted.get(upstream, {}), told.exported.get(upstream, {})
    return sum(wanted.get(prefix) != exported.get(prefix) for prefix in wanted.keys() | exported.keys())


def _place(pop: PoP, upstream: Upstream, told: Told | None, services: Mapping[str, str]) -> dict[str, Any]:
    return {
        "pop": pop.name, "city": pop.city, "upstream": upstream.name, "asn": int(upstream.asn),
        "kind": upstream.kind.value, "heard": told is not None, "hold_time_s": upstream.hold_time_s,
        "bfd": upstream.bfd, "max_prefixes": upstream.max_prefixes, "takes_prefixes": upstream.takes_prefixes,
        "capacity_bps": upstream.capacity_bps,
        "sessions": [
            {"neighbour": each["neighbour"], "state": each["state"], "families": list(each.get("families", ())),
             "detail": each.get("detail", ""), "graceful_restart": each.get("graceful_restart")}
            for each in _sessions(told, upstream.name)
        ],
        "routes": [] if told is None else list(_routes(told, upstream.name, services)),
    }  # fmt: skip


def _routes(told: Told, upstream: str, services: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    wanted, exported = told.wanted.get(upstream, {}), told.exported.get(upstream, {})
    for prefix in sorted(wanted.keys() | exported.keys()):
        yield {
            "prefix": prefix, "service": services.get(prefix), "wanted": wanted.get(prefix),
            "exported": exported.get(prefix),
        }  # fmt: skip
