"""RDY002: what is promised is written down, for each service."""

from typing import Final

from anycastle.rollout.readiness.row import Asked, Row, answered

CODE: Final = "RDY002"
TITLE: Final = "SLOs are published"

NEEDED: Final = frozenset({"edge_latency", "routing_success", "client_errors"})
"""An objective about one of these says what clients get."""


def objectives(asked: Asked) -> Row:
    """Look for an objective about what clients get, of each service."""
    good, wrong = [], []
    for service in asked.fleet.services:
        said = [each for each in asked.fleet.objectives if each.service == service.name]
        good += [f"{service.name}: {each.name}, {each.target:.6g} of {each.indicator}" for each in said]
        if NEEDED.isdisjoint(each.indicator for each in said):
            wrong.append(f"{service.name}: nothing is promised of what its clients get")
    advice = f"write an objective about {', '.join(sorted(NEEDED))} for these"
    return answered(CODE, TITLE, good, wrong, advice)
