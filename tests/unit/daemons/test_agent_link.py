"""What an agent tells of its permits: only what a crash, a disk or the watchdog can not belie."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from anycastle.base.errors import WorldError
from anycastle.daemons.agent import AgentDaemon
from anycastle.daemons.agent_link import GONE_MAX, AgentLink, LinkSettings
from anycastle.health.announcements import announcements_of
from anycastle.health.commands import LeaseTerm
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.io.clock import now
from anycastle.io.link.files import CredentialFiles
from anycastle.io.routers import DriverChoice
from anycastle.model.asn import ASN
from anycastle.model.check import CheckResult, Outcome
from anycastle.model.event import Alarm, ControllerLost, ControllerMet, Event
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.stance import Stance
from anycastle.session.link_clock import Skew
from tests.unit.health.world import ESTABLISHED, fleet, pop, service


class Disk:
    """A state file's place that can refuse."""

    def __init__(self) -> None:
        self.state: AgentState | None = None
        self.full = False

    def load(self) -> AgentState | None:
        return self.state

    def save(self, state: AgentState) -> None:
        if self.full:
            raise WorldError("no space left on device")
        self.state = state


class Keeper:
    """A watchdog that acknowledges when it is told to."""

    problem = None

    def __init__(self) -> None:
        self.acknowledges = True
        self.asked: list[str] = []

    def renew(self, terms: tuple[LeaseTerm, ...]) -> None:
        pass

    async def discharge(self, terms: tuple[LeaseTerm, ...]) -> None:
        pass

    def keeps(self, service: str) -> bool:
        self.asked.append(service)
        return self.acknowledges


class Rig:
    """A daemon that has booted and serves `dns`, with its link; nothing is dialled."""

    def __init__(self, folder: Path) -> None:
        self.disk, self.keeper, self.events = Disk(), Keeper(), list[Event]()
        given = fleet(service())
        self.daemon = AgentDaemon(
            given,
            "ams",
            DriverChoice(ASN(64500), pop("ams"), folder).make(),
            record=self.events.append,
            store=self.disk,
            watchdog=self.keeper,
            random=Random(1),
        )
        nowhere = CredentialFiles(folder / "a", folder / "b", folder / "c")
        self.link = AgentLink(
            self.daemon, LinkSettings(("one",), nowhere), events_path=folder / "e.db", orders_path=folder / "o.json"
        )
        self.boot()

    def boot(self) -> None:
        engine = self.daemon.engine
        routes = announcements_of(
            engine.fleet, engine.pop, engine.fleet.services, {"dns": Stance.ANNOUNCE}, frozenset()
        )
        engine.wake(now())
        self.daemon.perform(engine.exports_read(RouterView(routes, routes, ESTABLISHED), now()))
        for _ in range(2):
            self.daemon.perform(engine.check_finished(0, CheckResult(Outcome.PASS, 0.0, ""), now()))
        engine.wake(now())

    def report(self) -> PermitReport | None:
        reports, complete = self.link.permit_reports()
        assert complete == bool(reports)
        return reports[0] if reports else None


def with_rig(folder: Path, body: Callable[[Rig], None]) -> None:
    async def run() -> None:
        body(Rig(folder))

    asyncio.run(run())


@pytest.mark.mission("C16")
def test_a_permit_given_up_is_told_once_it_is_on_disk_and_the_watchdog_keeps(tmp_path: Path) -> None:
    def body(rig: Rig) -> None:
        assert rig.link.met(3, 2) is None
        rig.link.granted("dns", 1)
        report = rig.report()
        assert report is not None
        assert (report.state, report.epoch, report.exported) == (PermitState.HELD, 1, True)
        rig.keeper.acknowledges, rig.disk.full = False, True
        rig.link.revoked("dns", 2)
        assert rig.daemon.engine.services["dns"].permit.state is PermitState.NONE
        assert rig.report() is None
        rig.keeper.acknowledges = True
        assert rig.report() is None, "the disk says that it is held"
        rig.disk.full = False
        report = rig.report()
        assert report is not None
        assert (report.state, report.epoch) == (PermitState.NONE, 2)
        assert rig.disk.state is not None
        assert rig.disk.state.permits["dns"].state is PermitState.NONE

    with_rig(tmp_path, body)


def test_what_was_on_disk_at_the_start_waits_for_the_watchdog_as_well(tmp_path: Path) -> None:
    def body(rig: Rig) -> None:
        rig.link.met(3, 2)
        rig.daemon.engine.services["dns"].permit = rig.daemon.engine.services["dns"].permit.revoked(9)
        rig.keeper.acknowledges = False
        assert rig.report() is None
        rig.keeper.acknowledges = True
        assert rig.report() is not None

    with_rig(tmp_path, body)


def test_a_service_that_is_gone_is_answered_for(tmp_path: Path) -> None:
    def body(rig: Rig) -> None:
        rig.link.met(3, 2)
        rig.link.granted("web", 4)
        rig.link.revoked("web", 5)
        reports, _ = rig.link.permit_reports()
        assert PermitReport("web", PermitState.NONE, 5, exported=False) in reports
        for number in range(GONE_MAX + 10):
            rig.link.granted(f"gone{number}", 1)
        assert len(rig.link.permit_reports()[0]) <= GONE_MAX + 1

    with_rig(tmp_path, body)


def test_a_superseded_controller_is_refused_and_the_term_is_kept(tmp_path: Path) -> None:
    def body(rig: Rig) -> None:
        assert rig.link.met(3, 2) is None
        assert rig.disk.state is not None
        assert rig.disk.state.leader_term == 3
        rig.link.lost("the connection was closed")
        assert rig.link.met(2, 2) == "term 2 was superseded by 3"
        assert [type(event.body) for event in rig.events if isinstance(event.body, ControllerMet | ControllerLost)] == [
            ControllerMet,
            ControllerLost,
        ]

    with_rig(tmp_path, body)


def test_how_it_stands_is_in_the_status(tmp_path: Path) -> None:
    def body(rig: Rig) -> None:
        assert rig.daemon.link is not None
        assert rig.daemon.link["connected"] is False
        rig.link.trouble("one: Connection refused")
        rig.link.trouble("one: No route to host")
        assert rig.daemon.link_problem == "one: No route to host"
        assert [event.body.code for event in rig.events if isinstance(event.body, Alarm)] == ["controller"], "told once"
        rig.link.met(3, 2)
        assert rig.daemon.link["connected"]
        assert rig.daemon.link["term"] == 3
        assert rig.daemon.link_problem is None
        for _ in range(3):
            rig.link.measured(Skew(-5.0, 0.01))
        assert rig.daemon.link["skew"] == {"offset_s": -5.0, "error_s": 0.01}
        assert "clocks differ" in (rig.daemon.link_problem or "")
        alarms = [event.body.code for event in rig.events if isinstance(event.body, Alarm)]
        assert alarms == ["controller", "clock-skew"]
        assert not any(problem.startswith("the clocks") for problem in rig.daemon.problems()), "it serves all the same"

    with_rig(tmp_path, body)


def test_damaged_orders_keep_no_agent_from_its_work(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text("{")

    def body(rig: Rig) -> None:
        codes = [event.body.code for event in rig.events if isinstance(event.body, Alarm)]
        assert codes == ["orders-unreadable"]

    with_rig(tmp_path, body)
