"""Against a real message bus; the manager behind it is played by a client that owns systemd's name."""

import asyncio
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.io.checks.systemd import encode_call, escape_unit, run
from anycastle.model.check import CheckResult, Outcome, SystemdTarget

BUS = """<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""

UNITS = {
    "nsd.service": {"ActiveState": "active", "SubState": "running", "LoadState": "loaded"},
    "bird.service": {"ActiveState": "failed", "SubState": "failed", "LoadState": "loaded"},
    "old.service": {"ActiveState": "reloading", "SubState": "reload", "LoadState": "loaded"},
    "none.service": {"ActiveState": "inactive", "SubState": "dead", "LoadState": "not-found"},
    "off@1.service": {"ActiveState": "inactive", "SubState": "dead", "LoadState": "loaded"},
}


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("dbus-daemon is not installed (Debian package dbus-daemon)")
    folder = tmp_path_factory.mktemp("bus")
    path = folder / "socket"
    (folder / "bus.conf").write_text(BUS.format(path=path))
    process = subprocess.Popen([program, f"--config-file={folder}/bus.conf", "--nofork"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not path.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            os.sched_yield()
        yield path
    finally:
        process.terminate()
        process.wait(10)


def receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the bus went away")
        data += more
    return data


def message(connection: socket.socket) -> tuple[bytes, bytes, bytes]:
    head = receive(connection, 16)
    body_length, _, fields_length = struct.unpack("<III", head[4:])
    padded = (fields_length + 7) & ~7
    rest = receive(connection, padded + body_length)
    return head, rest[:fields_length], rest[padded:]


def string(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode() + b"\0"


def pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)


def play_manager(connection: socket.socket) -> None:
    connection.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    assert connection.recv(200).startswith(b"OK ")
    connection.sendall(b"BEGIN\r\n")
    name = "org.freedesktop.DBus"
    connection.sendall(encode_call(1, name, "/org/freedesktop/DBus", name, "Hello", ()))
    body = string("org.freedesktop.systemd1") + b"\0" * 3 + struct.pack("<I", 4)  # DO_NOT_QUEUE
    request = bytearray(encode_call(2, name, "/org/freedesktop/DBus", name, "RequestName", ("", "")))
    fields = bytes(request[16:]).replace(b"\x02ss\0", b"\x02su\0")[: struct.unpack("<I", request[12:16])[0]]
    connection.sendall(struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), 2, len(fields)) + pad(fields) + body)


def serve_properties(connection: socket.socket, owned: threading.Event) -> None:
    while True:
        try:
            head, fields, body = message(connection)
        except (ConnectionError, OSError):
            return
        if head[1] == 2 and b"RequestName" not in fields and body[:4] == struct.pack("<I", 1):
            owned.set()
        if head[1] != 1:
            continue
        sender = fields[fields.index(b"\x07\x01s\0") + 8 :].split(b"\0")[0].decode()
        unit = next(unit for unit in UNITS if f"/unit/{escape_unit(unit)}\0".encode() in fields)
        name = body.rstrip(b"\0").rpartition(b"\0")[2].decode()
        value = b"\x01s\0\0" + string(UNITS[unit][name])
        reply = b"\x05\x01u\0" + head[8:12] + b"\x06\x01s\0" + string(sender)
        reply = pad(reply) + b"\x08\x01g\0\x01v\0"
        connection.sendall(struct.pack("<cBBBIII", b"l", 2, 1, 1, len(value), 99, len(reply)) + pad(reply) + value)


@pytest.fixture
def manager(bus: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(bus))
        play_manager(connection)
        owned = threading.Event()
        thread = threading.Thread(target=serve_properties, args=(connection, owned))
        thread.start()
        assert owned.wait(5)
        yield
        connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture(autouse=True)
def address(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus},guid=00")


def check(unit: str) -> CheckResult:
    return asyncio.run(run(SystemdTarget(unit), 5.0))


@pytest.mark.parametrize(
    ("unit", "outcome", "evidence"),
    [
        ("nsd.service", Outcome.PASS, "nsd.service is active"),
        ("old.service", Outcome.PASS, "old.service is reloading"),
        ("bird.service", Outcome.FAIL, "bird.service is failed (failed)"),
        ("off@1.service", Outcome.FAIL, "off@1.service is inactive (dead)"),
        ("none.service", Outcome.FAIL, "none.service is inactive (there is no such unit)"),
    ],
)
@pytest.mark.mission("C1")
def test_the_units_state_decides(manager: None, unit: str, outcome: Outcome, evidence: str) -> None:
    result = check(unit)
    assert (result.outcome, result.evidence) == (outcome, evidence)


@pytest.mark.mission("F7")
def test_a_bus_without_a_manager_is_our_failure() -> None:
    result = check("nsd.service")
    assert result.outcome is Outcome.UNKNOWN
    assert result.evidence == "D-Bus answers org.freedesktop.DBus.Error.ServiceUnknown"


@pytest.mark.mission("F7")
@pytest.mark.parametrize("there", ["unix:path=/nonexistent/socket", "tcp:host=localhost,port=1"])
def test_no_bus_is_our_failure(monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", there)
    assert check("nsd.service").outcome is Outcome.UNKNOWN


@pytest.mark.mission("F7")
def test_a_bus_that_says_nothing_is_our_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute"))
        listener.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/mute")
        result = asyncio.run(run(SystemdTarget("nsd.service"), 0.1))
    assert result.outcome is Outcome.UNKNOWN


def test_names_are_escaped_as_systemd_does() -> None:
    # What `busctl call ... GetUnit s NAME` answers for these names.
    assert escape_unit("nsd.service") == "nsd_2eservice"
    assert escape_unit("a-b@1.service") == "a_2db_401_2eservice"
    assert escape_unit("1st.service") == "_31st_2eservice"
