"""HTTP: firmware 0 and 1 put a result into one line of words, `GET4 ADDRESS SECONDS STATUS HEADER BODY`."""

from dataclasses import dataclass
from typing import Any

import msgspec

from anycastle.base.errors import ParseError
from anycastle.wire.atlas.result import Origin, convert, milliseconds, words_of


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request. `resolve_ms`, `connect_ms` and `first_byte_ms` are told where the measurement asked for them."""

    target: str
    family: int | None
    method: str
    version: str
    status: int | None
    rtt_ms: float | None
    """From before the connection to the end of the body."""
    resolve_ms: float | None
    connect_ms: float | None
    first_byte_ms: float | None
    header_size: int | None
    body_size: int | None
    error: str


@dataclass(frozen=True, slots=True)
class HTTP:
    """An HTTP result."""

    origin: Origin
    uri: str
    fetches: tuple[Fetch, ...]

    @property
    def error(self) -> str:
        """Give the first error where no request went well."""
        errors = [each.error for each in self.fetches if each.error]
        return errors[0] if errors and len(errors) == len(self.fetches) else ""


class _Fetch(msgspec.Struct):
    dst_addr: str = ""
    addr: str = ""
    af: int | None = None
    method: str = ""
    mode: str = ""
    ver: str = ""
    res: int | None = None
    rt: float | None = None
    ttr: float | None = None
    ttc: float | None = None
    ttfb: float | None = None
    hsize: int | None = None
    bsize: int | None = None
    err: Any = None
    dnserr: Any = None


class _Raw(msgspec.Struct):
    result: str | list[_Fetch] = ""
    src_addr: str = ""
    uri: str = ""


def parse_http(value: dict[str, Any], origin: Origin) -> HTTP:
    """Parse an HTTP result. Raises `ParseError`."""
    raw = convert(value, _Raw)
    if isinstance(raw.result, str):
        fetches: tuple[Fetch, ...] = (_of_words(raw.result or raw.src_addr),)
    else:
        fetches = tuple(map(_fetch, raw.result))
    if not fetches:
        raise ParseError("no request stands in the result")
    return HTTP(origin, raw.uri, fetches)


def _of_words(text: str) -> Fetch:
    """Give the request of one line of words; firmware 0 has it in the field of its own address."""
    words = text.split()
    if len(words) == 6 and words[0].rstrip("46").isalpha():
        mode, target, seconds, status, header, body = words
        try:
            rtt_ms = milliseconds(round(float(seconds) * 1000, 6))  # firmware 0 and 1 told microseconds
            sizes = int(status), int(header), int(body)
        except (ValueError, OverflowError) as error:
            raise ParseError(f"{text[:200]!r} is no line of an HTTP result") from error
        return Fetch(target, _family(mode), mode.rstrip("46"), "", sizes[0], rtt_ms, None, None, None, *sizes[1:], "")
    if not words:
        raise ParseError("neither a request nor an error")
    return Fetch("", None, "", "", None, None, None, None, None, None, None, words_of(text))


def _fetch(raw: _Fetch) -> Fetch:
    return Fetch(
        raw.dst_addr or raw.addr,
        raw.af or _family(raw.mode),
        raw.method or raw.mode.rstrip("46"),
        raw.ver,
        raw.res,
        milliseconds(raw.rt),
        milliseconds(raw.ttr),
        milliseconds(raw.ttc),
        milliseconds(raw.ttfb),
        raw.hsize,
        raw.bsize,
        words_of(raw.err) or words_of(raw.dnserr),
    )


def _family(mode: str) -> int | None:
    return int(mode[-1]) if mode[-1:] in ("4", "6") else None
