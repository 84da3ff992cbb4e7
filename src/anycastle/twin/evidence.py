"""Measured catchments as evidence: which of two PoPs each AS took when it could reach both.

Theory of operation. A catchment under a set of announced PoPs says, for every AS, that the PoP it reached was
preferred to each of the others. If ASes have an order of preference over PoPs (measured: 98 % of triples have no
circle), then all that experiments tell is in one table: AS by pair of PoPs, +1 where the first of the pair was
preferred, -1 where the second was, 0 where nobody asked. Several methods of one announced set fill it in the order in
which they are given: an answer is never replaced by a later one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.catchment import Experiment

POPS_MAX: Final = 32
"""PoPs of one calibration: every AS has a matrix of this size to be solved."""


def pairs_of(pops: int) -> NDArray[np.int64]:
    """Give all pairs int64[pair, 2], first below second, in order."""
    return np.array([(i, j) for i in range(pops) for j in range(i + 1, pops)], np.int64).reshape(-1, 2)


def pair_index(pops: int, first: int, second: int) -> int:
    """Give the place of a pair in `pairs_of`; `first` is below `second`."""
    return first * (2 * pops - first - 1) // 2 + second - first - 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """Pairwise preferences of every AS."""

    pops: tuple[str, ...]
    asn: NDArray[np.uint32]
    """uint32[as], ascending."""
    outcome: NDArray[np.int8]
    """int8[as, pair]: +1 the first PoP of the pair, -1 the second, 0 unknown."""

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Give the pairs, int64[pair, 2]."""
        return pairs_of(len(self.pops))

    @property
    def asked(self) -> NDArray[np.int64]:
        """Give for each pair how many ASes are known, int64[pair]."""
        return np.asarray(np.count_nonzero(self.outcome, axis=0), np.int64)

    def without(self, announced: Iterable[str]) -> "Evidence":
        """Give the evidence as if nobody had ever announced these PoPs together: none of their pairs is known."""
        gone = {self.pops.index(pop) for pop in announced if pop in self.pops}
        drop = np.array([int(i) in gone and int(j) in gone for i, j in self.pairs], np.bool_)
        outcome = self.outcome.copy()
        outcome[:, drop] = 0
        return Evidence(self.pops, self.asn, outcome)


def gather(experiments: Sequence[Experiment], pops: Sequence[str] | None = None, asns: Iterable[int] = ()) -> Evidence:
    """Give the table of preferences. `asns` are ASes to have a row even where nothing was measured.

    Raises `MisuseError` for more PoPs than a calibration holds. Experiments under prepends or communities are left to
    `twin.shift`; here only plain announcements count.
    """
    plain = [each for each in experiments if not each.configuration]
    names = tuple(pops) if pops is not None else tuple(sorted({pop for each in plain for pop in each.announced}))
    if len(names) > POPS_MAX:
        raise MisuseError(f"{len(names)} PoPs are in these experiments; a calibration holds {POPS_MAX}")
    place = {name: at for at, name in enumerate(names)}
    asn = np.unique(np.concatenate([np.fromiter(asns, np.uint32), *(each.asn for each in plain)]))
    outcome = np.zeros((len(asn), len(names) * (len(names) - 1) // 2), np.int8)
    for each in plain:
        rows = np.searchsorted(asn, each.asn)
        known = [(at, place[pop]) for at, pop in enumerate(each.announced) if pop in place]
        for at, winner in known:
            won = rows[each.pop == at]
            for _, loser in known:
                if loser != winner:
                    low, high = min(winner, loser), max(winner, loser)
                    column = outcome[:, pair_index(len(names), low, high)]
                    fresh = won[column[won] == 0]
                    column[fresh] = 1 if winner == low else -1
    return Evidence(names, asn, outcome)
