"""An agent's event log as a source: what its checks said, which is held against what probers got (M9)."""

from typing import Final

from anycastle.base.ports import Now
from anycastle.io.telemetry.event_log_source import EventLogSource
from anycastle.io.telemetry.telemetry_file import AgentLog
from anycastle.model.event import CheckChanged, Event
from anycastle.slo.telemetry.intake import Intake

HEALTHY: Final = "healthy"
"""As the agent writes it."""


class AgentSource(EventLogSource):
    """Follows an agent's log."""

    def __init__(self, settings: AgentLog, intake: Intake) -> None:
        super().__init__(settings.name, settings.path)
        self._served = settings.served
        self._intake = intake

    def take(self, event: Event, now: Now) -> bool:  # noqa: ARG002
        """Note a verdict."""
        body, served = event.body, self._served
        if not isinstance(body, CheckChanged) or body.service != served.service:
            return False
        up = body.verdict == HEALTHY
        self._intake.fidelity.said(served.pop, served.service, body.check, event.at, up=up)
        return True

    async def caught_up(self, now: Now) -> None:
        """Count slots of which all is told."""
        self._intake.settle(self._served, now.wall)
