"""What our own agents' logs say of announcements, as facts."""

from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.config import load_fleet
from anycastle.io.event_log import EventLog
from anycastle.io.own_changes import own_changes
from anycastle.model.event import AgentStopped, AnnouncementsApplied, DrainChanged, Event
from anycastle.model.prefix import parse_prefix
from anycastle.watch.fact import OwnAction, OwnChange, OwnDrain
from tests.unit.io.config.folders import SMALL, write

OURS = parse_prefix("192.0.2.0/24")


@pytest.mark.mission("M2", "C16")
def test_announcements_withdrawals_and_drains(tmp_path: Path) -> None:
    fleet = load_fleet(write(tmp_path / "fleet", SMALL)).fleet
    assert fleet is not None
    bodies = [
        AnnouncementsApplied(("192.0.2.0/24 transit-a", "192.0.2.0/24 transit-b", "and 3 more"), (), ()),
        DrainChanged("dns", "shutting", "anna", "new kernel"),
        AnnouncementsApplied((), ("192.0.2.0/24 transit-b",), ("192.0.2.0/24 transit-a",)),
        DrainChanged("dns", "normal", "", "the drain ended"),
        AgentStopped("SIGTERM"),
    ]
    with EventLog(tmp_path / "events.db") as log:
        log.append([Event(Timestamp(float(number)), "fra1", body) for number, body in enumerate(bodies)])
    at = [Timestamp(float(number)) for number in range(4)]
    assert list(own_changes(tmp_path / "events.db", fleet)) == [
        OwnChange(at[0], OURS, OwnAction.ANNOUNCE, "fra1", "transit-a"),
        OwnChange(at[0], OURS, OwnAction.ANNOUNCE, "fra1", "transit-b"),
        OwnDrain(at[1], "fra1", (OURS,), True, "new kernel (anna)"),
        OwnChange(at[2], OURS, OwnAction.WITHDRAW, "fra1", "transit-a"),
        OwnChange(at[2], OURS, OwnAction.CHANGE, "fra1", "transit-b"),
        OwnDrain(at[3], "fra1", (OURS,), False, "the drain ended ()"),
    ]
