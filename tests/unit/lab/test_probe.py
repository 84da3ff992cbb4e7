"""The probes' own DNS: the question is what a name server understands, and its answer is understood."""

import asyncio
import json
import socket
from pathlib import Path

import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from anycastle.lab import echo
from anycastle.lab.name_server import NameServer
from anycastle.lab.probe import Probe, Results, ask, identity, query


def test_the_question_is_id_server_in_class_chaos() -> None:
    message = dns.message.from_wire(query(0x1234))
    (question,) = message.question
    assert message.id == 0x1234
    assert (question.name.to_text(), question.rdclass, question.rdtype) == (
        "id.server.",
        dns.rdataclass.CH,
        dns.rdatatype.TXT,
    )


def answer(*texts: str, compressed: bool = True) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(query(7)))
    if texts:
        reply.answer.append(dns.rrset.from_text("id.server.", 0, "CH", "TXT", *(f'"{text}"' for text in texts)))
    wire = reply.to_wire()
    return wire if compressed else wire.replace(b"\xc0\x0c", b"\x02id\x06server\x00")


@pytest.mark.rfc("4892", "2.1")
@pytest.mark.parametrize("compressed", [True, False])
def test_the_answer_names_the_pop(compressed: bool) -> None:
    assert identity(answer("pop1", compressed=compressed)) == "pop1"


def test_what_is_no_answer_names_nobody() -> None:
    assert identity(answer()) is None
    whole = answer("pop1")
    assert {identity(whole[:length]) for length in range(len(whole) - 4)} == {None}


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def probed(path: Path, dns_port: int, echo_port: int) -> None:
    """Probe until there is a result of each kind."""
    stop = asyncio.Event()
    probe = Probe("127.0.0.1", "127.0.0.1", (dns_port, echo_port), 100.0, Results(path))
    running = asyncio.create_task(probe.run(2, stop))
    async with asyncio.timeout(20):
        while {"query", "message", "connect"} - {result["kind"] for result in results(path)}:
            await asyncio.sleep(0.02)
    stop.set()
    await running


def results(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.mission("C17")
def test_probes_see_who_answers_their_queries_sessions_and_connections(tmp_path: Path) -> None:
    dns_port, echo_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)

    async def play() -> str | None:
        server = NameServer("pop1", "127.0.0.1", dns_port)
        await server.start()
        echoing = asyncio.create_task(echo.serve("pop1", "127.0.0.1", echo_port))
        try:
            await probed(tmp_path / "results", dns_port, echo_port)
            return await asyncio.to_thread(ask, "127.0.0.1", "127.0.0.1", dns_port)
        finally:
            echoing.cancel()
            await asyncio.gather(echoing, return_exceptions=True)
            server.stop()

    assert asyncio.run(play()) == "pop1"
    found = results(tmp_path / "results")
    assert {result["pop"] for result in found} == {"pop1"}
    assert {result["error"] for result in found} == {None}
    assert {result["session"] for result in found if result["kind"] == "message"} == {0, 1}


def test_a_query_that_nobody_takes_is_lost_with_its_reason(tmp_path: Path) -> None:
    closed = free_port(socket.SOCK_DGRAM)

    async def play() -> None:
        stop = asyncio.Event()
        probe = Probe("127.0.0.1", "127.0.0.1", (closed, closed), 50.0, Results(tmp_path / "results"))
        running = asyncio.create_task(probe.run(1, stop))
        async with asyncio.timeout(20):
            while {"query", "session", "connect"} - {result["kind"] for result in results(tmp_path / "results")}:
                await asyncio.sleep(0.02)
        stop.set()
        await running

    asyncio.run(play())
    found = results(tmp_path / "results")
    assert {(result["kind"], result["pop"]) for result in found} == {
        ("query", None),
        ("session", None),
        ("connect", None),
    }
    assert {result["error"] for result in found if result["kind"] == "query"} == {"Connection refused"}
    assert ask("127.0.0.1", "127.0.0.1", closed) is None
