"""Catchments as they were measured: what was announced, and which PoP each AS or prefix reached."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN

ANNOUNCED_MAX: Final = 64
"""PoPs of one experiment: a set of them fits a mask of 64 bits."""


class Measurement(NamedTuple):
    """One answer: the AS, the PoP that it reached, and how much the answer weighs (targets of the AS that agreed)."""

    asn: ASN
    pop: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """One announced set and the catchment measured under it, as columns with one row an AS."""

    announced: tuple[str, ...]
    """Names of the PoPs, sorted."""
    asn: NDArray[np.uint32]
    """uint32[row], ascending, each once."""
    pop: NDArray[np.int16]
    """int16[row]: place in `announced`."""
    weight: NDArray[np.float32]
    """float32[row]: targets of the AS that answered so."""
    source: str = ""
    """The file, for people."""
    configuration: str = ""
    """What differs from the plain announcement (prepends, communities); empty for none."""
    method: str = "ping"
    """ping, traceroute, collector, dns or table: how the catchment was found."""

    def __len__(self) -> int:
        return len(self.asn)

    @property
    def name(self) -> str:
        """Give the announced set as people write it: `amsterdam+uw`."""
        return "+".join(self.announced) + (f" ({self.configuration})" if self.configuration else "")

    def share(self, pop: str) -> float:
        """Give the part of the ASes that reached `pop`, 0 to 1. Raises `MisuseError` for a PoP not announced."""
        if pop not in self.announced:
            raise MisuseError(f"{pop!r} was not announced in {self.name}; those were {', '.join(self.announced)}")
        return float(np.mean(self.pop == self.announced.index(pop))) if len(self) else 0.0


def experiment_of(
    announced: Iterable[str],
    measurements: Iterable[Measurement],
    *,
    source: str = "",
    configuration: str = "",
    method: str = "ping",
) -> Experiment:
    """Give the columns of single measurements. An AS with several answers has the PoP of the greatest weight.

    Raises `MisuseError` where a PoP was reached that was not announced.
    """
    names = tuple(sorted(set(announced)))
    if not 1 <= len(names) <= ANNOUNCED_MAX:
        raise MisuseError(f"{source or 'an experiment'}: {len(names)} PoPs are announced; 1 to {ANNOUNCED_MAX} can be")
    place = {name: at for at, name in enumerate(names)}
    weights: dict[tuple[int, int], float] = {}
    for each in measurements:
        if each.pop not in place:
            raise MisuseError(f"{source or 'an experiment'}: AS{each.asn} reached {each.pop!r}, which is not announced")
        key = (int(each.asn), place[each.pop])
        weights[key] = weights.get(key, 0.0) + each.weight
    best: dict[int, tuple[float, int]] = {}
    for (asn, pop), weight in weights.items():
        if asn not in best or (weight, -pop) > (best[asn][0], -best[asn][1]):
            best[asn] = (weight, pop)
    asns = np.array(sorted(best), np.uint32)
    return Experiment(
        names,
        asns,
        np.array([best[int(asn)][1] for asn in asns], np.int16),
        np.array([best[int(asn)][0] for asn in asns], np.float32),
        source,
        configuration,
        method,
    )


@dataclass(frozen=True, slots=True)
class CollectorPath:
    """An AS_PATH that a collector saw: the vantage point first, the AS next to the PoP last; prepends are kept."""

    announced: tuple[str, ...]
    path: tuple[ASN, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An AS that a PoP has a session with."""

    pop: str
    asn: ASN
    transit: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the site that each /24 answered to."""

    configuration: str
    announced: tuple[str, ...]
    date: str
    block: NDArray[np.uint32]
    """uint32[row], ascending: the /24's address without its last octet."""
    site: NDArray[np.int16]
    """int16[row]: place in `announced`."""
    asn: NDArray[np.uint32]
    """uint32[row]; 0 where unknown."""
    rtt_ms: NDArray[np.float32]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Give each site's part of the /24s, float64[site]."""
        counts = np.bincount(self.site, minlength=len(self.announced)).astype(np.float64)
        return np.asarray(counts / max(1.0, counts.sum()))
