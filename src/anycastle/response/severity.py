"""How bad an incident is, in three words: what a list is sorted by. Whom it wakes is its urgency.

*critical*: somebody else has our prefix, a floor is crossed, clients are cut off or a promise is broken, or more than
one PoP is concerned. *major*: one PoP is; the others carry its clients, as anycast is for. *minor*: it wakes nobody.
"""

from enum import Enum
from typing import Final

from anycastle.response.follows import ALONE, BURN, UNREACHABLE
from anycastle.response.incident import Incident
from anycastle.response.openings import CONTROLLER_ALONE, RESPONSE_FAILED
from anycastle.response.signal import Urgency


class Severity(Enum):
    """The worst first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


_CRITICAL: Final = ALONE | {BURN, UNREACHABLE, CONTROLLER_ALONE, RESPONSE_FAILED}


def severity_of(incident: Incident) -> Severity:
    """Give how bad an incident is, by all that it took in so far."""
    if incident.urgency is Urgency.TICKET:
        return Severity.MINOR
    kinds = {incident.kind, *(name for name, *_ in incident.alerts)}
    return Severity.CRITICAL if kinds & _CRITICAL or len(incident.pops) > 1 else Severity.MAJOR
