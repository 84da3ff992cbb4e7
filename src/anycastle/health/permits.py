"""The PoP's side of withdraw permits.

Theory of operation. The slack above a service's floor is split into permits, handed out in advance (the escrow
method for bounded counters, O'Neil 1986). A PoP withdraws a service only with that service's permit in hand: HELD
becomes USED, and that is on disk before the router is told. It becomes HELD again only when the router is seen to
export the service. So over the whole fleet, at any moment, the PoPs that withdrew of their own will number at most
the permits dealt, under any partition, restart or clock. A permit may be asked back: one that is HELD is given up,
one that is USED is not.

Each grant carries an epoch; a grant or a revocation of an older epoch than the last one seen is void, so that a
controller restored from an old backup can not deal a permit twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from anycastle.model.fleet import Fleet
from anycastle.model.service import Service


class PermitState(Enum):
    """NONE: not dealt to this PoP. HELD: may be used. USED: this PoP's withdrawal stands on it."""

    NONE = "none"
    HELD = "held"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Permit:
    """A PoP's permit for one service. `epoch` numbers the grant."""

    state: PermitState = PermitState.NONE
    epoch: int = 0

    def used(self) -> "Permit":
        """Give the permit after a withdrawal was decided on it; only a HELD or USED one can be."""
        assert self.state is not PermitState.NONE
        return replace(self, state=PermitState.USED)

    def freed(self) -> "Permit":
        """Give the permit after the service was seen exported again."""
        return replace(self, state=PermitState.HELD) if self.state is PermitState.USED else self

    def granted(self, epoch: int) -> "Permit":
        """Give the permit after a grant; one of an epoch that is not newer changes nothing."""
        if epoch <= self.epoch:
            return self
        state = PermitState.USED if self.state is PermitState.USED else PermitState.HELD
        return Permit(state, epoch)

    def revoked(self, epoch: int) -> "Permit":
        """Give the permit after it was asked back; a USED one, or an older question, changes nothing."""
        if epoch < self.epoch or self.state is PermitState.USED:
            return self
        return Permit(PermitState.NONE, epoch)


def deal(fleet: Fleet, service: Service) -> frozenset[str]:
    """Give the PoPs that hold a permit for a service when no controller deals them.

    They are taken in the service's order of PoPs while what would be left without all of them still meets the floor, in
    number and in capacity. The order decides alone, so that agents that never talk to each other deal the same hands.
    """
    capacity = {pop.name: pop.capacity for pop in fleet.pops}
    remaining = list(service.pops)
    holders: list[str] = []
    for pop in service.pops:
        left = [name for name in remaining if name != pop]
        if len(left) >= service.floor.pops and _total(left, capacity) >= service.floor.capacity:
            holders.append(pop)
            remaining = left
    return frozenset(holders)


def _total(names: Sequence[str], capacity: Mapping[str, float]) -> float:
    return sum(capacity[name] for name in names)
