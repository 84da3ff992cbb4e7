"""Several paths of one router to one prefix (ADD-PATH, RFC 7911), each seen for as long as it is told.

A hijack that a router tells beside the right route must not be hidden by that one, nor end when another path does. So
a router counts as several peers, one for each *place* of a path among those to the same prefix. Identifiers cannot
say which: they mean something to their sender only, and many draw them from one number for all prefixes (RFC 7911 §3).
"""

from typing import Final

from anycastle.model.prefix import Prefix

PLACES_MAX: Final = 16
"""Paths to one prefix that are followed; a route server with more neighbours that all hear a prefix tells the first."""


class PathPlaces:
    """Which place each path of one session has."""

    def __init__(self) -> None:
        self.refused = 0
        """Paths beyond `PLACES_MAX`, which are not followed."""
        self._places: dict[Prefix, dict[int | None, int]] = {}

    def take(self, prefix: Prefix, path_id: int | None) -> int | None:
        """Give the place of a path, the lowest free one if it is new; None where all are taken."""
        places = self._places.setdefault(prefix, {})
        place = places.get(path_id)
        if place is not None:
            return place
        taken = set(places.values())
        place = next((each for each in range(PLACES_MAX) if each not in taken), None)
        if place is None:
            self.refused += 1
            return None
        places[path_id] = place
        return place

    def free(self, prefix: Prefix, path_id: int | None) -> int | None:
        """Give the place that a path had, and free it; None for a path that has none."""
        places = self._places.get(prefix, {})
        place = places.pop(path_id, None)
        if not places:
            self._places.pop(prefix, None)
        return place

    def vacate(self, prefix: Prefix, place: int) -> None:
        """Free a place, whichever path has it."""
        for path_id in [each for each, taken in self._places.get(prefix, {}).items() if taken == place]:
            self.free(prefix, path_id)

    def forget(self) -> None:
        """Forget all: the session ended, and with it what its identifiers meant."""
        self._places.clear()
