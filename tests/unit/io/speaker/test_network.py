"""Emulated networks: a client and a service meet through a transit, and a collector watches."""

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.event import BestChanged, SpeakerEvent
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN, StandardCommunity
from anycastle.model.prefix import parse_prefix
from anycastle.rib.action import actions_of
from anycastle.rib.origination import own_route
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from tests.unit.io.speaker.pair import announce, established, heard, neighbour, until

R = Relationship
TRANSIT = "127.0.2.1"
NO_ANNOUNCE = StandardCommunity(64601, 3)
PREFIX = parse_prefix("192.0.2.0/24")


def customer_of(asn: int, source: str, port: int) -> NeighbourConfig:
    return neighbour(TRANSIT, port, asn, 64601, source)


def transit(events: list[SpeakerEvent]) -> Speaker:
    def side(asn: int, address: str, relationship: Relationship) -> NeighbourConfig:
        config = neighbour(address, 1, 64601, asn, TRANSIT, upstream=f"as{asn}", passive=True)
        return replace(config, policy=NeighbourPolicy(f"as{asn}", ASN(asn), relationship))

    neighbours = (
        side(64500, "127.0.2.2", R.CUSTOMER),
        replace(
            side(64500, "127.0.2.3", R.CUSTOMER),
            upstream="second",
            policy=NeighbourPolicy("second", ASN(64500), R.CUSTOMER, local_preference=150),
        ),
        side(64701, "127.0.2.4", R.CUSTOMER),
        side(65000, "127.0.2.5", R.COLLECTOR),
    )
    actions = actions_of({"no-announce-to-64701": NO_ANNOUNCE})
    return Speaker(
        SpeakerConfig(neighbours, ((ip_address(TRANSIT), 0),), NetworkPolicy(ASN(64601), actions)), events.append
    )


@pytest.mark.mission("C17", "C2")
def test_a_client_behind_a_transit_follows_the_service() -> None:
    async def body() -> None:
        events: list[SpeakerEvent] = []
        middle = transit(events)
        await middle.start()
        port = middle.listening[0][1]
        first, second = (
            Speaker(SpeakerConfig((customer_of(64500, source, port),))) for source in ("127.0.2.2", "127.0.2.3")
        )
        client, collector = (
            Speaker(SpeakerConfig((customer_of(asn, source, port),), keep_received=True))
            for asn, source in ((64701, "127.0.2.4"), (65000, "127.0.2.5"))
        )
        everyone = (first, second, client, collector)
        for speaker in everyone:
            await speaker.start()
        await until(lambda: established(middle, *everyone))
        first.set_routes(announce(str(PREFIX)))
        second.set_routes(announce(str(PREFIX)))
        await until(lambda: heard(client) and heard(collector))
        assert str(heard(client)[str(PREFIX)].attributes.as_path) == "64601 64500"
        best = lambda: middle.rib.best.best(PREFIX)  # noqa: E731
        await until(lambda: len(middle.received("second")) == 1 and len(middle.received("as64500")) == 1)
        assert best().source.address == ip_address("127.0.2.2")
        first.set_routes(announce(str(PREFIX), communities=(str(GRACEFUL_SHUTDOWN),)))
        await until(lambda: best().source.address == ip_address("127.0.2.3"))
        second.set_routes(announce(str(PREFIX), communities=(str(NO_ANNOUNCE),)))
        await until(lambda: not heard(client))
        assert heard(collector)
        await second.stop("gone")
        await until(lambda: best() is not None and best().source.address == ip_address("127.0.2.2"))
        await first.stop("gone too")
        await until(lambda: best() is None)
        assert sum(isinstance(event, BestChanged) for event in events) >= 4
        client.set_routes(announce("198.51.100.0/24"))
        await until(lambda: set(heard(collector)) == {"198.51.100.0/24"})
        for speaker in (client, collector, middle):
            await speaker.stop("done")

    asyncio.run(body())


def test_a_network_announces_what_it_originates() -> None:
    async def body() -> None:
        middle = transit([])
        await middle.start()
        port = middle.listening[0][1]
        client = Speaker(SpeakerConfig((customer_of(64701, "127.0.2.4", port),), keep_received=True))
        await client.start()
        middle.originate([own_route(PREFIX, RouteAttributes(med=5))])
        await until(lambda: heard(client))
        assert heard(client)[str(PREFIX)].attributes.med == 5
        assert str(heard(client)[str(PREFIX)].attributes.as_path) == "64601"
        middle.originate([])
        await until(lambda: not heard(client))
        with pytest.raises(MisuseError, match="use originate"):
            middle.set_routes(frozenset())
        await client.stop("done")
        await middle.stop("done")

    asyncio.run(body())
