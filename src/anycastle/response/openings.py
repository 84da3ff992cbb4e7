"""What opens an incident: one table, whoever sees it.

A controller that leads sees agents' states as they are (`conditions`); who looks back has the events that agents wrote
(`story`); the watch has findings (`findings`); a Prometheus has budgets. All of them make their signals here. So what
woke somebody in the night has the same name, and the same weight, in the postmortem that is made of logs alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from anycastle.response.follows import (
    BURN,
    HIJACK,
    LEAK,
    POP_DOWN,
    SERVICE_DOWN,
    SESSION_DOWN,
    UNREACHABLE,
    VISIBILITY,
    WITHDRAWN,
)
from anycastle.response.signal import Signal, Subject, Urgency

CONTROLLER_ALONE: Final = "controller_alone"
"""No PoP has a session with the controller."""

SILENT: Final = "objective_silent"
"""An objective of which nothing is counted any more."""

WATCH_SILENT: Final = "watch_silent"
"""A watch on another machine tells nothing any more, not even that it lives."""

RESPONSE_FAILED: Final = "response_failed"
"""The response met a fault of its own."""


class Opening(NamedTuple):
    """A kind of alert: how urgent it is as a whole, and where others make up for it; and what shows it."""

    whole: Urgency
    part: Urgency
    live: str
    """What a controller that leads sees. Empty where it cannot: what that takes is not told to it."""
    logged: str
    """What a log has. Empty where no event says it."""


_PAGE, _TICKET = Urgency.PAGE, Urgency.TICKET

_FINDING: Final = Opening(
    _PAGE, _TICKET, "a finding of the watch: critical, or a warning", "finding_opened, until finding_cleared"
)
_RULE: Final = Opening(_PAGE, _TICKET, "an exported rule fires, as urgent as it says", "")

OPENINGS: Final[Mapping[str, Opening]] = MappingProxyType(
    {
        POP_DOWN: Opening(_PAGE, _PAGE, "its agent has no session", "lease_lapsed, until agent_started"),
        SERVICE_DOWN: Opening(
            _PAGE, _TICKET, "a stance that is not announce, without a drain", "stance_changed; withdrawal_refused"
        ),
        SESSION_DOWN: Opening(
            _PAGE, _TICKET, "sessions are down that wanted routes go by: all, or some",
            "session_changed: all that were up, or some",
        ),
        WITHDRAWN: Opening(
            _PAGE, _TICKET, "the router does not announce what is wanted over sessions that are up: a prefix at all, or"
            " in part", "router_diverged, until announcements_confirmed",
        ),
        CONTROLLER_ALONE: Opening(_PAGE, _PAGE, "no PoP is heard", ""),
        RESPONSE_FAILED: Opening(
            _PAGE, _TICKET, "a fault of the response itself: three in a row, or one", ""
        ),
        WATCH_SILENT: Opening(_TICKET, _TICKET, "a watch on another machine told nothing for two minutes", ""),
        UNREACHABLE: Opening(_PAGE, _TICKET, "", "probes: half of a region's networks get no answer, or its only one"),
        HIJACK: _FINDING,
        LEAK: _FINDING,
        VISIBILITY: _FINDING,
        BURN: _RULE,
        SILENT: _RULE,
    }
)  # fmt: skip
"""Kind -> what opens an incident of it. A finding of a detector that is not in `KIND_OF_FINDING` is its own kind."""

OF_AGENTS: Final = frozenset({CONTROLLER_ALONE, POP_DOWN, SERVICE_DOWN, SESSION_DOWN, WITHDRAWN})
"""Kinds that agents' states show live: how urgent these are, an operator may say otherwise."""

KIND_OF_FINDING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "origin_change": HIJACK,
        "sub_prefix": HIJACK,
        "forged_path": HIJACK,
        "squatting": HIJACK,
        "route_leak": LEAK,
        "visibility_loss": VISIBILITY,
        "partial_visibility": VISIBILITY,
    }
)
"""Detector -> kind of alert; others keep their own name, which joins nothing and is explained by nothing."""


def usual(kind: str, *, part: bool = False) -> Urgency:
    """Give how urgent a kind is, where nobody says otherwise."""
    opening = OPENINGS.get(kind, _FINDING)
    return opening.part if part else opening.whole


def opens(kind: str, subject: Subject, text: str, *, part: bool = False) -> Signal:
    """Give the signal that something is wrong."""
    return Signal(kind, subject, usual(kind, part=part), firing=True, summary=text)


def over(kind: str, subject: Subject, text: str) -> Signal:
    """Give the signal that it is wrong no more."""
    return Signal(kind, subject, usual(kind), firing=False, summary=text)
