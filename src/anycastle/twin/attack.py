"""Where attack traffic comes from, and how much of it there really is.

Theory of operation. An attack is a mix: a weight for each AS that sends it. Nobody knows the mix when it begins. What
is seen is the load at each PoP, cut at its capacity; how the load is split tells which mixes fit. For each mix the
size of the attack is the one that explains the PoPs that are not full best (least squares), and that fills
those that are. The real offered load is then known at the full ones, too.

How users and attack are split is itself in doubt. So the size is found for every member of the ensemble, and the
members that explain best what is seen are kept: those are the ways of breaking ties that the Internet seems to have.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.twin.graph import ASGraph
from anycastle.twin.load import Spread, room_of, spread

FULL_FROM: Final = 0.95
"""A PoP that serves this part of its capacity is taken as full: what it serves is then a least of what is offered."""
FITS_WITHIN: Final = 0.10
"""A mix fits where what it explains differs from what is seen by at most this part of the load seen."""
KEPT_PART: Final = 0.25
"""Part of the members that is kept: those that explain best what is seen."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Where an attack comes from."""

    name: str
    of_node: NDArray[np.float64]
    """float64[node]; they add up to 1."""
    absent: float = 0.0
    """Share of the mix whose ASes the graph does not have."""


def uniform_mix(graph: ASGraph) -> Mix:
    """Let every AS send alike."""
    return Mix("uniform", np.full(len(graph), 1.0 / len(graph)))


def mix_of_asns(graph: ASGraph, name: str, weight_of: Mapping[int, float]) -> Mix:
    """Give the mix of these ASes. Raises `MisuseError` where the graph has none of them."""
    asns = np.array(sorted(weight_of), np.uint32)
    values = np.array([weight_of[int(asn)] for asn in asns], np.float64)
    nodes, total = graph.nodes(asns), float(values.sum())
    there = nodes >= 0
    placed = float(values[there].sum())
    if placed <= 0:
        raise MisuseError(f"the mix {name}: none of its ASes is in the graph {graph.origin.name}")
    of_node = np.zeros(len(graph))
    of_node[nodes[there]] = values[there] / placed
    return Mix(name, of_node, max(0.0, 1.0 - placed / total))


def mix_of_label(graph: ASGraph, label: str, labels: Mapping[int, str], weight: NDArray[np.float64]) -> Mix:
    """Give the mix of all ASes with a label (a region, a country), by their weight. Raises `MisuseError` for none."""
    inside = np.array([labels.get(int(asn)) == label for asn in graph.asn])
    total = float(weight[inside].sum())
    if total <= 0:
        known = sorted(set(labels.values()))
        shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
        raise MisuseError(
            f"no AS of the graph with a weight is in {label!r}; there are: {shown or 'no regions at all'}"
        )
    return Mix(label, np.where(inside, weight, 0.0) / total)


@dataclass(frozen=True, slots=True)
class Seen:
    """The loads that PoPs serve now, and what they should be without an attack."""

    pops: tuple[str, ...]
    load: NDArray[np.float64]
    """float64[pop], as measured."""
    capacity: tuple[float | None, ...]
    users: NDArray[np.float64]
    """float64[member, pop]: the load of users under the present announcement."""

    @property
    def full(self) -> NDArray[np.bool_]:
        """Tell which PoPs serve all that they can."""
        return np.asarray(self.load >= FULL_FROM * room_of(self.capacity))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one mix makes of the loads that are seen. Spreads are over the members that explain them best."""

    mix: str
    attack: Spread
    """Offered by the attack, in the unit of the loads. Only a least where `bounded` is false."""
    offered: tuple[float, ...]
    """Of each PoP: users and attack together, the mean."""
    unseen: float
    """What is offered beyond what full PoPs serve, the mean."""
    misfit: float
    """Root mean square of what is not explained, as a part of the mean load seen."""
    bounded: bool
    """Some PoP that gets a part of this mix is not full, so that its size is known and not only its least."""
    alike: NDArray[np.intp]
    """The members, as indices."""

    @property
    def fits(self) -> bool:
        """Tell whether the mix explains what is seen."""
        return self.misfit <= FITS_WITHIN


def estimate(seen: Seen, share_of_mix: Mapping[str, NDArray[np.float64]]) -> tuple[Estimate, ...]:
    """Give the attack's size under each mix, the best fit first.

    `share_of_mix` is float64[member, pop], as announced now. Raises `MisuseError` where nothing is seen at all.
    """
    if float(seen.load.sum()) <= 0:
        raise MisuseError("no load is seen at any PoP")
    found = [_estimate(seen, name, share) for name, share in share_of_mix.items()]
    return tuple(sorted(found, key=lambda each: (round(each.misfit, 9), each.mix)))


def _estimate(seen: Seen, name: str, share: NDArray[np.float64]) -> Estimate:
    full, beside = seen.full, seen.load - seen.users
    size = np.array([_size(*row, full) for row in zip(beside, share, strict=True)])
    offered = seen.users + size[:, None] * share
    off = np.where(full, np.maximum(0.0, seen.load - offered), seen.load - offered)
    misfit = np.sqrt((off**2).mean(axis=1)) / seen.load.mean()
    alike = np.sort(np.argsort(misfit, kind="stable")[: max(1, round(len(misfit) * KEPT_PART))])
    unseen = np.maximum(0.0, offered - seen.load)[:, full].sum(axis=1)
    return Estimate(
        mix=name,
        attack=spread(size[alike]),
        offered=tuple(offered[alike].mean(axis=0).tolist()),
        unseen=float(unseen[alike].mean()),
        misfit=float(misfit[alike].mean()),
        bounded=bool((~full & (share[alike] > 0)).any(axis=1).all()),
        alike=alike,
    )


def _size(beside: NDArray[np.float64], share: NDArray[np.float64], full: NDArray[np.bool_]) -> float:
    """Give the size in one member; the least that it can be where every PoP that the mix reaches is full."""
    if (~full & (share > 0)).any():
        return _least_squares(beside, share, full)
    return max(0.0, *(float(beside[at] / share[at]) for at in np.flatnonzero(share > 0)), 0.0)


def _least_squares(beside: NDArray[np.float64], share: NDArray[np.float64], full: NDArray[np.bool_]) -> float:
    """Give the size whose parts differ least from `beside`, where full PoPs count only for what they lack.

    The sum of squares is convex and piecewise quadratic: the full PoPs that count are found in a few rounds.
    """
    size = 0.0
    for _ in range(len(share) + 1):
        counts = ~full | (beside > size * share)
        found = max(0.0, float(share[counts] @ beside[counts] / (share[counts] @ share[counts])))
        if found == size:
            break
        size = found
    return size


def fitting(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Give those that fit; the best alone where none does."""
    every = tuple(estimates)
    return tuple(each for each in every if each.fits) or every[:1]


def attack_range(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """Give the least and the most that the attack may be (5th and 95th percentile), over the mixes that fit."""
    sizes = [each.attack for each in fitting(estimates)]
    return min(size.p5 for size in sizes), max(size.p95 for size in sizes)
