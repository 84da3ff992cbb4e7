"""What goes wrong elsewhere when agents, routers and services die, hang and lie, and must not go wrong here.

Each test is told by what an upstream sees. A driver's test module subclasses `AgentRows` and gives the fixture `rig`,
a rig that has not begun. Nothing here depends on how fast the machine is: each step waits for the one before.
"""

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.assignment_json import digest
from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check, FileTarget, Severity, TCPTarget
from anycastle.model.community import GRACEFUL_SHUTDOWN
from anycastle.model.service import Floor, Lease, LeaseEnd, OnExit, Policy
from tests.lab.agent_rigs import POP, POPS, PREFIXES, Rig, until
from tests.lab.observer import Heard, Step

DNS = PREFIXES["dns"]
STEERED = Heard(2, frozenset({GRACEFUL_SHUTDOWN}))
LEASE_S = 1.5
SHORT = Lease(LeaseEnd.WITHDRAW, LEASE_S, 1.0)
NO_PERMIT = Floor(pops=3)
"""All three PoPs must keep announcing: none holds a permit."""


@pytest.mark.mission("C2", "I1")
class AgentRows:
    """The rows."""

    # -- the agent stops ----------------------------------------------------------------------------------------------

    def test_an_agent_that_stops_withdraws_and_nothing_comes_back_with_the_router(self, rig: Rig) -> None:
        rig.begin(rig.service())
        rig.stop_agent()
        rig.expect_announced()
        confirmed = rig.events("announcements_confirmed")[-1]
        stopped = rig.expect_event("agent_stopped")
        assert confirmed.fields["routes"] == 0
        assert confirmed.sequence < stopped.sequence
        until(lambda: not rig.watchdogs(), "the watchdog has nothing to watch for")
        rig.kill_service()
        before = len(rig.observer.steps)
        rig.kill_router()
        rig.start_router()
        until(lambda: "up" in rig.observer.kinds(before), "the session is back")
        rig.start_agent()
        until(lambda: rig.stance()["condition"] == "down", "the checks have said so")
        assert rig.found_at_last_start() == []
        assert "announced" not in rig.observer.kinds(before), rig.seen()

    def test_a_held_announcement_is_a_lease_that_ends(self, rig: Rig) -> None:
        rig.begin(rig.service(on_exit=OnExit.HOLD, lease=SHORT))
        before = len(rig.observer.steps)
        rig.stop_agent()
        rig.expect_event("agent_stopped")
        assert rig.announced() == {"dns"}
        rig.kill_service()
        rig.expect_announced()
        lapsed = rig.expect_event("lease_lapsed", service="dns")
        assert lapsed.fields["silent_s"] >= LEASE_S + 1.0
        until(lambda: not rig.watchdogs(), "the watchdog has nothing left to watch for")
        assert rig.observer.kinds(before).count("update") == 1

    def test_a_held_announcement_that_is_to_be_kept_is_nobody_s_to_end(self, rig: Rig) -> None:
        rig.begin(rig.service(on_exit=OnExit.HOLD, lease=Lease(LeaseEnd.KEEP, LEASE_S)))
        rig.stop_agent()
        until(lambda: not rig.watchdogs(), "the watchdog has nothing to watch for")
        assert rig.announced() == {"dns"}
        assert not rig.events("lease_lapsed")

    def test_a_withdrawal_that_could_not_be_confirmed_is_left_to_the_watchdog(self, rig: Rig) -> None:
        rig.begin(rig.service())
        rig.break_router()
        rig.stop_agent()
        rig.kill_service()
        assert rig.announced() == {"dns"}
        rig.mend_router()
        rig.expect_announced()
        rig.expect_event("lease_lapsed", service="dns")
        until(lambda: not rig.watchdogs(), "the watchdog has nothing left to watch for")

    @pytest.mark.mission("C16")
    def test_a_restart_with_nothing_changed_tells_the_upstream_nothing(self, rig: Rig) -> None:
        disk = Check("disk", FileTarget(str(rig.folder / "full"), state="absent"), Severity.SOFT, 0.2, 0.2)
        web = rig.service("web", on_exit=OnExit.HOLD)
        rig.begin(rig.service(on_exit=OnExit.HOLD), replace(web, checks=(*web.checks, disk)))
        (rig.folder / "full").touch()
        until(lambda: rig.observer.routes()[PREFIXES["web"]] == STEERED, "the soft failure steers")
        before = len(rig.observer.steps)
        for leave in (rig.stop_agent, rig.kill_agent, rig.stop_agent):
            leave()
            rig.start_agent()
            rig.expect_ready()
            assert sorted(rig.found_at_last_start()) == [f"{DNS} transit", f"{PREFIXES['web']} transit"]
            until(lambda: rig.stance("web")["condition"] == "degraded", "the checks have answered")
            until(lambda: rig.stance()["condition"] == "up", "the checks have answered")
        rig.kill_service()  # a marker that goes the way that any earlier message would have gone
        rig.expect_announced("web")
        assert rig.observer.kinds(before) == ["withdrawn", "update"], rig.seen()
        assert len(rig.watchdogs()) == 1

    # -- the agent dies or hangs --------------------------------------------------------------------------------------

    def test_a_killed_agent_s_announcement_ends_and_the_next_agent_goes_on(self, rig: Rig) -> None:
        rig.begin(rig.service(lease=SHORT))
        rig.kill_agent()
        rig.expect_announced()
        rig.expect_event("lease_lapsed", service="dns")
        rig.start_agent()
        rig.expect_announced("dns")
        rig.expect_ready()
        assert len(rig.watchdogs()) == 1
        assert rig.found_at_last_start() == []
        rig.kill_service()
        rig.expect_announced()

    def test_each_lease_of_a_killed_agent_ends_its_own_way(self, rig: Rig) -> None:
        held = rig.service(lease=Lease(LeaseEnd.HOLD, LEASE_S, 1.0))
        rig.begin(held, rig.service("web", lease=Lease(LeaseEnd.KEEP, LEASE_S)))
        rig.kill_agent()
        rig.expect_announced("web")
        assert rig.expect_event("lease_lapsed").fields["service"] == "dns"
        assert rig.events("lease_lapsed")[0].fields["silent_s"] >= LEASE_S + 1.0

    def test_what_the_agent_withdrew_last_is_not_announced_by_its_watchdog(self, rig: Rig) -> None:
        rig.begin(rig.service(lease=SHORT), rig.service("web", lease=Lease(LeaseEnd.KEEP, LEASE_S)))
        rig.kill_service("web")
        rig.expect_announced("dns")
        before = len(rig.observer.steps)
        rig.kill_agent()
        rig.expect_announced()
        assert rig.observer.kinds(before) == ["withdrawn", "update"], rig.seen()

    def test_an_agent_that_hung_announces_again_only_after_its_checks_pass(self, rig: Rig) -> None:
        rig.begin(rig.service(lease=SHORT))
        rig.signal_agent(signal.SIGSTOP)
        rig.expect_announced()
        rig.kill_service()
        before = len(rig.observer.steps)
        rig.signal_agent(signal.SIGCONT)
        until(lambda: rig.stance()["condition"] == "down", "the checks have said so")
        assert "announced" not in rig.observer.kinds(before), rig.seen()
        rig.start_service()
        rig.expect_announced("dns")
        lapsed = rig.events("lease_lapsed")[0].sequence

        def first(field: str, value: str) -> int | None:
            later = (each for each in rig.events() if each.sequence > lapsed)
            return next((each.sequence for each in later if each.fields.get(field) == value), None)

        announced = until(lambda: first("stance", "announce"), "the log, which is written behind, says so")
        passed = first("verdict", "healthy")
        assert passed is not None
        assert passed < announced

    def test_an_agent_that_dies_and_is_back_within_its_lease_is_not_noticed(self, rig: Rig) -> None:
        rig.begin(rig.service())
        before = len(rig.observer.steps)
        rig.kill_agent()
        rig.start_agent()
        rig.expect_ready()
        assert rig.found_at_last_start() == [f"{DNS} transit"]
        rig.kill_service()
        rig.expect_announced()
        assert rig.observer.kinds(before) == ["withdrawn", "update"], rig.seen()

    # -- the router ---------------------------------------------------------------------------------------------------

    def test_a_change_that_the_router_does_not_take_is_alarmed_and_tried_until_it_does(self, rig: Rig) -> None:
        rig.begin(rig.service(), rig.service("web"))
        rig.break_router()
        rig.kill_service()

        def named() -> bool:
            status, told = rig.page("/readyz")
            return status == 503 and any(each.fields["problem"] in told for each in rig.events("router_diverged"))

        until(named, "the agent says that it is not ready, and why")
        assert rig.announced() == {"dns", "web"}
        rig.mend_router()
        rig.expect_announced("web")
        rig.expect_ready()

    def test_a_router_that_stops_in_good_order_leaves_nothing_at_its_upstream(self, rig: Rig) -> None:
        rig.begin(rig.service())
        told = until(rig.status)
        assert [session["graceful_restart"] for session in told["sessions"]] == [rig.graceful]
        before = len(rig.observer.steps)
        rig.stop_router()
        rig.expect_announced()
        until(lambda: "down" in rig.observer.kinds(before), "the session is down")
        down = next(step for step in rig.observer.steps[before:] if step.kind == "down")
        self.expect_farewell(rig, rig.observer.steps[before:], down)

    def expect_farewell(self, rig: Rig, steps: list[Step], down: Step) -> None:
        raise NotImplementedError

    def test_a_drain_withdraws_before_the_router_stops(self, rig: Rig) -> None:
        rig.begin(rig.service())
        before = len(rig.observer.steps)
        rig.cli("drain", "dns", "--reason", "new line cards", "--soak", "0.3", "--wait", "0.2")
        until(lambda: rig.stance()["drain"]["step"] == "stopped", "the drain is done")
        rig.stop_router()
        until(lambda: "down" in rig.observer.kinds(before), "the session is down")
        assert rig.observer.kinds(before) == ["announced", "update", "withdrawn", "update", "down"], rig.seen()

    def test_a_router_that_restarts_empty_has_what_serves_and_not_what_died(self, rig: Rig) -> None:
        rig.begin(rig.service(), rig.service("web"))
        before = len(rig.observer.steps)
        rig.kill_router()
        rig.kill_service("web")
        until(lambda: rig.stance("web")["stance"] == "withdraw", "the agent has decided")
        rig.start_router()
        until(lambda: "up" in rig.observer.kinds(before), "the session is back")
        rig.expect_announced("dns")
        rig.expect_ready()
        steps = rig.observer.steps[before:]
        mine = [step.kind for step in steps if step.text == DNS and step.kind != "update"]
        assert mine == ([] if rig.graceful else ["withdrawn", "announced"]), rig.seen()
        assert [step.kind for step in steps if step.text == PREFIXES["web"] and step.kind != "update"] == ["withdrawn"]

    def test_a_router_that_comes_after_its_agent_is_told_all(self, rig: Rig) -> None:
        rig.begin(rig.service())
        for _ in range(2):
            before = len(rig.observer.steps)
            rig.kill_router()
            until(lambda: rig.page("/readyz")[0] == 503, "the agent misses its router")
            rig.start_router()
            until(lambda: "up" in rig.observer.kinds(before), "the session is back")  # noqa: B023
            rig.expect_announced("dns")
            rig.expect_ready()

    # -- services -----------------------------------------------------------------------------------------------------

    @pytest.mark.mission("F7", "M9")
    def test_flapping_is_dampened_and_costs_nothing_that_lasts(self, rig: Rig) -> None:
        rig.begin(rig.service())
        assert rig.agent is not None
        process = Path("/proc", str(rig.agent.pid))
        before = len(rig.observer.steps)
        held = []
        for turn in range(16):
            (rig.start_service if turn % 2 else rig.kill_service)()
            time.sleep(0.5)  # the pace of the flapping, not a wait for something
            if turn % 8 == 7:
                held.append((len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))))
        assert rig.stance()["suppressed"]
        # The penalty of the third withdrawal suppresses: three withdrawals at most, and the announcements between.
        kinds = rig.observer.kinds(before)
        assert kinds.count("withdrawn") <= 3
        assert kinds.count("update") <= 6
        assert held[1][0] <= held[0][0] + 1
        assert held[1][1] <= held[0][1]
        until(lambda: rig.stance()["condition"] == "up", "it serves again")
        assert rig.announced() == set()

    @pytest.mark.mission("C16", "F7")
    def test_without_a_permit_it_stays_announced_steered_and_says_so(self, rig: Rig) -> None:
        rig.begin(rig.service(floor=NO_PERMIT))
        before = len(rig.observer.steps)
        rig.kill_service()
        until(lambda: rig.observer.routes()[DNS] == STEERED, "it is steered")
        rig.expect_event("withdrawal_refused", service="dns")
        assert "no withdraw permit" in rig.stance()["reason"]
        rig.kill_agent()
        rig.start_agent()
        until(lambda: rig.stance()["condition"] == "down", "the checks have said so")
        rig.stop_agent()
        until(lambda: not rig.watchdogs(), "the watchdog has nothing to watch for")
        assert rig.observer.kinds(before) == ["announced", "update"], rig.seen()

    def test_a_drain_survives_its_agent_and_ends_when_told(self, rig: Rig) -> None:
        rig.begin(rig.service())
        rig.cli("drain", "dns", "--reason", "new line cards", "--soak", "0.5", "--wait", "0.2")
        until(lambda: rig.observer.routes().get(DNS) == STEERED, "it is shut gracefully first")
        rig.expect_announced()
        rig.expect_event("drain_changed", step="withdrawn")  # what is not on disk yet dies with a killed agent
        before = len(rig.observer.steps)
        for leave in (rig.kill_agent, rig.stop_agent):
            leave()
            rig.start_agent()
            until(lambda: rig.stance()["condition"] == "up", "the checks have answered")
            assert (rig.stance()["stance"], rig.stance()["reason"]) == ("withdraw", "drained")
        assert not rig.observer.steps[before:]
        rig.cli("undrain", "dns", "--reason", "done")
        rig.expect_announced("dns")
        steps = [each.fields["step"] for each in rig.events("drain_changed")]
        assert steps == ["shutting", "withdrawn", "stopped", "normal"]

    # -- reload -------------------------------------------------------------------------------------------------------

    def test_a_reload_of_broken_files_changes_nothing_and_says_so(self, rig: Rig) -> None:
        rig.begin(rig.service())
        before = len(rig.observer.steps)
        (rig.fleet_dir / "services" / "dns.yaml").write_text("name: dns\nprefixes: []\n")
        rig.signal_agent(signal.SIGHUP)
        refused = rig.expect_event("operator_commanded", command="reload", granted=False)
        assert "dns.yaml" in refused.fields["reason"]
        rig.kill_service()  # the agent goes on as before
        rig.expect_announced()
        assert rig.observer.kinds(before) == ["withdrawn", "update"], rig.seen()

    @pytest.mark.mission("C16", "F7")
    def test_a_bad_check_that_is_pushed_leaves_the_floor_announcing(self, rig: Rig) -> None:
        good = rig.service(floor=NO_PERMIT)
        rig.begin(good, rig.service("web"))
        before = len(rig.observer.steps)
        target = good.checks[0].target
        assert isinstance(target, TCPTarget)
        bad = replace(good.checks[0], target=replace(target, port=9))
        rig.write(replace(good, checks=(bad,)), rig.service("web"))
        rig.signal_agent(signal.SIGHUP)
        rig.expect_event("operator_commanded", command="reload", granted=True)
        rig.expect_event("withdrawal_refused", service="dns")
        until(lambda: rig.observer.routes()[DNS] == STEERED, "it is steered")
        assert rig.observer.kinds(before) == ["announced", "update"], rig.seen()

    def test_a_reload_takes_a_new_service_and_gives_up_an_old_one(self, rig: Rig) -> None:
        rig.begin(rig.service())
        rig.write(rig.service("web"))
        rig.start_service("web")
        rig.signal_agent(signal.SIGHUP)
        rig.expect_announced("web")

    def test_a_reload_that_needs_another_router_is_refused_until_a_restart(self, rig: Rig) -> None:
        rig.begin(rig.service())
        pop = rig.pop()
        upstream = replace(pop.upstreams[0], name="another")
        policies = {(name, "another"): Policy() for name in POPS}
        rig.write(rig.service(policies=policies), pop=replace(pop, upstreams=(upstream,)))
        rig.signal_agent(signal.SIGHUP)
        refused = rig.expect_event("operator_commanded", command="reload", granted=False)
        assert "restart" in refused.fields["reason"]
        rig.kill_service()
        rig.expect_announced()

    # -- assignments --------------------------------------------------------------------------------------------------

    @pytest.mark.mission("C3", "F7")
    def test_an_agent_lives_by_its_assignment_also_after_it_was_killed(self, rig: Rig) -> None:
        rig.begin(rig.service(on_exit=OnExit.HOLD))
        prepended = {(POP, "transit"): Policy(attributes=RouteAttributes(prepend=3))}
        octets = rig.assignment(rig.service(policies=prepended))
        told = rig.assign(octets)
        assert told["assignment"]["digest"] == digest(octets)
        until(lambda: rig.observer.routes()[DNS].prepend == 3, "it is prepended")
        rig.expect_event("assignment_taken", digest=digest(octets), origin="controller")
        rig.kill_agent()
        before = len(rig.observer.steps)
        (rig.fleet_dir / "services" / "dns.yaml").write_text("no: service\n")  # nor does it need its files any more
        rig.start_agent()
        rig.expect_event("assignment_taken", digest=digest(octets), origin="disk")
        assert "dns.yaml" in rig.expect_event("alarm", code="fleet-files").fields["text"]
        rig.expect_ready()
        assert rig.observer.routes()[DNS].prepend == 3
        assert not rig.observer.steps[before:], rig.seen()
        status = rig.status()
        assert status is not None
        assert status["assignment"] == told["assignment"]

    @pytest.mark.mission("C3", "F7")
    def test_a_damaged_assignment_stops_the_agent_and_the_router_announces_on_until_it_is_forgotten(
        self, rig: Rig
    ) -> None:
        rig.begin(rig.service(on_exit=OnExit.HOLD))
        prepended = {(POP, "transit"): Policy(attributes=RouteAttributes(prepend=3))}
        rig.assign(rig.assignment(rig.service(policies=prepended)))
        until(lambda: rig.observer.routes()[DNS].prepend == 3, "it is prepended")
        assert "stop the agent of ams first" in rig.forget_assignment(done=False)
        before = len(rig.observer.steps)
        rig.kill_agent()
        stored = rig.state_dir / "assignment.json"
        stored.write_bytes(stored.read_bytes()[:-20])
        assert "is damaged" in rig.start_agent_in_vain()
        assert rig.observer.routes()[DNS].prepend == 3
        assert not rig.observer.steps[before:], rig.seen()
        assert "assignment-forgotten.json" in rig.forget_assignment()
        rig.start_agent()
        until(lambda: rig.observer.routes()[DNS].prepend == 0, "the files count")
        status = rig.status()
        assert status is not None
        assert status["assignment"] is None
        assert "lives by its fleet files" in rig.forget_assignment(done=False)

    @pytest.mark.mission("C3", "F7")
    def test_an_assignment_is_refused_that_would_end_a_service_without_a_permit(self, rig: Rig) -> None:
        rig.begin(rig.service(floor=NO_PERMIT), rig.service("web"))
        before = len(rig.observer.steps)
        octets = rig.assignment(rig.service("web"))
        with pytest.raises(WorldError, match="would withdraw dns from ams, and no permit allows it"):
            rig.assign(octets)
        rig.expect_event("assignment_refused", digest=digest(octets))
        silent = rig.service("web", policies={(POP, "transit"): Policy(announce=False)})
        rig.assign(rig.assignment(rig.service(floor=NO_PERMIT), silent))  # for that one there is a permit
        rig.expect_announced("dns")
        assert rig.observer.kinds(before) == ["withdrawn", "update"], rig.seen()

    @pytest.mark.mission("F7")
    def test_files_that_are_read_anew_do_not_belie_the_assignment(self, rig: Rig) -> None:
        rig.begin(rig.service())
        rig.assign(rig.assignment(rig.service()))
        rig.write(rig.service("web"))
        rig.signal_agent(signal.SIGHUP)
        refused = rig.expect_event("operator_commanded", command="reload", granted=False)
        assert "lives by its assignment" in refused.fields["reason"]
        assert rig.announced() == {"dns"}

    @pytest.mark.mission("F7")
    def test_an_assignment_for_other_routers_is_refused_and_upstreams_may_come_first(self, rig: Rig) -> None:
        rig.begin(rig.service())
        pop = rig.pop()
        more = (*pop.upstreams, replace(pop.upstreams[0], name="another"))
        with pytest.raises(WorldError, match="the upstream another of ams is not what its agent runs"):
            rig.assign(rig.assignment(rig.service(), pop=replace(pop, upstreams=more)))
        rig.assign(rig.assignment(rig.service(policies={}), pop=replace(pop, upstreams=())))
        rig.expect_announced()
        rig.assign(rig.assignment(rig.service()))
        rig.expect_announced("dns")
