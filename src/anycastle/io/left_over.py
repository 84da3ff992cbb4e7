"""What a watch's run before this one left open, by the watch's own log."""

from pathlib import Path

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.io.findings_lines import FINDING_KINDS
from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from anycastle.watch.finding import LeftOver


def left_over_in(log: Path) -> list[LeftOver]:
    """Give the findings that are open by a log, as they were told last; none where there is no log yet.

    Raises `WorldError`.
    """
    if not log.exists():
        return []
    found: dict[str, LeftOver] = {}
    with EventLog(log, read_only=True) as events:
        for stored in events.read():
            event = stored.event() if stored.kind in FINDING_KINDS else None
            match event.body if event is not None else None:
                case FindingOpened() | FindingUpdated() as told:
                    known = found.get(told.finding)
                    at = Timestamp(stored.at) if known is None else known.opened_at
                    found[told.finding] = LeftOver(at, told)
                case FindingCleared() as told:
                    found.pop(told.finding, None)
    return list(found.values())
