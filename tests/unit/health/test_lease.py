import pytest

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.commands import LeaseTerm
from anycastle.health.lease import Lapse, LeaseKeeper
from anycastle.model.announcement import NOTHING, Announcement
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Lease, LeaseEnd

SHARED = Announcement(parse_prefix("192.0.2.0/24"), "transit")
OWN = Announcement(parse_prefix("198.51.100.0/24"), "transit")


def term(name: str, end: LeaseEnd, *routes: Announcement) -> LeaseTerm:
    return LeaseTerm(name, Lease(end, duration_s=10.0, hold_s=100.0), frozenset(routes))


@pytest.mark.mission("C16")
def test_silence_ends_a_lease_and_each_service_ends_its_own_way() -> None:
    keeper = LeaseKeeper()
    keeper.renew(
        (
            term("now", LeaseEnd.WITHDRAW, SHARED),
            term("later", LeaseEnd.HOLD, OWN),
            term("never", LeaseEnd.KEEP, SHARED),
        ),
        Instant(0.0),
    )
    assert keeper.deadline == 10.0
    assert keeper.wake(Instant(9.9)) == ([], {SHARED, OWN})
    assert keeper.wake(Instant(10.0)) == ([Lapse("now", 10.0)], {SHARED, OWN}), "another service keeps the shared route"
    assert keeper.deadline == 110.0
    assert keeper.wake(Instant(110.0)) == ([Lapse("later", 110.0)], {SHARED})
    assert keeper.deadline == FAR_FUTURE


def test_a_word_from_the_agent_puts_it_in_charge_again() -> None:
    keeper = LeaseKeeper()
    keeper.renew((term("now", LeaseEnd.WITHDRAW, OWN),), Instant(0.0))
    keeper.alive(Instant(8.0))
    assert keeper.deadline == 18.0
    assert keeper.wake(Instant(18.0))[1] == NOTHING
    keeper.alive(Instant(20.0))
    assert keeper.wake(Instant(20.0)) == ([], {OWN})


def test_a_service_that_announces_nothing_lapses_without_a_word() -> None:
    keeper = LeaseKeeper()
    keeper.renew((term("silent", LeaseEnd.WITHDRAW),), Instant(0.0))
    assert keeper.deadline == FAR_FUTURE, "nothing to wait for"
    assert keeper.wake(Instant(10.0)) == ([], NOTHING)


def test_a_watchdog_takes_away_only_what_it_was_told_of_and_brings_nothing_back() -> None:
    keeper = LeaseKeeper()
    keeper.renew((term("dead", LeaseEnd.WITHDRAW, OWN), term("kept", LeaseEnd.KEEP, SHARED)), Instant(0.0))
    keeper.wake(Instant(10.0))
    later = Announcement(parse_prefix("203.0.113.0/24"), "transit")
    assert keeper.remaining(frozenset({OWN, SHARED, later})) == {SHARED, later}
    assert keeper.remaining(frozenset({OWN})) == NOTHING
