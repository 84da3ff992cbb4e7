"""The systemd check: a unit's ActiveState, read from the manager over D-Bus.

A client of a few lines: authenticate as ourselves, say Hello, ask for properties of the unit's object, whose path
follows from its name. No D-Bus library, and no fork of `systemctl`, which costs some 10 ms of CPU a time.
Source: D-Bus specification 0.41 (§ Type System, § Message Protocol, § Authentication), org.freedesktop.systemd1(5).
"""

import os
import socket
import struct
from typing import Final

from anycastle.io.checks.stream import readable, writable
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, Outcome, SystemdTarget

_SYSTEM_BUS: Final = "unix:path=/run/dbus/system_bus_socket"
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_MANAGER: Final = "org.freedesktop.systemd1"
_UNIT_INTERFACE: Final = "org.freedesktop.systemd1.Unit"
_METHOD_CALL: Final = 1
_ERROR: Final = 3
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8
_MESSAGE_OCTETS_MAX: Final = 1 << 20
_ACTIVE: Final = ("active", "reloading")


async def run(target: SystemdTarget, timeout_s: float) -> CheckResult:
    """Ask for the unit's state once."""
    return await judged(_attempt(target), timeout_s, "the system's D-Bus", silence=Outcome.UNKNOWN)


async def _attempt(target: SystemdTarget) -> str:
    with await _connect() as channel:
        bus = _Bus(channel)
        await bus.authenticate()
        state = await bus.unit_property(target.unit, "ActiveState")
        if state in _ACTIVE:
            return f"{target.unit} is {state}"
        detail = await bus.unit_property(target.unit, "SubState")
        if state == "inactive" and await bus.unit_property(target.unit, "LoadState") == "not-found":
            detail = "there is no such unit"
    raise Failed(f"{target.unit} is {state} ({detail})")


async def _connect() -> socket.socket:
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM_BUS)
    transport, _, rest = address.partition(":")
    path = dict(part.partition("=")[::2] for part in rest.split(",")).get("path")
    if transport != "unix" or not path:
        raise Undecided(f"the D-Bus address {address} is not a path of a socket")
    channel = socket.socket(socket.AF_UNIX, _STREAM)
    code = channel.connect_ex(path)  # at once, or EAGAIN where the listener's queue is full
    if code:
        channel.close()
        raise Undecided(f"no D-Bus at {path}: {os.strerror(code)}")
    return channel


class _Bus:
    """A connection to the message bus, for one call at a time."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._serial = 0

    async def authenticate(self) -> None:
        """Authenticate by our user number (SASL EXTERNAL) and say Hello."""
        await self._send(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        reply = b""
        while not reply.endswith(b"\r\n"):
            reply += await self._receive(1)
        if not reply.startswith(b"OK "):
            raise Undecided("the system's D-Bus does not let us in")
        await self._send(b"BEGIN\r\n")
        await self._call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", ())

    async def unit_property(self, unit: str, name: str) -> str:
        """Give a property of type string of a unit."""
        path = "/org/freedesktop/systemd1/unit/" + escape_unit(unit)
        interface = "org.freedesktop.DBus.Properties"
        body = await self._call(_MANAGER, path, interface, "Get", (_UNIT_INTERFACE, name))
        return _string_of_variant(body)

    async def _call(
        self, destination: str, path: str, interface: str, member: str, arguments: tuple[str, ...]
    ) -> bytes:
        self._serial += 1
        await self._send(encode_call(self._serial, destination, path, interface, member, arguments))
        while True:
            kind, reply_to, error_name, body = await self._message()
            if reply_to != self._serial:
                continue  # a signal, such as NameAcquired
            if kind == _ERROR:
                raise Undecided(f"D-Bus answers {error_name}")
            return body

    async def _message(self) -> tuple[int, int | None, str, bytes]:
        start = await self._receive(16)
        order = "<" if start[:1] == b"l" else ">"
        body_length, _, fields_length = struct.unpack(order + "III", start[4:16])
        padded = (fields_length + 7) & ~7
        if body_length + padded > _MESSAGE_OCTETS_MAX:
            raise Undecided("D-Bus sends a message that is too long")
        rest = await self._receive(padded + body_length)
        if order == ">":
            raise Undecided("D-Bus answers in another byte order than ours")
        reply_to, error_name = _decode_fields(rest[:fields_length])
        return start[1], reply_to, error_name, rest[padded:]

    async def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._channel.send(rest) :]
            except BlockingIOError:
                await writable(self._channel.fileno())

    async def _receive(self, octets: int) -> bytes:
        data = b""
        while len(data) < octets:
            try:
                more = self._channel.recv(octets - len(data))
            except BlockingIOError:
                await readable(self._channel.fileno())
                continue
            if not more:
                raise Undecided("the system's D-Bus closed the connection")
            data += more
        return data


def escape_unit(unit: str) -> str:
    """Give a unit's name as part of an object path: all but letters and digits as `_xx` (sd_bus_path_encode(3))."""
    escaped = "".join(chr(o) if chr(o).isascii() and chr(o).isalnum() else f"_{o:02x}" for o in unit.encode())
    return f"_{ord(unit[0]):02x}{escaped[1:]}" if unit[:1].isdigit() else escaped


def encode_call(
    serial: int, destination: str, path: str, interface: str, member: str, arguments: tuple[str, ...]
) -> bytes:
    """Give a method call, little-endian, whose arguments are all strings."""
    body = b""
    for argument in arguments:
        body = _pad(body, 4) + _string(argument)
    fields = b""
    texts = ((_PATH, "o", path), (_INTERFACE, "s", interface), (_MEMBER, "s", member), (_DESTINATION, "s", destination))
    for code, signature, value in texts:
        fields = _pad(fields, 8) + bytes((code, 1)) + signature.encode() + b"\0" + _string(value)
    if arguments:
        kinds = "s" * len(arguments)
        fields = _pad(fields, 8) + bytes((_SIGNATURE, 1)) + b"g\0" + bytes((len(kinds),)) + kinds.encode() + b"\0"
    head = struct.pack("<cBBBIII", b"l", _METHOD_CALL, 0, 1, len(body), serial, len(fields))
    return _pad(head + fields, 8) + body


def _pad(data: bytes, boundary: int) -> bytes:
    return data + b"\0" * (-len(data) % boundary)


def _string(text: str) -> bytes:
    octets = text.encode()
    return struct.pack("<I", len(octets)) + octets + b"\0"


def _decode_fields(data: bytes) -> tuple[int | None, str]:
    """Give the reply serial and the error's name among a message's header fields."""
    reply_to, error_name, position = None, "", 0
    while position + 4 <= len(data):
        code, signature = data[position], data[position + 2 : position + 3]
        position += 4
        if signature == b"u":
            (value,) = struct.unpack_from("<I", data, position)
            reply_to = value if code == _REPLY_SERIAL else reply_to
            position += 4
        elif signature == b"g":
            position += 2 + data[position]
        else:
            (length,) = struct.unpack_from("<I", data, position)
            if code == _ERROR_NAME:
                error_name = data[position + 4 : position + 4 + length].decode("utf-8", "replace")
            position += 5 + length
        position += -position % 8
    return reply_to, error_name


def _string_of_variant(body: bytes) -> str:
    if body[:3] != b"\x01s\0":
        raise Undecided("D-Bus gives something else than a text")
    (length,) = struct.unpack_from("<I", body, 4)
    return body[8 : 8 + length].decode("utf-8", "replace")
