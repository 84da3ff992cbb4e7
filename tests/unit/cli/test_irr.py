"""The commands against a server: what they print is what they print of a file."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from anycastle.cli.irr_registry import _host_and_port, sources_of
from anycastle.io.irr.registry import read_file
from anycastle.lab.irr_server import IRRServer
from tests.unit.io.irr.registry_text import TEXT

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()", "irr")


@pytest.mark.mission("C11")
@pytest.mark.parametrize(
    "words",
    [
        ("show", "192.0.2.0/24"),
        ("show", "AS64500"),
        ("show", "AS64500:AS-ALL", "-o", "json"),
        ("filter", "AS64500:AS-ALL", "-o", "frr"),
        ("filter", "RADB::AS-PARTNERS", "-o", "ndjson", "--source", "RIPE,RADB"),
        ("filter", "AS64500:AS-ALL", "-o", "bird", "--by-server"),
    ],
    ids=" ".join,
)
def test_a_server_and_a_file_are_the_same_to_every_command(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "registry.rpsl"
    path.write_text(TEXT)

    async def served() -> bytes:
        server = IRRServer(read_file(str(path)).database)
        port = await server.start()
        process = await asyncio.create_subprocess_exec(*COMMAND, *words, "--server", f"127.0.0.1:{port}", stdout=-1)
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
        await server.close()
        assert process.returncode == 0
        return said

    of_file = subprocess.run([*COMMAND, *words, "--file", path], capture_output=True, check=True, timeout=60).stdout
    assert asyncio.run(served()) == of_file
    assert len(of_file) > 20


@pytest.mark.parametrize("words", [("show", "192.0.2.0/24"), ("filter", "AS64500", "-o", "bird", "--family", "ipv4")])
def test_what_cannot_be_read_of_a_file_is_said(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "registry.rpsl"
    path.write_text("no colon\n\nroute: 192.0.2.1/24\norigin: AS1\n\nroute: 192.0.2.0/24\norigin: AS64500\n")
    done = subprocess.run([*COMMAND, *words, "--file", path], capture_output=True, check=True, timeout=60, text=True)
    assert "192.0.2.0/24" in done.stdout
    assert f"{path}:1: 'no colon' is no attribute" in done.stderr
    assert "route 192.0.2.1/24: '192.0.2.1/24' has bits set beyond /24" in done.stderr


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        ((), {}, "name one registry"),
        (("--file", "FILE", "--server", "127.0.0.1:1"), {}, "name one registry"),
        ((), {"ANYCASTLE_IRR_SERVER": "127.0.0.1:1", "ANYCASTLE_IRR_FILE": "FILE"}, "name one registry"),
        ((), {"ANYCASTLE_IRR_SERVER": "127.0.0.1:1 [::1]:1"}, "127.0.0.1 port 1: Connection refused; ::1 port 1"),
        (("--server", "127.0.0.1:1"), {"ANYCASTLE_IRR_FILE": "FILE"}, "127.0.0.1 port 1: Connection refused"),
        (("--file", "FILE"), {"ANYCASTLE_IRR_SERVER": "127.0.0.1:1"}, ""),
        ((), {"ANYCASTLE_IRR_FILE": "FILE", "ANYCASTLE_IRR_SOURCE": "ripe"}, ""),
    ],
)
def test_what_is_typed_goes_before_the_environment(
    words: tuple[str, ...], environment: dict[str, str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "registry.rpsl"
    path.write_text(TEXT)
    given = [str(path) if word == "FILE" else word for word in words]
    setting = {name: value.replace("FILE", str(path)) for name, value in environment.items()}
    command = [*COMMAND, "show", "AS64500", *given]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **setting}, timeout=60, check=False
    )
    code = {"": 0, "name one registry": 2}.get(said, 1)
    assert (said in done.stderr, done.returncode) == (True, code), done.stderr


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rr.example.net", ("rr.example.net", 43)),
        ("rr.example.net:4343", ("rr.example.net", 4343)),
        ("192.0.2.1:43", ("192.0.2.1", 43)),
        ("[2001:db8::1]:4343", ("2001:db8::1", 4343)),
        ("[2001:db8::1]", ("2001:db8::1", 43)),
        ("2001:db8::1", ("2001:db8::1", 43)),
    ],
)
def test_places_of_servers(text: str, place: tuple[str, int]) -> None:
    assert _host_and_port(text) == place


@pytest.mark.parametrize("text", ["", ":43", "host:", "host:0", "host:99999", "host:x"])
def test_what_is_no_place_of_a_server(text: str) -> None:
    with pytest.raises(click.BadParameter):
        _host_and_port(text)


def test_sources_are_words_in_capitals() -> None:
    assert sources_of(("ripe,RADB", "level3")) == ("RIPE", "RADB", "LEVEL3")
    with pytest.raises(click.BadParameter):
        sources_of(("RIPE;RADB",))
