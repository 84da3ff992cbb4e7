"""Many speakers in one process, and a peer that does not read."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from anycastle.base.limits import SEND_QUEUE_MAX
from anycastle.io.speaker.config import SpeakerConfig
from anycastle.io.speaker.event import SessionDown, SpeakerEvent
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.community import LargeCommunity
from anycastle.model.prefix import Family, Prefix
from anycastle.session.command import Cause
from anycastle.session.negotiation import own_open
from anycastle.wire.bgp.codec import encode_message
from anycastle.wire.bgp.message import Keepalive
from anycastle.wire.bgp.options import BEFORE_OPEN
from tests.unit.io.speaker.pair import established, listener, neighbour, until


def test_forty_speakers_share_a_process() -> None:
    async def body() -> None:
        hub = Speaker(
            SpeakerConfig(
                tuple(
                    neighbour(f"127.0.5.{n}", 1, 64600, 64500 + n, "127.0.4.1", upstream=f"n{n}", passive=True)
                    for n in range(1, 41)
                ),
                ((ip_address("127.0.4.1"), 0),),
            )
        )
        await hub.start()
        port = hub.listening[0][1]
        spokes = [
            Speaker(SpeakerConfig((neighbour("127.0.4.1", port, 64500 + n, 64600, f"127.0.5.{n}"),)))
            for n in range(1, 41)
        ]
        for spoke in spokes:
            await spoke.start()
        await until(lambda: established(hub, *spokes))
        assert len(hub.status()) == 40
        for speaker in (*spokes, hub):
            await speaker.stop("done")

    asyncio.run(body())


@pytest.mark.rfc("4486", "4")
def test_a_peer_that_does_not_read_is_given_up() -> None:
    """It takes our routes' octets no further than the kernel does; the queue has a bound, and then the session ends."""

    async def body() -> None:
        events: list[SpeakerEvent] = []
        near = listener(neighbour("127.0.0.1", 1, 64500, 64501, "127.0.6.1", passive=True), address="127.0.6.1")
        near._on_event = events.append
        await near.start()
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect((str(near.listening[0][0]), near.listening[0][1]))
        theirs = neighbour("127.0.6.1", 1, 64501, 64500, "127.0.0.1").session
        peer.sendall(encode_message(own_open(theirs), BEFORE_OPEN) + encode_message(Keepalive(), BEFORE_OPEN))
        await until(lambda: established(near))
        communities = frozenset(LargeCommunity(64501, 1, n) for n in range(1000))  # 12 kB in each message
        prefixes = [Prefix(Family.IPV4, (10 << 24) + (n << 8), 24) for n in range(10)]
        queued = 0
        while not any(isinstance(event, SessionDown) for event in events):
            meds = range(queued, queued + len(prefixes))
            routes = (
                Announcement(prefix, "peer", RouteAttributes(med=med, communities=communities))
                for prefix, med in zip(prefixes, meds, strict=True)
            )
            near.set_routes(frozenset(routes))
            queued += len(prefixes)
            assert queued * 12_000 < 8 * SEND_QUEUE_MAX, "the queue has no bound"
            await asyncio.sleep(0)
        (down,) = [event for event in events if isinstance(event, SessionDown)]
        assert down.cause is Cause.RESOURCES
        assert "does not read" in down.reason
        peer.close()
        await near.stop("done")

    asyncio.run(body())
