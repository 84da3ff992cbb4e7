"""Real speakers on loopback sockets."""

import asyncio
from dataclasses import replace

import pytest

from anycastle.io.speaker.config import SpeakerConfig
from anycastle.io.speaker.speaker import Speaker
from tests.unit.io.speaker.pair import announce, established, heard, listener, neighbour, until


async def pair(
    local: str = "127.0.1.1", address: str = "127.0.0.1", guard: dict[str, object] | None = None, **session: object
) -> tuple[Speaker, Speaker]:
    """A dialling speaker (AS64500) and one that waits for it (AS64501)."""
    guard = guard or {}
    waiting = neighbour(local, 1, 64501, 64500, address, passive=True)
    far = listener(replace(waiting, **guard), address=address)
    await far.start()
    port = far.listening[0][1]
    near = Speaker(SpeakerConfig((replace(neighbour(address, port, 64500, 64501, local, **session), **guard),)))
    await near.start()
    return near, far


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
