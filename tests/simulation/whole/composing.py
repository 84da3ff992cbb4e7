"""What PoPs are assigned, worked out once for all controllers of a seed: most decisions change a few PoPs."""

from anycastle.io import assignment_json
from anycastle.model.fleet import Fleet
from anycastle.rollout.compose import compose
from anycastle.rollout.desired import Desired, Unit
from anycastle.rollout.fleet_composer import FleetComposer

KNOWN_MAX = 20_000

Composed = tuple[Fleet, str] | None


class Compositions:
    """Compositions and their digests, by what is desired of a PoP."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, frozenset[tuple[Unit, str]]], Composed] = {}
        self._grouped: tuple[Desired | None, dict[str, dict[Unit, str]]] = None, {}

    def at(self, pop: str, desired: Desired) -> dict[Unit, str]:
        """Give the exceptions of one PoP."""
        if self._grouped[0] is not desired:
            grouped: dict[str, dict[Unit, str]] = {}
            for unit, revision in desired.exceptions.items():
                grouped.setdefault(unit.pop, {})[unit] = revision
            self._grouped = desired, grouped
        return self._grouped[1].get(pop, {})


class CachingComposer(FleetComposer):
    """The real one, over what is known already."""

    def __init__(self, compositions: Compositions) -> None:
        super().__init__(_digest)
        self._compositions = compositions

    def composed(self, pop: str, desired: Desired) -> Composed:
        here = self._compositions.at(pop, desired)
        key = pop, desired.revision, frozenset(here.items())
        known = self._compositions.known
        if key not in known:
            if len(known) >= KNOWN_MAX:
                known.clear()
            fleet = compose(Desired(desired.revision, here), self._revisions, pop)
            known[key] = None if fleet is None else (fleet, _digest(fleet))
        return known[key]

    def fleet(self, pop: str, desired: Desired) -> Fleet | None:
        made = self.composed(pop, desired)
        return None if made is None else made[0]

    def digest(self, pop: str, desired: Desired) -> str | None:
        made = self.composed(pop, desired)
        return None if made is None else made[1]


def _digest(fleet: Fleet) -> str:
    return assignment_json.digest(assignment_json.encode(fleet))
