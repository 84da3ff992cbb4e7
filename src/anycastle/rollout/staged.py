"""From a revision of the fleet folder to the order that rolls it out: its units in steps, and who must approve."""

from collections.abc import Iterator, Sequence

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Prefix
from anycastle.rollout.desired import DefinitionKey, Desired, Unit
from anycastle.rollout.fleet_composer import FleetComposer
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.limits import BlastLimits, extent_of
from anycastle.rollout.orders import RolloutPolicy, StartRollout
from anycastle.rollout.staging import stage_units


def start_of(
    composer: FleetComposer,
    desired: Desired,
    revision: str,
    reason: str,
    policy: RolloutPolicy = RolloutPolicy(),
    limits: BlastLimits = BlastLimits(),
    canary_upstreams: Sequence[str] = (),
    concerning: frozenset[Prefix] | None = None,
) -> StartRollout:
    """Give the order that leads from what is desired to a revision. Raises `MisuseError` where nothing differs.

    With `concerning`, only what concerns these prefixes is led there.
    """
    units = composer.differing(desired, revision, concerning)
    if not units:
        raise MisuseError(f"nothing differs: what is desired is what revision {revision} says already")
    fleet = composer.in_force(Desired(revision))
    extent = extent_of(fleet, composer.live(desired.with_units(units, revision)))
    leaving = frozenset(unit for unit in units if composer.content(unit, revision) is None)
    steps = stage_units(units, leaving, fleet, extent, limits, canary_upstreams)
    marks = tuple(_marks(composer, desired, revision))
    return StartRollout(revision, steps, _prefixes(composer, desired, revision, units), reason, policy, marks)


def _prefixes(composer: FleetComposer, desired: Desired, revision: str, units: frozenset[Unit]) -> frozenset[Prefix]:
    """Give all prefixes that units concern: a route its own, a service all of its, and a PoP all that it serves."""
    routes = {unit.prefix for unit in units if isinstance(unit, RouteKey)}
    definitions = [unit for unit in units if isinstance(unit, DefinitionKey)]
    places = {unit.pop for unit in definitions if not unit.service}
    names = {unit.service for unit in definitions}
    for each in composer.services([*sorted(desired.revisions), revision]):
        if each.name in names or not places.isdisjoint(each.pops):
            routes.update(each.prefixes)
    return frozenset(routes)


def _marks(composer: FleetComposer, desired: Desired, revision: str) -> Iterator[str]:
    """Give why a second person must approve: a service that leaves all its PoPs, or a floor that is lowered."""
    ended = composer.announced(desired.revisions) - composer.announced([revision])
    yield from (f"it ends {name} at every PoP" for name in sorted(ended))
    floors = {each.name: each.floor for each in composer.in_force(Desired(revision)).services}
    for service in composer.in_force(desired).services:
        floor = floors.get(service.name, service.floor)
        if floor.pops < service.floor.pops or floor.capacity < service.floor.capacity:
            yield f"it lowers the floor of {service.name}"
