"""The speaker over its socket: what its process is asked, and what it answers."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.speaker.config import SpeakerConfig
from anycastle.io.speaker.control import ControlServer, SpeakerClient
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.prefix import Family
from tests.unit.io.speaker.pair import announce, established, heard, listener, neighbour, until


def served(path: Path, body: Callable[[SpeakerClient, Speaker, ControlServer], Awaitable[None]]) -> None:
    async def run() -> None:
        far = listener(neighbour("127.0.3.1", 1, 64501, 64500, "127.0.0.1", passive=True))
        await far.start()
        server = ControlServer(path)
        config = neighbour("127.0.0.1", far.listening[0][1], 64500, 64501, "127.0.3.1")
        near = Speaker(SpeakerConfig((config,)), server.note)
        await near.start()
        await server.start(near)
        try:
            await body(SpeakerClient(path, 5.0), far, server)
        finally:
            await near.stop("done")
            await far.stop("done")
            await server.close()

    asyncio.run(run())


def test_routes_and_status(tmp_path: Path) -> None:
    async def body(client: SpeakerClient, far: Speaker, server: ControlServer) -> None:
        wanted = announce("192.0.2.0/24", "2001:db8::/48", communities=("65535:0", "1:2:3"), med=3)
        await client.set_routes(wanted)
        await until(lambda: len(heard(far)) == 2)
        assert await client.exported() == wanted
        (status,) = await client.status()
        assert (status.state, status.peer_asn, status.hold_time_s, status.routes_sent) == ("Established", 64501, 30, 2)
        assert status.families == ("ipv4", "ipv6")
        await client.refresh("peer", Family.IPV4)
        await client.stop("told to")
        assert server.stopped.is_set()
        await until(lambda: not established(far))
        assert await client.exported() == frozenset()

    served(tmp_path / "speaker", body)


def test_events_are_numbered_and_waited_for(tmp_path: Path) -> None:
    async def body(client: SpeakerClient, far: Speaker, server: ControlServer) -> None:
        (up, *_) = await client.events(0, 10.0)
        assert (up.kind, up.number, up.upstream, up.state) == ("session-up", 1, "peer", "Established")
        assert await client.events(up.number, 0.01) == ()
        await far.stop("maintenance")
        down = (await client.events(up.number, 10.0))[0]
        assert (down.kind, down.cause) == ("session-down", "peer-stopped")
        assert '"maintenance"' in down.text

    served(tmp_path / "speaker", body)


def test_a_wrong_request_is_answered_with_what_is_wrong(tmp_path: Path) -> None:
    async def body(client: SpeakerClient, far: Speaker, server: ControlServer) -> None:
        for request, text in (
            ({"op": "dance"}, "no such request"),
            ({"op": "set", "routes": [{"prefix": "192.0.2.0/24"}]}, "routes"),
            ({"op": "set", "routes": [{"prefix": "192.0.2.0", "upstream": "peer"}]}, "has no length"),
            ({"op": "set", "routes": [{"prefix": "192.0.2.0/24", "upstream": "x"}]}, "no neighbour belongs to x"),
        ):
            with pytest.raises(WorldError, match=text):
                await client._ask(request)

    served(tmp_path / "speaker", body)


def test_only_the_owner_may_open_the_socket(tmp_path: Path) -> None:
    async def body(client: SpeakerClient, far: Speaker, server: ControlServer) -> None:
        assert stat.S_IMODE((tmp_path / "speaker").stat().st_mode) == 0o600

    served(tmp_path / "speaker", body)


def test_no_speaker_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="is the speaker running"):
        asyncio.run(SpeakerClient(tmp_path / "nothing").status())
