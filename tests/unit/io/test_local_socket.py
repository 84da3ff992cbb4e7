"""The socket between our own processes: one server per path, one line per answer, and errors in words."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io import local_socket
from anycastle.io.local_socket import LocalServer, ask


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if "refuse" in request:
        raise MisuseError(str(request["refuse"]))
    if "break" in request:
        raise ValueError("a secret")
    return {"heard": request}


def served(path: Path, body: Callable[[LocalServer], Awaitable[None]]) -> None:
    async def run() -> None:
        server = LocalServer(path, echo)
        await server.start()
        try:
            await body(server)
        finally:
            await server.close()

    asyncio.run(run())


async def asked(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    return await asyncio.to_thread(ask, path, request, 5.0)


def test_a_request_is_answered_and_a_refusal_comes_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        assert await asked(path, {"a": [1]}) == {"heard": {"a": [1]}}
        with pytest.raises(WorldError, match=r"^no such service$") as refused:
            await asked(path, {"refuse": "no such service"})
        assert not refused.value.retryable
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    served(path, body)
    assert not path.exists()


def test_a_fault_of_ours_is_told_to_who_asked_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        with pytest.raises(WorldError, match=r"failed, by a fault of this program: ValueError$"):
            await asked(path, {"command": "x", "break": 1})
        assert await asked(path, {"a": 1}) == {"heard": {"a": 1}}

    served(path, body)
    assert "x failed" in caplog.text


def test_one_connection_carries_many_lines_and_nonsense_is_said_to_be_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b'{"n": 1}\nnonsense\n[]\n{"n": 2}\n')
        answers = [await reader.readline() for _ in range(4)]
        assert answers[0] == b'{"heard":{"n":1}}\n'
        assert b"not a JSON object" in answers[1]
        assert b"not a JSON object" in answers[2]
        assert answers[3] == b'{"heard":{"n":2}}\n'
        writer.close()

    served(path, body)


def test_a_line_without_end_ends_its_connection_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_socket, "LINE_BYTES_MAX", 1000)
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"x" * 5000)
        assert await reader.read() == b""
        writer.close()
        assert await asked(path, {}) == {"heard": {}}

    served(path, body)


def test_more_clients_than_are_served_are_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_socket, "CLIENTS_MAX", 2)
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        writers = []
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"{}\n")
            await reader.readline()
            writers.append(writer)
        with pytest.raises(WorldError, match=r"closed without an answer|reset|Broken pipe"):
            await asked(path, {})
        for writer in writers:
            writer.close()

    served(path, body)


def test_a_second_server_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def body(server: LocalServer) -> None:
        second = LocalServer(path, echo)
        with pytest.raises(WorldError, match="another process serves here"):
            await second.start()
        await second.close()
        assert await asked(path, {}) == {"heard": {}}

    served(path, body)
    served(path, body)  # and its place is free again after it


def test_a_socket_left_by_a_process_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    program = (
        "import asyncio, os, sys; from pathlib import Path; from anycastle.io.local_socket import LocalServer\n"
        "async def main():\n"
        "    await LocalServer(Path(sys.argv[1]), None).start()\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False, env=dict(os.environ))
    assert path.exists()

    async def body(server: LocalServer) -> None:
        assert await asked(path, {}) == {"heard": {}}

    served(path, body)


def test_what_cannot_be_served_or_asked_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="is the agent running"):
        ask(tmp_path / "nothing", {})
    with pytest.raises(WorldError, match="running\\? --run-dir says where its socket is"):
        ask(tmp_path / "nothing", {}, found_by="--run-dir")
    with pytest.raises(WorldError, match="cannot be served: No such file"):
        asyncio.run(LocalServer(tmp_path / "no" / "folder", echo).start())
    with pytest.raises(WorldError, match=r"cannot be served: .*too long"):
        asyncio.run(LocalServer(tmp_path / ("x" * 120), echo).start())
