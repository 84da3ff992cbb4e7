"""What becomes of an assignment where the disk fails, and where the agent dies right after it was written."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.daemons.agent import AgentDaemon, status
from anycastle.daemons.assigned import begin_with
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.io.access_file import AccessFile
from anycastle.io.agent_state import AgentStateFile
from anycastle.io.assignment_file import AssignmentFile
from anycastle.io.assignment_json import digest, encode
from anycastle.io.clock import now
from anycastle.io.routers.embedded import InProcessDriver
from anycastle.io.speaker.for_pop import speaker_config
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.announcement import RouteAttributes
from anycastle.model.event import AssignmentRefused, AssignmentTaken, Event
from anycastle.model.fleet import Fleet
from anycastle.model.service import Policy
from tests.unit.health.world import ESTABLISHED, fleet, service

pytestmark = pytest.mark.mission("C3", "F7")

LONGER = {("ams", "transit"): Policy(attributes=RouteAttributes(prepend=1))}
OCTETS = encode(fleet(service(pops=("ams",), policies=LONGER), pops=("ams",)))


class Died(BaseException):
    """The process was killed."""


class DyingFile(AssignmentFile):
    """The last thing that the agent does is to write."""

    def save(self, octets: bytes, taken: Timestamp) -> None:
        super().save(octets, taken)
        raise Died


def running(folder: Path, file: AssignmentFile, check: Callable[[AgentDaemon, list[Event]], None]) -> None:
    """An agent that knows what its router announces, which is nothing."""

    async def main() -> None:
        events: list[Event] = []
        files = fleet()
        driver = InProcessDriver(Speaker(speaker_config(files.asn, files.pop("ams")), lambda _: None))
        store = AgentStateFile(folder / "agent.json")
        daemon = AgentDaemon(files, "ams", driver, record=events.append, store=store, assignments=file)
        daemon.perform(daemon.engine.exports_read(RouterView(frozenset(), frozenset(), ESTABLISHED), now()))
        check(daemon, events)

    asyncio.run(main())


def after_a_start(folder: Path) -> Fleet:
    async def load() -> Fleet:
        return fleet()

    stored, access = AssignmentFile(folder / "assignment.json"), AccessFile(folder / "controller.json")
    return asyncio.run(begin_with(stored, access, "ams", load)).fleet


def test_one_that_is_taken_is_told_and_sent_again_changes_nothing(tmp_path: Path) -> None:
    def check(daemon: AgentDaemon, events: list[Event]) -> None:
        daemon.assign(OCTETS)
        daemon.assign(OCTETS)
        taken = [each.body for each in events if isinstance(each.body, AssignmentTaken)]
        assert taken == [AssignmentTaken(digest(OCTETS), "controller", ("dns",))]
        assert status(daemon)["assignment"]["digest"] == digest(OCTETS)
        assert status(daemon)["services"][0]["definitions"].keys() >= {"checks", "floor", "steering via transit"}

    running(tmp_path, AssignmentFile(tmp_path / "assignment.json"), check)


def test_a_disk_that_fails_refuses_it_and_nothing_has_changed(tmp_path: Path) -> None:
    def check(daemon: AgentDaemon, events: list[Event]) -> None:
        before = daemon.engine.fleet
        with pytest.raises(MisuseError, match="cannot be written"):
            daemon.assign(OCTETS)
        assert daemon.engine.fleet is before
        assert daemon.assignment is None
        assert isinstance(events[-1].body, AssignmentRefused)

    running(tmp_path, AssignmentFile(tmp_path / "gone" / "assignment.json"), check)
    assert after_a_start(tmp_path) == fleet()


class HalfFailingFile(AssignmentFile):
    """The second file is put in place, and the disk says that it failed."""

    saved = 0

    def save(self, octets: bytes, taken: Timestamp) -> None:
        super().save(octets, taken)
        self.saved += 1
        if self.saved == 2:
            raise WorldError("Input/output error")


def test_what_may_have_been_saved_is_put_right_by_the_next_that_is_sent(tmp_path: Path) -> None:
    file = HalfFailingFile(tmp_path / "assignment.json")

    def check(daemon: AgentDaemon, _: list[Event]) -> None:
        daemon.assign(OCTETS)
        with pytest.raises(MisuseError, match="Input/output"):
            daemon.assign(encode(fleet(service(pops=("ams",)), pops=("ams",))))
        daemon.assign(OCTETS)

    running(tmp_path, file, check)
    stored = file.load()
    assert stored is not None
    assert stored.digest == digest(OCTETS), "the same again is no news, and still it is written"


def test_an_agent_that_is_killed_once_it_is_written_lives_by_it_at_the_next_start(tmp_path: Path) -> None:
    def check(daemon: AgentDaemon, _: list[Event]) -> None:
        with pytest.raises(Died):
            daemon.assign(OCTETS)

    running(tmp_path, DyingFile(tmp_path / "assignment.json"), check)
    assert after_a_start(tmp_path).services[0].policies == LONGER


@pytest.mark.parametrize("octets", [b"", b"{", b'{"version": 2}', OCTETS.replace(b'"ams"', b'"fra"'), OCTETS[:-9]])
def test_what_is_no_assignment_for_this_pop_is_refused(tmp_path: Path, octets: bytes) -> None:
    def check(daemon: AgentDaemon, events: list[Event]) -> None:
        with pytest.raises(MisuseError):
            daemon.assign(octets)
        assert isinstance(events[-1].body, AssignmentRefused)

    running(tmp_path, AssignmentFile(tmp_path / "assignment.json"), check)
    assert not (tmp_path / "assignment.json").exists()


def test_what_it_stands_on_is_on_disk_first(tmp_path: Path) -> None:
    """The term of the controller that says so: without it files would deal permits after a restart."""

    def check(daemon: AgentDaemon, _: list[Event]) -> None:
        _, commands = daemon.engine.controller_met(7, now())
        daemon.perform(commands)
        with pytest.raises(Died):
            daemon.assign(OCTETS)

    running(tmp_path, DyingFile(tmp_path / "assignment.json"), check)
    saved = AgentStateFile(tmp_path / "agent.json").load()
    assert isinstance(saved, AgentState)
    assert saved.leader_term == 7


def test_one_that_is_refused_is_news_for_controllers_for_its_permits_are_wanted_now(tmp_path: Path) -> None:
    told: list[str] = []

    def check(daemon: AgentDaemon, _: list[Event]) -> None:
        daemon.on_change = lambda: told.append("changed")
        with pytest.raises(MisuseError):
            daemon.assign(b"no assignment")

    running(tmp_path, AssignmentFile(tmp_path / "assignment.json"), check)
    assert told == ["changed"]
