"""BGP with whole AS_PATHs, in plain Python: for what keys cannot show, such as who is on a leaked path.

Each AS hears its neighbours' best paths, drops those with its own ASN or that its policies reject, and takes the best
by relation, length, lowest neighbour. Rounds go on until nothing changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from anycastle.model.asn import ASN
from anycastle.twin.graph import Link

Path = tuple[ASN, ...]
"""From the AS itself to the origin."""
ROUNDS_MAX = 200


@dataclass
class World:
    links: list[Link]
    origins: dict[ASN, Path]
    """AS -> the path that it announces, beginning with itself."""
    leaker: ASN | None = None
    accepts: Callable[[ASN, ASN, Path], bool] = lambda _to, _source, _path: True
    relations: dict[ASN, dict[ASN, int]] = field(init=False)
    """AS -> neighbour -> 0 a customer, 1 a peer, 2 a provider."""

    def __post_init__(self) -> None:
        self.relations = {}
        for a, b, relation in self.links:
            self.relations.setdefault(a, {})[b] = 1 if relation == 0 else 0
            self.relations.setdefault(b, {})[a] = 1 if relation == 0 else 2

    def settle(self, before: Mapping[ASN, Path] | None = None) -> dict[ASN, Path] | None:
        """Give each AS's path; None where it never comes to rest.

        `before` are the paths from which it begins: with a leak there may be more than one state of rest.
        """
        paths: dict[ASN, Path] = dict(before or self.origins)
        for _ in range(ROUNDS_MAX):
            now = {asn: path for asn in self.relations if (path := self._best(asn, paths)) is not None}
            if now == paths:
                return paths
            paths = now
        return None

    def _best(self, asn: ASN, paths: Mapping[ASN, Path]) -> Path | None:
        if asn in self.origins:
            return self.origins[asn]
        offers = []
        for source, relation in self.relations[asn].items():
            path = paths.get(source)
            if path is None or asn in path or not self._tells(source, relation, path):
                continue
            if self.accepts(asn, source, path):
                offers.append(((relation, len(path), source), (asn, *path)))
        return min(offers)[1] if offers else None

    def _tells(self, source: ASN, relation: int, path: Path) -> bool:
        """Tell whether `source` passes its path on to one whose customer (0), peer (1) or provider (2) it is."""
        if relation == 2 or source in self.origins or source == self.leaker:
            return True
        return self.relations[source][path[1]] == 0

    def aspa_valid(self, receiver: ASN, source: ASN, path: Path) -> bool:
        """Verify a path whose ASes all published their providers (draft-ietf-sidrops-aspa-verification §5)."""
        route = list(reversed([each for at, each in enumerate(path) if not at or path[at - 1] != each]))
        rises = [self.relations.get(low, {}).get(high) == 2 for low, high in pairwise(route)]
        falls = [self.relations.get(low, {}).get(high) == 2 for high, low in pairwise(route)]
        up = 1 + next((at for at, rise in enumerate(rises) if not rise), len(rises))
        if self.relations[receiver][source] != 2:
            return up == len(route)
        down = 1 + next((at for at, fall in enumerate(reversed(falls)) if not fall), len(falls))
        return up + down >= len(route)
