"""What every router driver must do, told by what the neighbours of a real router see.

A driver's test module subclasses `DriverContract` and gives a fixture `rig` that implements `Rig`: a router with two
upstreams, `t1` and `t2`, each a real BGP speaker with a session for IPv4 and one for IPv6.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.routers.contract import RouterDriver, SessionState
from anycastle.model.announcement import NOTHING, Announcement, Announcements, RouteAttributes
from anycastle.model.community import GRACEFUL_SHUTDOWN, Community, LargeCommunity, StandardCommunity, parse_community
from anycastle.model.prefix import Family, Prefix, parse_prefix

Result = TypeVar("Result")

WAIT_S = 10.0
POLL_S = 0.02

V4 = parse_prefix("192.0.2.0/24")
V6 = parse_prefix("2001:db8:53::/48")
OTHER = parse_prefix("198.51.100.0/24")


@dataclass(frozen=True, slots=True)
class Received:
    """A route as a neighbour has it. Prepends are counted beyond the ASN that eBGP adds."""

    prepend: int = 0
    med: int | None = None
    communities: frozenset[Community] = frozenset()


class Rig(Protocol):
    """A router with neighbours."""

    def driver(self) -> RouterDriver:
        """Make a driver."""
        ...

    def received(self, upstream: str) -> dict[Prefix, Received]:
        """Give what a neighbour has from the router, both families."""
        ...

    def messages(self, upstream: str) -> int:
        """Give how many announcements and withdrawals of a prefix a neighbour has received."""
        ...

    def changes(self, upstream: str) -> int:
        """Give how many of these changed what the neighbour has: all but repetitions."""
        ...

    def stop_session(self, upstream: str) -> None:
        """Have a neighbour close its sessions, and keep them closed."""
        ...

    def start_session(self, upstream: str) -> None:
        """Undo that; returns before the sessions are up."""
        ...

    def restart_router(self, between: Callable[[], None] = lambda: None) -> None:
        """Kill the router, do something, and start it again; returns before its sessions are up."""
        ...


def announcements(*prefixes: Prefix, upstreams: tuple[str, ...] = ("t1", "t2"), **attributes: object) -> Announcements:
    given = RouteAttributes(**attributes)  # type: ignore[arg-type]
    return frozenset(Announcement(prefix, upstream, given) for prefix in prefixes for upstream in upstreams)


def until(probe: Callable[[], Result], good: Callable[[Result], bool]) -> Result:
    """Give the first result that is good, or the last one at the deadline."""
    deadline = time.monotonic() + WAIT_S
    while not good(result := probe()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return result


async def awaited(probe: Callable[[], Awaitable[Result]], good: Callable[[Result], bool]) -> Result:
    """Give the first result that is good, or the last one at the deadline."""
    deadline = time.monotonic() + WAIT_S
    while not good(result := await probe()) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
    return result


def expect_received(rig: Rig, upstream: str, expected: dict[Prefix, Received]) -> None:
    found = until(lambda: rig.received(upstream), lambda found: found == expected)
    assert found == expected, f"{upstream} has {found}, expected {expected}"


async def all_established(driver: RouterDriver) -> None:
    sessions = await awaited(
        driver.sessions, lambda found: all(session.state is SessionState.ESTABLISHED for session in found)
    )
    assert {session.state for session in sessions} == {SessionState.ESTABLISHED}, sessions


def converse(rig: Rig, body: Callable[[RouterDriver], Awaitable[None]]) -> None:
    """Run a test's body with a driver whose sessions are up and which announces nothing."""

    async def main() -> None:
        driver = rig.driver()
        try:
            await driver.start()
            await driver.apply(NOTHING)
            await all_established(driver)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {})
            await body(driver)
        finally:
            await driver.close()

    asyncio.run(main())


@pytest.mark.mission("I1", "C2")
class DriverContract:
    """The tests."""

    def test_announce_and_withdraw_both_families(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            wanted = announcements(V4, V6)
            await driver.apply(wanted)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: Received(), V6: Received()})
            assert await driver.exported() == wanted
            assert await driver.configured() == wanted
            await driver.apply(announcements(V6))
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V6: Received()})
            assert await driver.exported() == announcements(V6)
            await driver.apply(NOTHING)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {})
            assert await driver.exported() == await driver.configured() == NOTHING

        converse(rig, body)

    @pytest.mark.parametrize("prefix", [V4, V6], ids=["ipv4", "ipv6"])
    def test_attributes_are_told_and_changed(self, rig: Rig, prefix: Prefix) -> None:
        communities = frozenset(
            map(parse_community, ("65535:0", "64601:70", "64500:1:2", "4200000000:4200000001:7", "rt:64500:9"))
        )
        steps = [
            {"prepend": 3, "med": 50, "communities": communities},
            {"prepend": 1, "med": 0, "communities": frozenset({GRACEFUL_SHUTDOWN})},
            {"communities": frozenset({parse_community("soo:4200000000:9"), parse_community("0x0300000000000001")})},
            {},
        ]

        async def body(driver: RouterDriver) -> None:
            for step in steps:
                wanted = announcements(prefix, **step)
                await driver.apply(wanted)
                for upstream in ("t1", "t2"):
                    expect_received(rig, upstream, {prefix: Received(**step)})
                assert await driver.exported() == wanted
                assert await driver.configured() == wanted

        converse(rig, body)

    def test_each_upstream_is_told_its_own(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            first = announcements(V4, V6, upstreams=("t1",), prepend=2, med=7)
            second = announcements(V6, upstreams=("t2",), communities=frozenset({StandardCommunity(64602, 3)}))
            await driver.apply(first | second)
            expect_received(rig, "t1", {V4: Received(2, 7), V6: Received(2, 7)})
            expect_received(rig, "t2", {V6: Received(communities=frozenset({StandardCommunity(64602, 3)}))})
            assert await driver.exported() == first | second
            await driver.apply(second)
            expect_received(rig, "t1", {})
            expect_received(rig, "t2", {V6: Received(communities=frozenset({StandardCommunity(64602, 3)}))})

        converse(rig, body)

    def test_a_change_for_one_upstream_changes_nothing_for_the_other(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            second = announcements(V4, OTHER, upstreams=("t2",))
            await driver.apply(second | announcements(V4, OTHER, upstreams=("t1",)))
            expect_received(rig, "t2", {V4: Received(), OTHER: Received()})
            before = rig.changes("t2")
            for prepend in range(1, 6):
                changed = announcements(V4, OTHER, upstreams=("t1",), prepend=prepend)
                await driver.apply(second | changed)
                expect_received(rig, "t1", {V4: Received(prepend), OTHER: Received(prepend)})
            assert rig.changes("t2") == before

        converse(rig, body)

    def test_applying_the_same_again_tells_nobody_anything(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            wanted = announcements(V4, V6, prepend=1, communities=frozenset({LargeCommunity(64500, 1, 1)}))
            await driver.apply(wanted)
            expected = Received(1, None, frozenset({LargeCommunity(64500, 1, 1)}))
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: expected, V6: expected})
            before = rig.messages("t1"), rig.messages("t2")
            for _ in range(5):
                await driver.apply(wanted)
            again = rig.driver()  # as after a restart of the agent
            await again.start()
            assert await again.configured() == wanted
            await again.apply(wanted)
            await again.close()
            # A marker that goes the same way as any earlier message would have gone before it.
            await driver.apply(wanted | announcements(OTHER))
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: expected, V6: expected, OTHER: Received()})
            assert (rig.messages("t1"), rig.messages("t2")) == (before[0] + 1, before[1] + 1)

        converse(rig, body)

    def test_five_hundred_prefixes_in_one_go(self, rig: Rig) -> None:
        prefixes = [Prefix(Family.IPV4, (10 << 24) + (number << 8), 24) for number in range(500)]

        async def body(driver: RouterDriver) -> None:
            wanted = announcements(*prefixes, prepend=1)
            await driver.apply(wanted)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, dict.fromkeys(prefixes, Received(1)))
            assert await driver.exported() == wanted
            assert await driver.configured() == wanted
            before = rig.messages("t1")
            await driver.apply(NOTHING)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {})
            assert rig.messages("t1") == before + 500

        converse(rig, body)

    def test_sessions_are_told_and_exports_are_truthful_while_one_is_down(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            wanted = announcements(V4, V6)
            await driver.apply(wanted)
            assert await awaited(driver.exported, lambda found: found == wanted) == wanted
            sessions = await driver.sessions()
            assert sorted(session.upstream for session in sessions) == ["t1", "t1", "t2", "t2"]
            assert {family for session in sessions for family in session.families} == {Family.IPV4, Family.IPV6}
            rig.stop_session("t2")
            try:
                left = announcements(V4, V6, upstreams=("t1",))
                assert await awaited(driver.exported, lambda found: found == left) == left
                assert await driver.configured() == wanted
                down = [session for session in await driver.sessions() if session.upstream == "t2"]
                assert all(session.state is not SessionState.ESTABLISHED for session in down)
                assert any(session.detail for session in down)
                await driver.apply(announcements(V6))
            finally:
                rig.start_session("t2")
            await all_established(driver)
            expect_received(rig, "t2", {V6: Received()})
            assert await driver.exported() == announcements(V6)

        converse(rig, body)

    def test_a_restarted_router_announces_what_is_wanted(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            wanted = announcements(V4, V6, prepend=1)
            await driver.apply(wanted)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: Received(1), V6: Received(1)})
            rig.restart_router()
            assert await awaited(lambda: reapplied(driver, wanted), bool)
            await all_established(driver)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: Received(1), V6: Received(1)})
            # With graceful restart the neighbours have kept the routes, and the router sends them a little later.
            assert await awaited(driver.exported, lambda found: found == wanted) == wanted

        converse(rig, body)

    def test_what_was_withdrawn_while_the_router_was_away_does_not_come_back(self, rig: Rig) -> None:
        async def body(driver: RouterDriver) -> None:
            await driver.apply(announcements(V4, V6))
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V4: Received(), V6: Received()})
            refused: list[WorldError] = []

            def withdraw() -> None:
                # In a thread with a loop of its own: the restart is under way in this one.
                with pytest.raises(WorldError) as caught:
                    asyncio.run(withdrawn(rig.driver()))
                refused.append(caught.value)

            await asyncio.to_thread(rig.restart_router, withdraw)
            assert refused[0].retryable
            assert await awaited(lambda: reapplied(driver, announcements(V6)), bool)
            await all_established(driver)
            for upstream in ("t1", "t2"):
                expect_received(rig, upstream, {V6: Received()})

        converse(rig, body)


async def withdrawn(driver: RouterDriver) -> None:
    try:
        await driver.apply(announcements(V6))
    finally:
        await driver.close()


async def reapplied(driver: RouterDriver, wanted: Announcements) -> bool:
    """Do what an agent does each second: tell the router again; tell whether it took it."""
    try:
        await driver.apply(wanted)
    except WorldError as error:
        return not error.retryable  # the rest of the test then fails
    return True
