"""DNS: one exchange, or one with each resolver that the probe uses (`resultset`)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.wire.atlas.result import TEXT_MAX, Origin, convert, milliseconds, words_of
from anycastle.wire.dns import DNSReply, NoReply, decode_reply

REPLY_BASE64_MAX: Final = 1 << 17
"""Characters of a reply; a DNS message has at most 65,535 octets (RFC 1035 §4.2.2)."""

_TXT: Final = 16
_CHAOS_NAMES: Final = frozenset({"id.server", "hostname.bind"})  # RFC 4892 §2; the others tell a version


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer, or what went wrong."""

    target: str
    family: int | None
    protocol: str
    rtt_ms: float | None
    size: int | None
    reply: DNSReply | None
    """None where none came, or the probe did not keep it."""
    server: str
    """The name by which the server tells itself apart (CHAOS answer, else NSID); empty where it does not."""
    error: str


@dataclass(frozen=True, slots=True)
class DNS:
    """A DNS result."""

    origin: Origin
    exchanges: tuple[Exchange, ...]

    @property
    def error(self) -> str:
        """Give the first error where no exchange went well."""
        errors = [each.error for each in self.exchanges if each.error]
        return errors[0] if errors and len(errors) == len(self.exchanges) else ""


class _Answer(msgspec.Struct):
    type: str | int = msgspec.field(default="", name="TYPE")
    data: Any = msgspec.field(default="", name="RDATA")  # a TXT's text, or texts; an address; a mapping
    name: str = msgspec.field(default="", name="NAME")


class _Reply(msgspec.Struct):
    rt: float | None = None
    size: int | None = None
    abuf: str = ""
    answers: list[_Answer] = []


class _Exchange(msgspec.Struct):
    dst_addr: str = ""
    dst_name: str = ""
    af: int | None = None
    proto: str = ""
    result: _Reply | None = None
    error: Any = None


class _Raw(_Exchange):
    resultset: list[_Exchange] = []


def parse_dns(value: dict[str, Any], origin: Origin) -> DNS:
    """Parse a DNS result. Raises `ParseError`."""
    raw = convert(value, _Raw)
    return DNS(origin, tuple(_exchange(each) for each in raw.resultset or [raw]))


def _exchange(raw: _Exchange) -> Exchange:
    error = words_of(raw.error)
    reply = None
    if raw.result is not None and raw.result.abuf:
        decoded = _decoded(raw.result.abuf)
        if isinstance(decoded, NoReply):
            error = error or f"no DNS message: {decoded.reason}"
        else:
            reply = decoded
    elif raw.result is None and not error:
        error = "neither a reply nor an error"
    return Exchange(
        raw.dst_addr or raw.dst_name,
        raw.af,
        raw.proto,
        milliseconds(raw.result.rt) if raw.result else None,
        raw.result.size if raw.result else None,
        reply,
        _server(raw.result, reply),
        error,
    )


def _decoded(text: str) -> DNSReply | NoReply:
    if len(text) > REPLY_BASE64_MAX:
        return NoReply(f"{len(text)} characters")
    try:
        return decode_reply(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        return NoReply(str(error))


def _server(raw: _Reply | None, reply: DNSReply | None) -> str:
    """Give the server's name: of the octets, else as the probe wrote out the answer."""
    if reply is not None and reply.server:
        return reply.server[:TEXT_MAX]
    for answer in raw.answers if raw else []:
        if answer.type in ("TXT", _TXT) and answer.name.rstrip(".").lower() in _CHAOS_NAMES:
            texts = answer.data if isinstance(answer.data, list) else [answer.data]
            return "".join(text for text in texts if isinstance(text, str))[:TEXT_MAX]
    return ""
