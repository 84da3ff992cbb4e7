"""Two speakers, or more, on loopback."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address

from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import parse_community
from anycastle.model.prefix import Address, Family, parse_prefix
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import State

DEADLINE_S = 20.0
BOTH = (Family.IPV4, Family.IPV6)


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition, at most until the deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < end, f"not within {DEADLINE_S} s: {what or condition}"
        await asyncio.sleep(0.005)


def neighbour(
    address: str,
    port: int,
    own: int,
    peer: int | None,
    local: str | None = None,
    upstream: str = "peer",
    next_hops: dict[Family, Address] | None = None,
    **session: object,
) -> NeighbourConfig:
    """A neighbour with quick timers."""
    last = int(ip_address(local or "127.0.0.1")) & 0xFF
    config = SessionConfig(
        local_asn=ASN(own),
        peer_asn=None if peer is None else ASN(peer),
        identifier=IPv4Address(f"10.0.{own & 0xFF}.{last}"),
        peer=f"{address} port {port}",
        families=BOTH,
        connect_retry_s=0.5,
        idle_hold_s=0.1,
    )
    hops = next_hops or {Family.IPV4: ip_address("192.0.2.9"), Family.IPV6: ip_address("2001:db8::9")}
    return NeighbourConfig(
        upstream,
        ip_address(address),
        replace(config, **session),
        port=port,
        local_address=ip_address(local) if local else None,
        next_hops=hops,
    )


def listener(*neighbours: NeighbourConfig, address: str = "127.0.0.1", **more: object) -> Speaker:
    """A speaker that listens on a free port and keeps what it hears."""
    return Speaker(SpeakerConfig(neighbours, ((ip_address(address), 0),), keep_received=True, **more))


def established(*speakers: Speaker) -> bool:
    return all(status.state is State.ESTABLISHED for speaker in speakers for status in speaker.status())


def announce(
    *prefixes: str, upstream: str = "peer", communities: tuple[str, ...] = (), **attributes: object
) -> Announcements:
    carried = frozenset(map(parse_community, communities))
    return frozenset(
        Announcement(parse_prefix(prefix), upstream, RouteAttributes(communities=carried, **attributes))
        for prefix in prefixes
    )


def heard(speaker: Speaker, upstream: str = "peer") -> dict[str, object]:
    """Prefix -> route, as the speaker received them."""
    return {str(route.prefix): route for route in speaker.received(upstream)}
