"""What follows from what: which alerts a known cause explains, in one table.

A drain takes a PoP's routes away, moves its clients and shows as a loss of paths: all that is meant. It explains no
hijack, no leak, no floor that is crossed, and no failure of another PoP. An alert of a kind that is not in the table
is explained by nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from anycastle.response.incident import Incident
from anycastle.response.signal import Cause, CauseKind, Signal, Subject, Topology

POP_DOWN: Final = "pop_down"
SERVICE_DOWN: Final = "service_down"
SESSION_DOWN: Final = "session_down"
WITHDRAWN: Final = "withdrawn"
UNREACHABLE: Final = "unreachable"
VISIBILITY: Final = "visibility_loss"
BURN: Final = "budget_burn"
MOVED: Final = "catchment_moved"
DISRUPTED: Final = "sessions_disrupted"
CACHE: Final = "cache_cold"
HIJACK: Final = "hijack"
LEAK: Final = "route_leak"
FLOOR: Final = "floor_crossed"

_OF_A_POP: Final = frozenset({POP_DOWN, SERVICE_DOWN, SESSION_DOWN, WITHDRAWN, UNREACHABLE, DISRUPTED})
_OF_A_WHOLE_POP: Final = frozenset({POP_DOWN, SESSION_DOWN})
"""Work on one service does not explain that a PoP, with all its others, is gone."""

_OF_ROUTES: Final = frozenset({VISIBILITY, MOVED, DISRUPTED, CACHE})

_KNOWN: Final = _OF_A_POP | _OF_ROUTES | {BURN}

EXPLAINS: Final[Mapping[CauseKind, frozenset[str]]] = MappingProxyType(
    {
        CauseKind.DRAIN: frozenset({WITHDRAWN, SERVICE_DOWN, UNREACHABLE}) | _OF_ROUTES,
        CauseKind.MAINTENANCE: _OF_A_POP | _OF_ROUTES,
        CauseKind.CHANGE: _OF_ROUTES,
    }
)
"""Kinds of alerts by the cause that explains them. Budgets are spent whatever the reason: what of that is allowed is
the objective's to say (`slo`)."""


ALONE: Final = frozenset({HIJACK, LEAK, FLOOR})
"""Kinds that follow from nothing: somebody else's doing, or a rule of ours that was broken."""

_FOLLOWS_FROM_ROUTES: Final = _OF_ROUTES | {BURN, UNREACHABLE}


def belongs(signal: Signal, incident: Incident, topology: Topology) -> bool:
    """Tell whether an alert speaks of an incident.

    Of a kind that is not known, only where it names the incident's PoP. Of a hijack and the like, only where the
    incident is of that kind and prefix; such an incident takes what follows from routes, and no failure of a PoP.
    """
    subject = signal.subject
    if signal.name in ALONE or incident.kind in ALONE:
        same = signal.name == incident.kind and subject.prefix in incident.prefixes
        follows = incident.kind in ALONE and signal.name in _FOLLOWS_FROM_ROUTES and not subject.pop
        return same or (follows and incident.relates(subject, topology))
    if signal.name not in _KNOWN and not (subject.pop and subject.pop in incident.pops):
        return signal.name == incident.kind and incident.relates(subject, topology)
    return incident.relates(subject, topology)


def explains(cause: Cause, name: str, subject: Subject, topology: Topology) -> bool:
    """Tell whether a cause explains an alert: of its kind, at its PoP, or at the others that take what it gave up."""
    if name not in EXPLAINS[cause.kind]:
        return False
    if cause.subject.prefix and subject.prefix and cause.subject.prefix != subject.prefix:
        return False
    if cause.subject.service and subject.service and cause.subject.service != subject.service:
        return False
    if cause.subject.service and name in _OF_A_WHOLE_POP and topology.serves_more(subject.pop, cause.subject.service):
        return False
    if not cause.subject.pop:
        return bool(cause.subject.prefix or cause.subject.service)
    if name in _OF_ROUTES and name not in _OF_A_POP and topology.serves(cause.subject.pop, subject):
        return True  # clients of the PoP that gives way come to any of the others
    return subject.pop == cause.subject.pop
