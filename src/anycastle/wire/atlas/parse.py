"""All kinds in one table, and the way from a line of a file to a result and back to plain values."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.wire.atlas.dns import DNS, parse_dns
from anycastle.wire.atlas.http import HTTP, parse_http
from anycastle.wire.atlas.ntp import NTP, parse_ntp
from anycastle.wire.atlas.ping import Ping, parse_ping
from anycastle.wire.atlas.result import Garbage, Origin, origin_of
from anycastle.wire.atlas.tls import TLS, parse_tls
from anycastle.wire.atlas.traceroute import Traceroute, parse_traceroute

RESULT_BYTES_MAX: Final = 1 << 20
"""Octets of one result; a traceroute of 255 hops with sixteen packets each has a third of it."""

Result = Ping | DNS | HTTP | TLS | Traceroute | NTP

KINDS: Final[Mapping[str, Callable[[dict[str, Any], Origin], Result]]] = MappingProxyType(
    {
        "dns": parse_dns,
        "http": parse_http,
        "ntp": parse_ntp,
        "ping": parse_ping,
        "sslcert": parse_tls,
        "traceroute": parse_traceroute,
    }
)
"""How each kind is read, by the word in a result's field `type`."""


def parse_result(octets: bytes | str) -> Result | Garbage:
    """Parse one JSON result."""
    if len(octets) > RESULT_BYTES_MAX:
        return Garbage(f"{len(octets)} octets; a result has at most {RESULT_BYTES_MAX}")
    try:
        value = msgspec.json.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Garbage(str(error))
    return result_of(value)


def result_of(value: Any) -> Result | Garbage:
    """Give the result of a JSON value that was read already."""
    if not isinstance(value, dict):
        return Garbage("a result is a JSON object")
    kind = value.get("type")
    parse = KINDS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        return Garbage(f"{str(kind)[:60]!r} is no kind of result; there are {', '.join(KINDS)}")
    try:
        return parse(value, origin_of(value))
    except ParseError as error:
        return Garbage(f"{kind}: {error}")


_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {Ping: "ping", DNS: "dns", HTTP: "http", TLS: "sslcert", Traceroute: "traceroute", NTP: "ntp"}
)


def kind_of(result: Result) -> str:
    """Give the word that a result's field `type` has."""
    return _NAMES[type(result)]


def plain(result: Result) -> dict[str, Any]:
    """Give a result as plain values for JSON: `kind`, whose it is, `error` ("" for none), and what it measured."""
    value: dict[str, Any] = msgspec.to_builtins(result)
    origin = value.pop("origin")
    if isinstance(result, DNS):
        for told, exchange in zip(value["exchanges"], result.exchanges, strict=True):
            told["reply"] = _plain_reply(told["reply"], exchange.reply.nsid) if exchange.reply else None
    if isinstance(result, Traceroute):
        value["reached"] = result.reached
    return {"kind": kind_of(result), **origin, "error": result.error, **value}


def _plain_reply(told: dict[str, Any], nsid: bytes) -> dict[str, Any]:
    return {**told, "nsid": nsid.hex()}
