"""Which services a thing concerns, for those whose role is limited to some; and the fleets that tell it."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from anycastle.io.store.port import Store
from anycastle.io.stored_folders import StoredFolders, checked_revision
from anycastle.model.fleet import Fleet
from anycastle.model.service import Service
from anycastle.response.incident import Incident
from anycastle.rollout.desired import NOTHING_DESIRED, DefinitionKey
from anycastle.rollout.kept import Kept
from anycastle.rollout.rollout import Rollout
from anycastle.web.problems import Problem, ProblemKind

KEPT: Final = 8
"""Fleets that are kept: those of the revisions that rollouts are between."""


class Fleets:
    """The fleets of stored revisions. One is read at a time."""

    def __init__(self, store: Store) -> None:
        self._folders = StoredFolders(store)
        self._kept: OrderedDict[str, Fleet] = OrderedDict()
        self._lock = asyncio.Lock()

    async def fleet(self, revision: str) -> Fleet | None:
        """Give the fleet of a revision; None where it is not stored. Raises `WorldError` where it cannot be read."""
        if revision == NOTHING_DESIRED:
            return None
        async with self._lock:
            if revision in self._kept:
                self._kept.move_to_end(revision)
                return self._kept[revision]
            fleet = await self._folders.fleet(revision)
            if fleet is not None:
                self._kept[revision] = fleet
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return fleet

    async def check(self, files: Mapping[str, bytes]) -> str:
        """Give the revision of a folder's files. Raises `MisuseError` with every finding where they cannot be used."""
        async with self._lock:
            return await checked_revision(files)

    async def needed(self, revision: str) -> Fleet:
        """Give the fleet of a revision. Raises `Problem` where it is not stored."""
        fleet = await self.fleet(revision)
        if fleet is None:
            raise Problem(ProblemKind.NOT_FOUND, f"revision {revision} is not stored here: upload its folder first")
        return fleet


async def concerned_by(fleets: Fleets, kept: Kept, rollout: Rollout) -> frozenset[str]:
    """Give the services that a rollout concerns: those with a prefix of it, and those that its units name.

    An open rollout is looked up in its own revisions. One that has ended is looked up in what is desired now: to read
    the folders of all that ever was would take minutes. A prefix that no service has stands for itself: it is nobody's.
    """
    names = {unit.service for unit in rollout.units if isinstance(unit, DefinitionKey) and unit.service}
    revisions = kept.desired.revisions if rollout.ended else {rollout.revision, *rollout.before.values()}
    left = set(rollout.prefixes)
    for revision in revisions:
        fleet = await fleets.fleet(revision)
        for each in fleet.services if fleet is not None else ():
            if not rollout.prefixes.isdisjoint(each.prefixes):
                names.add(each.name)
                left.difference_update(each.prefixes)
    return frozenset(names | {str(prefix) for prefix in left})


def concerned_by_incident(fleet: Fleet | None, incident: Incident) -> frozenset[str]:
    """Give the services that an incident concerns: those that its alerts name, or all of the PoP that one is about.

    A prefix that no service has stands for itself, and so does a PoP without services: they are nobody's.
    """
    services = () if fleet is None else fleet.services
    names = set(incident.services)
    for prefix in incident.prefixes:
        names |= {each.name for each in services if prefix in map(str, each.prefixes)} or {prefix}
    for _, named, pop, _ in incident.alerts:
        if not named and not pop:
            names |= {each.name for each in services} or {"all services"}
        elif not named:
            names |= {each.name for each in services if pop in each.pops} or {pop}
    if incident.alerts_beyond or not names:
        names |= {each.name for each in services} or {"all services"}
    return frozenset(names)


async def concerned_by_start(fleets: Fleets, kept: Kept, revision: str) -> frozenset[str]:
    """Give the services that a rollout to a revision would concern, from all that is desired now."""
    after = await fleets.needed(revision)
    names: set[str] = set()
    for before in kept.desired.revisions:
        names |= differing(await fleets.fleet(before), after)
    return frozenset(names)


def differing(before: Fleet | None, after: Fleet) -> frozenset[str]:
    """Give the services that are not the same in two fleets; all of both where anything else differs."""
    old, new = _by_name(() if before is None else before.services), _by_name(after.services)
    if before is None or replace(before, services=()) != replace(after, services=()):
        return frozenset(old.keys() | new.keys())
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    prefixes = {prefix for name in changed for each in (old, new) if name in each for prefix in each[name].prefixes}
    sharing = {name for each in (old, new) for name, made in each.items() if not prefixes.isdisjoint(made.prefixes)}
    return frozenset(changed | sharing)


def _by_name(services: Iterable[Service]) -> dict[str, Service]:
    return {each.name: each for each in services}
