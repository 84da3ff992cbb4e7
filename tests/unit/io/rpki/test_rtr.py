"""The feed against StayRTR, a cache that others wrote, and against caches that misbehave."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.rpki.cache_place import CachePlace
from anycastle.io.rpki.rtr import RTRFeed, fetch
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import Validity
from anycastle.session.rtr_client import Problem, State
from anycastle.wire.rtr.pdu import Intervals
from tests.ports import free_port

WAIT_S = 20.0
ROAS = [
    {"asn": 64500, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "test", "expires": 4000000000},
    {"asn": 64501, "prefix": "2001:db8::/32", "maxLength": 48, "ta": "test", "expires": 4000000000},
]
ASPAS = [{"customer_asid": 64500, "expires": 4000000000, "providers": [64601, 64602]}]


def write(path: Path, roas: list[dict[str, object]]) -> None:
    fresh = path.with_suffix(".new")
    aspas = {"ipv4": ASPAS, "ipv6": ASPAS}  # as rpki-client wrote them when this StayRTR was made
    fresh.write_text(json.dumps({"metadata": {}, "roas": roas, "provider_authorizations": aspas}))
    fresh.rename(path)


@contextmanager
def stayrtr(folder: Path, version: int) -> Iterator[int]:
    program = shutil.which("stayrtr")
    if program is None:
        pytest.skip("stayrtr is not installed (Debian package stayrtr)")
    port = free_port()
    with (folder / "stayrtr.log").open("w") as log:
        process = subprocess.Popen(
            [program, "-bind", f"127.0.0.1:{port}", "-cache", str(folder / "vrps.json"), "-checktime=false",
             "-refresh", "1", "-metrics.addr", "", "-protocol", str(version)],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield port
    finally:
        process.kill()
        process.wait()


async def until(condition: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)
    assert condition(), what


@pytest.mark.rfc("8210", "8.1", "8.2")
@pytest.mark.mission("I8")
@pytest.mark.parametrize("version", [0, 1, 2])
def test_stayrtr_is_followed_through_a_change(tmp_path: Path, version: int) -> None:
    async def follow(port: int) -> None:
        heard: list[object] = []
        feed = RTRFeed(CachePlace("127.0.0.1", port), heard.append)
        feed.client._intervals = Intervals(retry_s=1)  # the cache may listen later than we dial
        feed.start()
        try:
            await until(lambda: feed.client.table is not None, "synchronised")
            table = feed.client.table
            assert table is not None
            assert (feed.client.version, len(table)) == (version, 2)
            assert table.validity(parse_prefix("2001:db8:1::/48"), ASN(64501)) is Validity.VALID
            if version == 2:
                assert feed.client.aspas[ASN(64500)].providers == {64601, 64602}
            write(tmp_path / "vrps.json", [ROAS[1], {**ROAS[0], "asn": 64502}])
            await until(
                lambda: feed.client.table.validity(parse_prefix("192.0.2.0/24"), ASN(64502)) is Validity.VALID,
                "the change",
            )
            assert feed.client.table.validity(parse_prefix("192.0.2.0/24"), ASN(64500)) is Validity.INVALID
        finally:
            await feed.close()

    write(tmp_path / "vrps.json", ROAS)
    with stayrtr(tmp_path, version) as port:
        asyncio.run(follow(port))


def test_a_cache_that_is_not_there_is_a_problem_and_tried_again() -> None:
    async def dial() -> list[object]:
        heard: list[object] = []
        feed = RTRFeed(CachePlace("127.0.0.1", free_port()), heard.append)
        feed.start()
        await until(lambda: heard, "the problem")
        assert feed.client.state is State.IDLE
        assert feed.client.deadline < float("inf")
        await feed.close()
        return heard

    (problem,) = asyncio.run(dial())
    assert isinstance(problem, Problem)
    assert problem.text.endswith("Connection refused")


def test_a_cache_that_talks_nonsense_is_told_so_and_left() -> None:
    async def serve() -> tuple[list[object], bytes]:
        heard: list[object] = []
        got = bytearray()

        async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-nonsense\r\n")
            while octets := await reader.read(1000):
                got.extend(octets)
            writer.close()

        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        feed = RTRFeed(CachePlace("127.0.0.1", server.sockets[0].getsockname()[1]), heard.append)
        feed.start()
        await until(lambda: heard and len(got) > 8, "the problem, and our word")
        await feed.close()
        server.close()
        return heard, bytes(got)

    heard, got = asyncio.run(serve())
    assert isinstance(heard[0], Problem)
    assert got[9] == 10  # an Error Report, after the query


def test_what_a_cache_says_now_is_fetched_once(tmp_path: Path) -> None:
    write(tmp_path / "vrps.json", ROAS)
    with stayrtr(tmp_path, 2) as port:

        async def listening() -> None:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

        asyncio.run(asyncio.wait_for(listening(), WAIT_S))
        assert len(asyncio.run(fetch(CachePlace("127.0.0.1", port))).vrps) == 2
    with pytest.raises(WorldError, match="Connection refused"):
        asyncio.run(fetch(CachePlace("127.0.0.1", port)))
