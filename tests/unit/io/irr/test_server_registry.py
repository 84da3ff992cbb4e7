"""The client over real sockets against the lab's registry, well and misbehaving."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.io.irr import server_registry
from anycastle.io.irr.expand import expand, expand_by_server, originated
from anycastle.io.irr.registry import REMARKS_MAX, WithSources, open_registry, read_file
from anycastle.io.irr.server_registry import Server, ServerRegistry
from anycastle.lab.irr_server import Fault, IRRServer
from anycastle.model.asn import ASN
from anycastle.model.irr import parse_set_name
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.session import irr_client
from anycastle.watch.irr.database import Database
from anycastle.wire.irr.objects import read_object
from anycastle.wire.irr.query import KeepOpen, ListSources, OriginPrefixes, Question, SetMembers, UseSources
from anycastle.wire.irr.reply import Data, NoSuchKey, Refused, Reply
from anycastle.wire.irr.rpsl import RPSLObject, parse_rpsl
from tests.ports import free_port
from tests.unit.io.irr.registry_text import TEXT

ALL = parse_set_name("AS64500:AS-ALL")
OURS = Question(OriginPrefixes(ASN(64500), Family.IPV4))
THEIRS = Question(OriginPrefixes(ASN(64501), Family.IPV4))


def database() -> Database:
    objects = (read_object(each) for each in parse_rpsl(TEXT.splitlines()) if isinstance(each, RPSLObject))
    return Database(each for each in objects if each is not None)


def served(
    servers: list[IRRServer], body: Callable[[ServerRegistry], Awaitable[None]], *, longest: int = 1 << 20
) -> None:
    async def run() -> None:
        ports = [await server.start() for server in servers]
        registry = ServerRegistry(tuple(Server("127.0.0.1", port) for port in ports), longest)
        try:
            async with asyncio.timeout(60):
                await body(registry)
        finally:
            await registry.close()
            for server in servers:
                await server.close()

    asyncio.run(run())


@pytest.mark.mission("C11")
def test_a_set_expanded_by_ourselves_by_the_server_and_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.rpsl.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))

    async def body(registry: ServerRegistry) -> None:
        ours, theirs = await expand(registry, [ALL]), await expand_by_server(registry, [ALL])
        assert ours.asns == theirs.asns == {64500, 64501, 64502, 64503}
        assert await expand(read_file(str(path)), [ALL]) == ours
        assert list(map(str, ours.missing)) == ["AS-GONE"]
        assert list(map(str, ours.loops)) == ["AS-CUSTOMERS", "AS64500:AS-ALL"]
        found = await originated(registry, ours.asns, Family)
        assert sorted(map(str, found.prefixes)) == [
            "192.0.2.0/24", "198.51.100.0/25", "198.51.100.128/25", "2001:db8:53::/48", "2001:db8:54::/48",
            "203.0.113.0/24",
        ]  # fmt: skip
        assert found == await originated(read_file(str(path)), ours.asns, Family)
        assert (await originated(registry, [ASN(64999)], Family)).silent == (64999,)

    server = IRRServer(database())
    served([server], body)
    assert server.connections == 1
    assert server.queries.count(ListSources()) == 1


def test_sources_given_once_hold_for_all_questions_that_name_none() -> None:
    async def body(registry: ServerRegistry) -> None:
        radb = WithSources(registry, ("RADB",))
        assert await radb.ask([THEIRS, Question(THEIRS.query, ("RIPE",)), THEIRS]) == [
            Data("198.51.100.128/25"), Data("198.51.100.0/25"), Data("198.51.100.128/25"),
        ]  # fmt: skip
        nowhere = await WithSources(registry, ("NOWHERE",)).ask([THEIRS])
        assert isinstance(nowhere[0], Refused)
        assert await registry.ask([THEIRS]) == [Data("198.51.100.0/25 198.51.100.128/25")]
        with pytest.raises(WorldError, match="AS64501: the server refuses: sources NOWHERE"):
            await originated(WithSources(registry, ("NOWHERE",)), [ASN(64501)], [Family.IPV4])

    served([IRRServer(database())], body)


def test_many_questions_share_a_connection_and_keep_their_order() -> None:
    async def body(registry: ServerRegistry) -> None:
        questions = [OURS, THEIRS, Question(OriginPrefixes(ASN(64999), Family.IPV4))] * 1000
        replies = await registry.ask(questions)
        given: list[Reply] = [Data("192.0.2.0/24"), Data("198.51.100.0/25 198.51.100.128/25"), NoSuchKey()]
        assert replies == given * 1000

    server = IRRServer(database())
    served([server], body)
    assert server.connections == 1
    assert not any(isinstance(query, KeepOpen) for query in server.queries[1:])


@pytest.mark.parametrize("fault", [Fault.CLOSES, Fault.GARBAGE, Fault.TOO_LONG, Fault.SHORT])
def test_after_one_broken_answer_the_rest_is_asked_again(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_registry, "PAUSE_S", 0.01)

    monkeypatch.setattr(irr_client, "SILENCE_S", 1.0)

    async def body(registry: ServerRegistry) -> None:
        assert await registry.ask([OURS, THEIRS, OURS]) == [
            Data("192.0.2.0/24"), Data("198.51.100.0/25 198.51.100.128/25"), Data("192.0.2.0/24"),
        ]  # fmt: skip

    server = IRRServer(database(), fault=fault, struck=[2])
    served([server], body)
    assert server.connections == 2


@pytest.mark.parametrize("fault", [Fault.CLOSES, Fault.GARBAGE, Fault.TOO_LONG, Fault.SHORT, Fault.SILENT, Fault.DRIPS])
def test_a_server_that_is_always_broken_gives_way_to_the_next(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_registry, "PAUSE_S", 0.01)
    monkeypatch.setattr(irr_client, "SILENCE_S", 0.2)

    async def body(registry: ServerRegistry) -> None:
        assert await registry.ask([OURS]) == [Data("192.0.2.0/24")]

    broken, well = IRRServer(database(), fault=fault), IRRServer(database())
    served([broken, well], body)
    if fault is Fault.DRIPS:  # slow is not broken
        assert (broken.connections, well.connections) == (1, 0)
    else:
        assert (broken.connections, well.connections) == (2, 1)


def test_an_answer_that_drips_beyond_its_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_registry, "PAUSE_S", 0.01)
    monkeypatch.setattr(irr_client, "ANSWER_S", 0.3)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"C\nA5\nRIPE\nC\nA90000\n")
        try:
            while not writer.is_closing():
                writer.write(b"1")
                await asyncio.sleep(0.01)
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        registry = ServerRegistry((Server("127.0.0.1", server.sockets[0].getsockname()[1]),))
        async with asyncio.timeout(60):
            with pytest.raises(WorldError, match=r"an answer that takes over 0\.3 s"):
                await registry.ask([OURS])
        server.close()
        await asyncio.sleep(0.05)  # the drip sees that nobody is there

    asyncio.run(run())


def test_where_nobody_answers_each_trouble_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_registry, "PAUSE_S", 0.01)
    ports = free_port(), free_port()

    async def run() -> None:
        registry = ServerRegistry(tuple(Server("127.0.0.1", port) for port in ports))
        with pytest.raises(WorldError) as error:
            await registry.ask([OURS])
        assert str(error.value) == "; ".join(f"127.0.0.1 port {port}: Connection refused" for port in ports)

    asyncio.run(run())
    with pytest.raises(MisuseError):
        ServerRegistry(())


def test_a_server_that_hung_up_meanwhile_is_dialled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_registry, "PAUSE_S", 0.01)

    async def body(registry: ServerRegistry) -> None:
        for _ in range(2):
            assert await registry.ask([Question(SetMembers(parse_set_name("RADB::AS-PARTNERS")), ("RADB",))]) == [
                Data("AS64503")
            ]
            assert registry._connection is not None
            registry._connection._writer.transport.abort()
            await asyncio.sleep(0)

    server = IRRServer(database())
    served([server], body)
    assert server.connections == 2
    assert server.queries.count(UseSources(("RADB",))) == 2


def test_after_a_caller_who_did_not_wait_the_next_one_gets_answers_of_its_own() -> None:
    async def body(registry: ServerRegistry) -> None:
        asking = asyncio.create_task(registry.ask([OURS, OURS]))
        while not server.queries or server.queries[-1] != OURS.query:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await registry.ask([THEIRS]) == [Data("198.51.100.0/25 198.51.100.128/25")]

    server = IRRServer(database(), fault=Fault.SILENT, struck=[1])
    served([server], body)


def test_a_file_is_read_with_its_faults_told(tmp_path: Path) -> None:
    path = tmp_path / "registry.rpsl"
    path.write_text("no colon\nroute: 192.0.2.1/24\norigin: AS1\n\nroute: 192.0.2.0/24\norigin: AS1\n\nperson: X\n")
    registry = read_file(str(path))
    assert registry.database.count == 1
    assert len(registry.remarks) == 2
    assert registry.remarks[0] == f"{path}:1: 'no colon' is no attribute"
    path.write_text("no colon\n\n" * (REMARKS_MAX + 5) + "route: 192.0.2.0/24\norigin: AS1\n")
    remarks = read_file(str(path)).remarks
    assert len(remarks) == REMARKS_MAX + 1
    assert remarks[-1] == f"{path}: 5 more objects and lines cannot be read"
    path.write_text("person: X\n")
    with pytest.raises(WorldError, match="holds no route"):
        read_file(str(path))
    path.write_bytes(b"x" * (3 << 20))
    with pytest.raises(WorldError, match="is no RPSL"):
        read_file(str(path))

    async def opened() -> None:
        path.write_text("route: 192.0.2.0/24\norigin: AS64500\nsource: RIPE\n")
        async with open_registry((), str(path), ("RIPE",)) as registry:
            assert await registry.ask([OURS]) == [Data("192.0.2.0/24")]

    asyncio.run(opened())


@pytest.mark.parametrize(
    "text",
    ["192.0.2.0/24", "2001:db8::/32", "::ffff:192.0.2.1/128", "0.0.0.0/0", "192.0.2.0/024",
     "192.0.2.0/2_4", "192.0.2.0/+24", "192.0.2.0/٢٤", "192.0.2.0/0024", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0",
     "192.0.2/24", "192.0.02.0/24", "fe80::%1/64", "2001:db8::\0/32", "/24", ""],
)  # fmt: skip
def test_the_prefixes_of_an_answer_are_those_that_the_model_reads(text: str) -> None:
    async def body() -> tuple[frozenset[Prefix], tuple[str, ...]]:
        found = await originated(_Answering(text), [ASN(64500)], [Family.IPV4])
        return found.prefixes, found.unreadable

    prefixes, unreadable = asyncio.run(body())
    try:
        wanted = {parse_prefix(each) for each in text.split()}
    except ParseError:
        wanted = set()
        assert len(unreadable) == 1
    assert prefixes == wanted


class _Answering:
    """A registry with one word to say."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def ask(self, questions: Sequence[Question]) -> list[Reply]:
        return [Data(self._text) for _ in questions]
