"""TLS (`sslcert`): the certificates that a server showed, and how long it took; an alert ends it without any."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.wire.atlas.result import Origin, convert, milliseconds, words_of

CERTIFICATES_MAX: Final = 32
"""Certificates kept of a chain; real ones have up to five."""


@dataclass(frozen=True, slots=True)
class TLS:
    """A TLS result."""

    origin: Origin
    target: str
    name: str
    port: str
    """A number, or a service's name as old firmware has it."""
    family: int | None
    version: str
    """As the probe writes it: 3.0 for SSL 3.0, 1.2 for TLS 1.2."""
    connect_ms: float | None
    handshake_ms: float | None
    """From before the connection to the server's certificate."""
    certificates: tuple[str, ...]
    """PEM, the server's own first."""
    alert: tuple[int, int] | None
    """Level and description (RFC 8446 §6)."""
    error: str


class _Alert(msgspec.Struct):
    level: int
    decription: int | None = None  # so spelled by the probes
    description: int | None = None


class _Raw(msgspec.Struct):
    dst_addr: str = ""
    dst_name: str = ""
    dst_port: str | int = ""
    af: int | None = None
    ver: str = ""
    ttc: float | None = None
    rt: float | None = None
    cert: list[str] = []
    alert: _Alert | None = None
    dnserr: Any = None
    err: Any = None
    error: Any = None


def parse_tls(value: dict[str, Any], origin: Origin) -> TLS:
    """Parse a TLS result. Raises `ParseError`."""
    raw = convert(value, _Raw)
    alert = None
    if raw.alert is not None:
        what = raw.alert.decription if raw.alert.decription is not None else raw.alert.description
        alert = (raw.alert.level, what if what is not None else -1)
    error = words_of(raw.error) or words_of(raw.err) or words_of(raw.dnserr)
    if not error and alert is not None:
        error = f"alert {alert[1]}"
    if not error and not raw.cert:
        error = "no certificate was shown"
    return TLS(
        origin,
        raw.dst_addr,
        raw.dst_name,
        str(raw.dst_port),
        raw.af,
        raw.ver,
        milliseconds(raw.ttc),
        milliseconds(raw.rt),
        tuple(raw.cert[:CERTIFICATES_MAX]),
        alert,
        error,
    )
