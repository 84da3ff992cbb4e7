"""What the watchdog is told of each service: its announcements, and what is to become of them without the agent."""

from collections.abc import Iterator

from anycastle.health.commands import LeaseTerm
from anycastle.health.pop_services import PoPServices
from anycastle.health.reconcile import Reconciler
from anycastle.health.service import ServiceState
from anycastle.model.announcement import Announcement, Announcements
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Prefix
from anycastle.model.service import Lease, LeaseEnd

_AT_ONCE = Lease(LeaseEnd.WITHDRAW, 0.0)


def lease_terms(services: PoPServices, wanted: Announcements) -> tuple[LeaseTerm, ...]:
    """Give the terms while the agent lives: a service that no permit allows to withdraw is kept."""
    by_prefix: dict[Prefix, list[Announcement]] = {}
    for route in wanted:
        by_prefix.setdefault(route.prefix, []).append(route)
    return tuple(_lease_term(services, state, by_prefix) for state in services.states)


def _lease_term(services: PoPServices, state: ServiceState, by_prefix: dict[Prefix, list[Announcement]]) -> LeaseTerm:
    lease = state.service.lease
    if services.permit_for(state).state is PermitState.NONE:
        lease = Lease(LeaseEnd.KEEP, lease.duration_s, lease.hold_s)
    # What a withdrawn service shares is announced for the others: it is theirs to end or to keep.
    prefixes = state.service.prefixes if state.announced else ()
    routes = frozenset(route for prefix in prefixes for route in by_prefix.get(prefix, ()))
    return LeaseTerm(state.service.name, lease, routes)


def last_terms(terms: tuple[LeaseTerm, ...], services: PoPServices, router: Reconciler) -> Iterator[LeaseTerm]:
    """Give what the watchdog is to end once the agent has left, from the terms by which it lived."""
    for term in terms:
        lease, prefixes = term.lease, services.by_name[term.service].service.prefixes
        unconfirmed = {route for route in router.exports - router.wanted if route.prefix in prefixes}
        if term.announcements:
            end = LeaseEnd.KEEP if lease.end is LeaseEnd.KEEP else LeaseEnd.HOLD
            yield LeaseTerm(term.service, Lease(end, lease.duration_s, lease.hold_s), term.announcements)
        elif unconfirmed:
            yield LeaseTerm(term.service, _AT_ONCE, frozenset(unconfirmed))
