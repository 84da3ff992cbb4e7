"""Which shipped runbook is attached to an incident, by the kind of the alert that opened it. One table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from anycastle.response import follows

USUAL: Final = "incident"
"""The checklist of every incident: it moves nothing."""

RUNBOOK_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        follows.POP_DOWN: "pop-failure",
        follows.SERVICE_DOWN: "pop-failure",
        follows.SESSION_DOWN: "pop-failure",
        follows.WITHDRAWN: "pop-failure",
        follows.FLOOR: "pop-failure",
        follows.UNREACHABLE: "partial-reachability",
        follows.VISIBILITY: "partial-reachability",
        follows.MOVED: "partial-reachability",
        follows.DISRUPTED: "partial-reachability",
        follows.HIJACK: "hijack",
        follows.LEAK: "route-leak",
    }
)


def runbook_of(kind: str) -> str:
    """Give the name of the runbook for a kind of alert."""
    return RUNBOOK_OF.get(kind, USUAL)
