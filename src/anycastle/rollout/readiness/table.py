"""The checklists."""

from collections.abc import Callable
from typing import Final

from anycastle.rollout.readiness.alerts import alerts
from anycastle.rollout.readiness.coverage import coverage
from anycastle.rollout.readiness.hysteresis import hysteresis
from anycastle.rollout.readiness.objectives import objectives
from anycastle.rollout.readiness.routing_security import routing_security
from anycastle.rollout.readiness.row import Asked, Row
from anycastle.rollout.readiness.runbooks import runbooks
from anycastle.rollout.readiness.sessions import sessions
from anycastle.rollout.readiness.withdrawal import withdrawal

Rows = tuple[Callable[[Asked], Row], ...]

PREFLIGHT: Final[Rows] = (sessions, coverage, hysteresis, withdrawal)
"""Before production."""

READY: Final[Rows] = (alerts, objectives, runbooks, routing_security)
"""In production."""
