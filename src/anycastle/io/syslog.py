"""Events as syslog messages (RFC 5424) over TCP or TLS, each with its length before it (RFC 6587 §3.4.1, RFC 5425).

Syslog acknowledges nothing. What is sent is told as sent once the kernel has it; what was on its way when a connection
broke may be lost, and the chain of the log shows that: each message carries its number and hash.
"""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.event_log import StoredEvent
from anycastle.io.system_words import system_words

FACILITY: Final = 16
"""local0."""

NOTICE: Final = 5
WARNING: Final = 4

_GRAVE: Final = frozenset(
    {"alarm", "finding_opened", "withdrawal_refused", "router_diverged", "lease_lapsed", "notice_dead"}
)
"""Kinds that are warnings; all else is a notice."""

_PORTS: Final = {"tcp": 601, "tls": 6514}
CONNECT_S: Final = 10.0
NAME_MAX: Final = 255
MSGID_MAX: Final = 32


def message(event: StoredEvent, plain: dict[str, Any]) -> bytes:
    """Give an event as a syslog message without its length. `plain`: its fields, which become the text as JSON."""
    severity = WARNING if event.kind in _GRAVE else NOTICE
    return header(severity, event.at, event.pop, event.kind) + msgspec.json.encode(plain)


def header(severity: int, at: float, host: str, kind: str) -> bytes:
    """Give what stands before the text (RFC 5424 §6); `at` in seconds since 1970, the kind as MSGID."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    names = f"{_name(host, NAME_MAX)} anycastle - {_name(kind, MSGID_MAX)}"
    return f"<{FACILITY * 8 + severity}>1 {moment} {names} - ".encode("ascii")


def framed(octets: bytes) -> bytes:
    """Put the length before a message."""
    return f"{len(octets)} ".encode() + octets


def _name(text: str, most: int) -> str:
    """Give a name as the header has it: printable ASCII without spaces, or the nil value (RFC 5424 §6)."""
    return "".join(each for each in text if "!" <= each <= "~")[:most] or "-"


def parse_place(text: str) -> tuple[str, str, int]:
    """Give scheme, host and port of `tcp://HOST[:PORT]` or `tls://HOST[:PORT]`. Raises `MisuseError`."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise MisuseError(f"{text!r} is no place of a collector: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise MisuseError(f"{text!r} is no place of a collector; write tls://HOST:6514 or tcp://HOST:601")
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


class SyslogSender:
    """A connection to a collector; a context manager. Raises `WorldError` where there is none, or it broke."""

    def __init__(self, place: str, ca_file: Path | None = None) -> None:
        self.place = place
        scheme, host, port = parse_place(place)
        try:
            self._socket: socket.socket = socket.create_connection((host, port), CONNECT_S)
            if scheme == "tls":
                context = ssl.create_default_context(cafile=ca_file)
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:
            raise WorldError(f"{place}: {system_words(error)}") from error

    def send(self, octets: bytes) -> None:
        """Send messages, framed."""
        try:
            self._socket.sendall(octets)
        except OSError as error:
            raise WorldError(f"{self.place}: {system_words(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
