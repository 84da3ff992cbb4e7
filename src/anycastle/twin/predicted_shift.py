"""What a prediction tells, as frozen values: for tables, pictures and previews of plans alike."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anycastle.model.pop import Location
from anycastle.model.prefix import Prefix
from anycastle.twin.cascade import Cascade
from anycastle.twin.graph import Origin
from anycastle.twin.intent import Remark
from anycastle.twin.load import Spread
from anycastle.twin.weights import Weights


@dataclass(frozen=True, slots=True)
class UpstreamShift:
    """One session group, before and after."""

    group: str
    """`POP/UPSTREAM`."""
    now: Spread
    after: Spread
    load: Spread | None
    """After, in the unit of the offered load; None where none was given."""
    capacity: float | None
    """Of the link, in bit/s."""
    overload_chance: float

    @property
    def headroom(self) -> float | None:
        """Give what of the link is left, at the expected load; None where either is not known, or nothing comes."""
        return None if self.capacity is None or self.load is None else self.capacity - self.load.mean


@dataclass(frozen=True, slots=True)
class PoPShift:
    """One PoP, before and after. Shares are of all placed weight, 0 to 1."""

    name: str
    city: str
    location: Location
    announces: bool
    """After."""
    now: Spread
    after: Spread
    change: Spread
    """After less now, member by member."""
    capacity: float | None
    load_now: Spread | None
    load: Spread | None
    """After."""
    overload_chance: float
    """Part of the members in which the load after is above the capacity."""
    upstreams: tuple[UpstreamShift, ...]

    @property
    def headroom(self) -> float | None:
        """Give what of the capacity is left after, at the expected load; below 0 where it does not suffice.

        None where no capacity or load is known, or nothing is announced.
        """
        if self.capacity is None or self.load is None or not self.announces:
            return None
        return self.capacity - self.load.mean


@dataclass(frozen=True, slots=True)
class ASShifts:
    """Every AS as columns, one row a node of the graph. `before` and `after` are indices into `pops`, -1 no route."""

    pops: tuple[str, ...]
    asn: NDArray[np.uint32]
    weight: NDArray[np.float64]
    before: NDArray[np.int16]
    """The likeliest PoP."""
    after: NDArray[np.int16]
    chance_before: NDArray[np.float32]
    """Of that PoP, 0 to 1."""
    chance_after: NDArray[np.float32]
    provenance: NDArray[np.uint8]
    """Values of `Provenance`."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Users that move, or stay: expected share of all weight. '' is no route."""

    source: str
    target: str
    share: float


@dataclass(frozen=True, slots=True)
class PredictedShift:
    """What a change moves."""

    service: str
    prefix: Prefix
    graph: Origin
    weights: Weights
    members: int
    pops: tuple[PoPShift, ...]
    no_route_now: Spread
    no_route: Spread
    """After."""
    moved: Spread
    """Share of users whose PoP differs."""
    moved_though_kept: Spread
    """Of these: both their PoPs announce as before."""
    ases_moved: Spread
    """Number of ASes."""
    ases_moved_though_kept: Spread
    flows: tuple[Flow, ...]
    """From each PoP to each; with those that stay, they add up to 1."""
    doubt: float
    """Share of users, after, that land elsewhere than at their AS's likeliest PoP, over all members."""
    provenance: Mapping[str, float]
    """How the PoP after is known -> share of users."""
    corrected: bool
    """A calibrated model was corrected by the rules, for announcements that are not plain."""
    offered_load: float | None
    cascade: Cascade | None
    """What follows where PoPs are overloaded after the change; None without an offered load."""
    remarks: tuple[Remark, ...]
    ases: ASShifts
