"""Real speakers on loopback sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.speaker.config import SpeakerConfig
from anycastle.io.speaker.event import RoutesReceived, SessionDown, SessionUp, SpeakerEvent, SpeakerWarning
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, parse_prefix
from anycastle.rib.policy import NetworkPolicy
from anycastle.session.command import Cause
from anycastle.session.config import RestartConfig
from anycastle.session.fsm import State
from tests.unit.io.speaker.pair import announce, established, heard, listener, neighbour, until


async def pair(
    local: str = "127.0.1.1",
    address: str = "127.0.0.1",
    guard: dict[str, object] | None = None,
    far_guard: dict[str, object] | None = None,
    far: dict[str, object] | None = None,
    **session: object,
) -> tuple[Speaker, Speaker]:
    """A dialling speaker (AS64500) and one that waits for it (AS64501)."""
    guard = guard or {}
    waiting = neighbour(local, 1, 64501, 64500, address, passive=True, **(far or {}))
    listening = listener(replace(waiting, **(guard if far_guard is None else far_guard)), address=address)
    await listening.start()
    port = listening.listening[0][1]
    near = Speaker(SpeakerConfig((replace(neighbour(address, port, 64500, 64501, local, **session), **guard),)))
    await near.start()
    return near, listening


@pytest.mark.mission("I1", "C1", "C2")
@pytest.mark.parametrize(
    ("local", "address", "guard"),
    [
        ("127.0.1.1", "127.0.0.1", {}),
        ("127.0.1.1", "127.0.0.1", {"password": b"correct horse"}),
        ("127.0.1.1", "127.0.0.1", {"ttl_security_hops": 1}),
        ("127.0.1.1", "127.0.0.1", {"ttl_security_hops": 1, "password": b"both"}),
        ("::1", "::1", {}),
        ("::1", "::1", {"password": b"correct horse"}),
        ("::1", "::1", {"ttl_security_hops": 1}),
    ],
)
def test_announce_change_and_withdraw(local: str, address: str, guard: dict[str, object]) -> None:
    async def body() -> None:
        near, far = await pair(local, address, guard)
        await until(lambda: established(near, far))
        first = announce("192.0.2.0/24", "2001:db8::/48", communities=("64501:1", "64501:2:3", "rt:64501:4"))
        near.set_routes(first)
        await until(lambda: len(heard(far)) == 2)
        assert near.exported() == first
        route = heard(far)["192.0.2.0/24"]
        assert str(route.attributes.as_path) == "64500"
        assert [str(each) for each in route.attributes.large_communities] == ["64501:2:3"]
        near.set_routes(announce("192.0.2.0/24", prepend=2, med=7))
        await until(lambda: set(heard(far)) == {"192.0.2.0/24"} and heard(far)["192.0.2.0/24"].attributes.med == 7)
        assert str(heard(far)["192.0.2.0/24"].attributes.as_path) == "64500 64500 64500"
        near.set_routes(frozenset())
        await until(lambda: not heard(far))
        assert near.exported() == frozenset()
        await near.stop("done")
        await far.stop("done")

    asyncio.run(body())


def run(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(body())


def test_applying_the_same_again_sends_nothing() -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        near, far = await pair()
        far._on_event = events.append
        wanted = announce("192.0.2.0/24", "2001:db8::/48", med=1)
        near.set_routes(wanted)
        await until(lambda: len(heard(far)) == 2)
        before = [event for event in events if isinstance(event, RoutesReceived)]
        near.set_routes(frozenset(wanted))
        near.set_routes(wanted | announce("198.51.100.0/24"))
        await until(lambda: len(heard(far)) == 3)
        news = [event for event in events if isinstance(event, RoutesReceived)][len(before) :]
        assert [str(route.prefix) for event in news for route in event.announced] == ["198.51.100.0/24"]
        await near.stop("done")
        await far.stop("done")

    run(body)


@pytest.mark.rfc("9003", "2")
@pytest.mark.rfc("4486", "4")
def test_a_stop_withdraws_first_and_says_why() -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        near, far = await pair()
        near.set_routes(announce("192.0.2.0/24"))
        await until(lambda: heard(far))
        far._on_event = events.append
        await near.stop("rack 7 moves")
        await until(lambda: any(isinstance(event, SessionDown) for event in events))
        withdrawal, end = [event for event in events if isinstance(event, (RoutesReceived, SessionDown))]
        assert [str(prefix) for prefix in withdrawal.withdrawn] == ["192.0.2.0/24"]
        assert end.cause is Cause.PEER_STOPPED
        assert '"rack 7 moves"' in end.reason
        await far.stop("done")

    run(body)


@pytest.mark.rfc("4724", "4.1", "4.2")
def test_with_graceful_restart_routes_outlive_a_stop_without_withdrawal() -> None:
    async def body() -> None:
        restart = RestartConfig(restart_time_s=60)
        near, far = await pair(graceful_restart=restart, far={"graceful_restart": restart})
        near.set_routes(announce("192.0.2.0/24"))
        await until(lambda: heard(far))
        await near.stop("restart", withdraw=False)
        await until(lambda: not established(far))
        assert set(heard(far)) == {"192.0.2.0/24"}
        again = Speaker(near.config)
        await again.start()
        again.set_routes(announce("192.0.2.0/24"))
        await until(lambda: established(far))
        await until(lambda: not far._sockets.sessions[far.config.neighbours[0].name].engine.stale)
        assert set(heard(far)) == {"192.0.2.0/24"}
        await again.stop("done")
        await until(lambda: not heard(far))
        await far.stop("done")

    run(body)


@pytest.mark.mission("I1")
@pytest.mark.parametrize(
    ("near_guard", "far_guard", "session", "cause", "text"),
    [
        ({"password": b"one"}, {"password": b"two"}, {}, Cause.NO_ANSWER, "a TCP-MD5 password that differs"),
        ({"password": b"one"}, {}, {}, Cause.NO_ANSWER, "a TCP-MD5 password that differs"),
        ({}, {}, {"peer_asn": ASN(64999)}, Cause.ASN_MISMATCH, "peer says AS64501, we expect AS64999"),
        ({}, {}, {"local_asn": ASN(64998)}, Cause.ASN_MISMATCH, "it expects another ASN than our AS64998"),
        ({}, {}, {"hold_time_min_s": 90, "hold_time_s": 90}, Cause.HOLD_TIME_MISMATCH, "hold time of 30 s"),
    ],
)
def test_a_mismatch_is_named(
    near_guard: dict[str, object],
    far_guard: dict[str, object],
    session: dict[str, object],
    cause: Cause,
    text: str,
) -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        near, far = await pair(guard=near_guard, far_guard=far_guard, **session)
        near._on_event = events.append

        def named() -> bool:
            downs = [event for event in events if isinstance(event, SessionDown)]
            return any(event.cause is cause and text in event.reason for event in downs)

        await until(named, str(events))
        assert near.status()[0].reason
        await near.stop("done")
        await far.stop("done")

    run(body)


@pytest.mark.rfc("4271", "6.8")
def test_two_speakers_that_dial_each_other_end_with_one_session() -> None:
    async def body() -> None:
        probes = [listener(address=address) for address in ("127.0.1.2", "127.0.1.3")]
        ports = []
        for probe in probes:
            await probe.start()
            ports.append(probe.listening[0][1])
            await probe.stop("port known")
        left, right = (
            Speaker(
                SpeakerConfig(
                    (neighbour(f"127.0.1.{there}", ports[there - 2], 64500 + here, 64500 + there, f"127.0.1.{here}"),),
                    ((ip_address(f"127.0.1.{here}"), ports[here - 2]),),
                    keep_received=True,
                )
            )
            for here, there in ((2, 3), (3, 2))
        )
        await left.start()
        await right.start()
        await until(lambda: established(left, right))
        left.set_routes(announce("192.0.2.0/24"))
        right.set_routes(announce("198.51.100.0/24"))
        await until(lambda: set(heard(right)) == {"192.0.2.0/24"} and set(heard(left)) == {"198.51.100.0/24"})
        await left.stop("done")
        await right.stop("done")

    run(body)


def test_neighbours_at_one_address_are_told_apart_by_asn_and_strangers_refused() -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        hub = Speaker(
            SpeakerConfig(
                tuple(
                    neighbour("127.0.0.1", asn, 64600, asn, "127.0.1.4", upstream=f"as{asn}", passive=True)
                    for asn in (64501, 64502)
                ),
                ((ip_address("127.0.1.4"), 0),),
                keep_received=True,
            ),
            events.append,
        )
        await hub.start()
        port = hub.listening[0][1]
        spokes = [
            Speaker(SpeakerConfig((neighbour("127.0.1.4", port, asn, 64600, source),)))
            for asn, source in ((64501, "127.0.0.1"), (64502, "127.0.0.1"))
        ]
        for spoke in spokes:
            await spoke.start()
        await until(lambda: established(hub, *spokes))
        spokes[1].set_routes(announce("192.0.2.0/24"))
        await until(lambda: heard(hub, "as64502"))
        assert heard(hub, "as64501") == {}
        strangers = [
            Speaker(SpeakerConfig((neighbour("127.0.1.4", port, 64503, 64600, source),)))
            for source in ("127.0.0.1", "127.0.0.7")
        ]
        for stranger in strangers:
            await stranger.start()
        await until(
            lambda: (
                {"127.0.0.1 says AS64503, which is no neighbour there"}
                < {event.text for event in events if isinstance(event, SpeakerWarning)}
            )
        )
        await until(lambda: all("Connection Rejected" in each.status()[0].reason for each in strangers))
        for speaker in (*spokes, *strangers, hub):
            await speaker.stop("done")

    run(body)


@pytest.mark.rfc("2918", "3")
@pytest.mark.rfc("7313", "4.1", "4.2")
def test_a_refresh_brings_the_routes_again() -> None:
    async def body() -> None:
        near, far = await pair()
        near.set_routes(announce("192.0.2.0/24"))
        await until(lambda: heard(far))
        name = far.config.neighbours[0].name
        far._core.received_from(name).withdraw([(parse_prefix("192.0.2.0/24"), 0)])
        assert not heard(far)
        far.request_refresh("peer", Family.IPV4)
        await until(lambda: heard(far))
        await near.stop("done")
        await far.stop("done")

    run(body)


@pytest.mark.rfc("4486", "4")
def test_a_peer_over_its_limit_is_cut_off() -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        near, far = await pair(far={"prefix_limits": {Family.IPV4: 2}})
        far._on_event = events.append
        near.set_routes(announce("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
        await until(lambda: any(isinstance(each, SessionDown) and each.cause is Cause.PREFIX_LIMIT for each in events))
        await near.stop("done")
        await far.stop("done")

    run(body)


def test_misuse_changes_nothing() -> None:
    async def body() -> None:
        near, far = await pair()
        near.set_routes(announce("192.0.2.0/24"))
        await until(lambda: heard(far))
        with pytest.raises(MisuseError, match="no neighbour belongs to nobody"):
            near.set_routes(announce("198.51.100.0/24", upstream="nobody"))
        with pytest.raises(MisuseError, match="once"):
            near.set_routes(announce("198.51.100.0/24") | announce("198.51.100.0/24", med=1))
        with pytest.raises(MisuseError, match="no RIB"):
            near.originate([])
        assert near.exported() == announce("192.0.2.0/24")
        with pytest.raises(WorldError, match="cannot listen on"):
            await Speaker(SpeakerConfig((), (far.listening[0],))).start()
        await near.stop("done")
        await far.stop("done")
        twice = near.config.neighbours * 2
        with pytest.raises(MisuseError, match="same address and port"):
            Speaker(SpeakerConfig(twice))
        with pytest.raises(MisuseError, match="needs a policy"):
            Speaker(SpeakerConfig(near.config.neighbours, network=NetworkPolicy(ASN(1))))

    run(body)


def test_events_can_be_followed() -> None:
    async def body() -> None:
        near, far = await pair()
        follower = far.events()
        first = asyncio.ensure_future(anext(follower))
        event = await asyncio.wait_for(first, 20)
        assert isinstance(event, SessionUp)
        await follower.aclose()
        await near.stop("done")
        await far.stop("done")

    run(body)


def test_a_guard_that_cannot_be_set_is_refused_at_once() -> None:
    config = neighbour("127.0.0.1", 1, 64500, 64501)
    for password in (b"", b"x" * 81):
        with pytest.raises(MisuseError, match="1 to 80"):
            replace(config, password=password)
    for hops in (0, 255):
        with pytest.raises(MisuseError, match="1 to 254 hops"):
            replace(config, ttl_security_hops=hops)
    assert "correct" not in repr(replace(config, password=b"correct horse"))


@pytest.mark.rfc("5082", "3")
def test_gtsm_lets_nothing_through_from_further_away() -> None:
    """The far end asks for 255 and gets the 64 of a neighbour without GTSM, which is what a distant sender has."""

    async def body() -> None:
        events: list[SpeakerEvent] = []
        near, far = await pair(far_guard={"ttl_security_hops": 1}, hold_time_s=3)
        near._on_event = far._on_event = events.append
        await until(lambda: [event for event in events if getattr(event, "cause", None) is Cause.HOLD_TIMER])
        assert not any(isinstance(event, SessionUp) for event in events)
        (waited,) = [event for event in events if getattr(event, "cause", None) is Cause.HOLD_TIMER]
        assert waited.state is State.OPEN_CONFIRM, "the near end heard the far end's OPEN, and was not heard itself"
        await near.stop("done")
        await far.stop("done")

    run(body)
