"""A fleet as it announces one prefix really: what a prediction starts from, and where a plan leads."""

from collections.abc import Mapping
from dataclasses import replace

from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.model.service import Policy
from anycastle.rollout.difference import Change
from anycastle.rollout.intent import RouteKey


def fleet_as_announced(fleet: Fleet, service: str, prefix: Prefix, routes: Mapping[RouteKey, RouteAttributes]) -> Fleet:
    """Give the fleet with just these routes as the policies of a service. PoPs that it does not have are left out."""
    there = {key.pop for key in routes if key.prefix == prefix}
    chosen = next(each for each in fleet.services if each.name == service)
    names = tuple(dict.fromkeys([*chosen.pops, *(pop.name for pop in fleet.pops if pop.name in there)]))
    policies = {
        (pop.name, upstream.name): _policy(routes.get(RouteKey(pop.name, upstream.name, prefix)))
        for pop in fleet.pops
        if pop.name in names
        for upstream in pop.upstreams
    }
    made = replace(chosen, pops=names, policies=policies)
    return replace(fleet, services=tuple(made if each.name == service else each for each in fleet.services))


def routes_after(
    exported: Mapping[RouteKey, RouteAttributes], changes: tuple[Change, ...]
) -> dict[RouteKey, RouteAttributes]:
    """Give what is announced once the changes are made."""
    routes = dict(exported)
    for change in changes:
        if change.after is None:
            routes.pop(change.key, None)
        else:
            routes[change.key] = change.after
    return routes


def _policy(attributes: RouteAttributes | None) -> Policy:
    return Policy(announce=False) if attributes is None else Policy(attributes=attributes)
