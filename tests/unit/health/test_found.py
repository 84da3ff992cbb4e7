"""What is announced when an agent takes another fleet, and how long it vouches for nothing after a boot."""

import pytest

from anycastle.base.ports import Instant
from anycastle.health.found import take_at_reload
from anycastle.health.heartbeat import SPEAKING_S, Heartbeat
from anycastle.model.announcement import Announcement
from anycastle.model.fleet import SharedPrefix
from anycastle.model.permit import PermitState
from anycastle.model.stance import Stance
from tests.unit.health.test_pop_services import DNS, DOWN, HELD, NONE, WEB, served, state
from tests.unit.health.world import PREFIX

ANNOUNCED = frozenset({Announcement(PREFIX, "transit")})


@pytest.mark.mission("C16")
@pytest.mark.parametrize("rule", SharedPrefix)
@pytest.mark.parametrize("new", [True, False])
def test_a_reload_withdraws_from_nobody_what_is_announced(rule: SharedPrefix, new: bool) -> None:
    dns = state(DNS, HELD, DOWN)
    take_at_reload(served(dns, state(WEB), rule=rule), dns, ANNOUNCED, new=new)
    found = new or rule is SharedPrefix.ANY
    assert dns.decision.stance is (Stance.ANNOUNCE if found else Stance.WITHDRAW)
    assert dns.permit == HELD


@pytest.mark.mission("C16")
def test_a_new_service_that_is_not_announced_has_spent_its_permit() -> None:
    for permit, new, after in (
        (HELD, True, PermitState.USED),
        (HELD, False, PermitState.HELD),
        (NONE, True, NONE.state),
    ):
        dns = state(DNS, permit, DOWN)
        take_at_reload(served(dns), dns, frozenset(), new=new)
        assert (dns.permit.state, dns.decision) == (after, DOWN)


@pytest.mark.mission("P4")
@pytest.mark.parametrize(("lease_s", "span_s"), [(60.0, SPEAKING_S), (5.0, 2.5)])
def test_after_a_boot_old_leases_run_on_until_checks_had_time_to_speak(lease_s: float, span_s: float) -> None:
    heartbeat = Heartbeat(Instant(0.0), 1.0)
    heartbeat.adopt([lease_s, 90.0])
    heartbeat.boot(Instant(10.0))
    assert heartbeat.due == 10.0
    assert heartbeat.waits_for_checks(Instant(10.0 + span_s - 0.01))
    assert not heartbeat.waits_for_checks(Instant(10.0 + span_s))
