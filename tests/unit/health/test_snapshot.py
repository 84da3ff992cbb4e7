"""What is saved of permits, and what another fleet makes an agent want."""

import pytest

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.other_fleet import WISH_S, WishedPermits
from anycastle.health.permits import Permit
from anycastle.health.snapshot import permits_of_left, with_uses_foreseen
from anycastle.health.state import AgentState
from anycastle.model.permit import PermitState
from tests.unit.health.test_pop_services import DNS, DOWN, HELD, WEB, served, state


@pytest.mark.mission("C16")
def test_of_services_that_left_the_epochs_are_kept_and_no_permit() -> None:
    saved = AgentState(
        permits={"dns": Permit(PermitState.HELD, 3), "gone": Permit(PermitState.USED, 2), "new": Permit()}
    )
    assert permits_of_left(saved, served(state(DNS))) == {"gone": Permit(PermitState.NONE, 2)}


@pytest.mark.mission("C16")
def test_only_what_is_announced_will_use_a_permit() -> None:
    dns, web = state(DNS), state(WEB)
    saved = AgentState(permits={"dns": HELD, "web": HELD})
    used = with_uses_foreseen(saved, served(dns, web), [dns])
    assert {name: permit.state for name, permit in used.permits.items()} == {
        "dns": PermitState.USED,
        "web": PermitState.USED,
    }
    down = state(DNS, HELD, DOWN)
    assert with_uses_foreseen(saved, served(down, web), [down]) == saved


def test_a_wish_for_nothing_is_over_at_once() -> None:
    wishes = WishedPermits()
    wishes.wish(["dns"], Instant(5.0))
    assert (wishes.services, wishes.deadline) == ({"dns"}, 5.0 + WISH_S)
    wishes.wish([], Instant(6.0))
    assert (wishes.services, wishes.deadline) == (frozenset(), FAR_FUTURE)
