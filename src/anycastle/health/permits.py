"""The PoP's side of withdraw permits.

Theory of operation. The slack above a service's floor is split into permits, handed out in advance (the escrow
method for bounded counters, O'Neil 1986). A PoP withdraws a service only with that service's permit in hand: HELD
becomes USED, and that is on disk before the router is told. It becomes HELD again only when the router is seen to
export the service. So over the whole fleet, at any moment, the PoPs that withdrew of their own will number at most
the permits dealt, under any partition, restart or clock. A permit may be asked back: one that is HELD is given up,
one that is USED is not.

Each grant and each revocation carries an epoch; one that is not newer than the last that was taken is void. So what a
controller sends twice, or late, changes nothing. How controllers keep from dealing too many: `rollout.permits`.
"""

from dataclasses import dataclass, replace

from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.service import Service


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
        """Give the permit after it was given up. One that is USED stays so; an older question changes nothing."""
        if epoch <= self.epoch:
            return self
        return replace(self, epoch=epoch) if self.state is PermitState.USED else Permit(PermitState.NONE, epoch)

    def kept(self, epoch: int) -> "Permit":
        """Give the permit after it was asked back and not given up."""
        return replace(self, epoch=max(epoch, self.epoch))


def deal(fleet: Fleet, service: Service) -> frozenset[str]:
    """Give the PoPs that hold a permit for a service when no controller deals them.

    They are taken in the service's order of PoPs while what would be left without all of them still meets the floor, in
    number and in capacity. The order decides alone, so that agents that never talk to each other deal the same hands.
    """
    capacity = {pop.name: pop.capacity for pop in fleet.pops}
    return frozenset(service.floor.spares({pop: capacity[pop] for pop in service.pops}))


def files_deal(fleet: Fleet, leader_term: int) -> bool:
    """Tell whether the fleet's files deal permits: no controller was ever met, and none is named that would deal them.

    `leader_term` is the highest term of a controller that was ever spoken with.
    """
    return leader_term == 0 and fleet.controller is None


def dealt_permit(fleet: Fleet, pop: str, service: Service) -> Permit:
    """Give the permit that the fleet's files deal a PoP for a service."""
    return Permit(PermitState.HELD if pop in deal(fleet, service) else PermitState.NONE)


def permit_at_start(known: Permit, fleet: Fleet, pop: str, service: Service, leader_term: int) -> Permit:
    """Give the saved permit if controllers deal them; else what the fleet's files deal, used if it was used."""
    if not files_deal(fleet, leader_term) or known.state is PermitState.USED:
        return known
    return dealt_permit(fleet, pop, service)
