"""One HTTP/1.1 exchange, for the checks that need one: no redirects, no proxies, no keeping of connections.

Source: RFC 9110, RFC 9112 (§6 for where a body ends, §7.1 for chunks).
"""

import asyncio
import base64
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from anycastle.base.errors import ParseError
from anycastle.base.limits import HTTP_BODY_BYTES_MAX
from anycastle.io.checks.stream import Stream, connect
from anycastle.io.checks.verdict import OURS, Failed, Undecided
from anycastle.model.prefix import Address, parse_address

_HEAD_OCTETS_MAX: Final = 65536
_BODILESS: Final = (204, 304)


@dataclass(frozen=True, slots=True)
class Location:
    """The parts of an URL. `shown` is for people: it has neither user information nor query, where secrets live."""

    secure: bool
    host: str
    port: int
    path: str
    authority: str
    credentials: str | None
    shown: str


@dataclass(frozen=True, slots=True)
class Head:
    """The status and the header fields (lower-case name, value) of a response."""

    status: int
    fields: tuple[tuple[str, str], ...]

    def field(self, name: str) -> str | None:
        """Give a field's value; several of one name are joined as RFC 9110 §5.3 says."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


@lru_cache(maxsize=4096)
def locate(url: str) -> Location:
    """Parse an URL. Raises `Undecided`: what the operator typed is no fault of the service."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Undecided(f"not an URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Undecided(f"an URL starts with http:// or https:// and a host, not with {parts.scheme or 'nothing'!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    path = parts.path or "/"
    return Location(
        parts.scheme == "https",
        parts.hostname,
        port or (443 if parts.scheme == "https" else 80),
        f"{path}?{parts.query}" if parts.query else path,
        authority,
        None if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}",
        f"{parts.scheme}://{authority}{path}",
    )


async def resolve(host: str, port: int, limit_s: float) -> tuple[Address, ...]:
    """Give a host's addresses within `limit_s`. Raises `Undecided` when our resolver fails or hangs."""
    try:
        return (parse_address(host),)
    except ParseError:
        pass  # a name, then
    try:
        async with asyncio.timeout(limit_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise Undecided(f"our resolver gave no answer for {host}") from error
    except (socket.gaierror, UnicodeError) as error:
        raise Undecided(f"our resolver does not know {host}: {error}") from error
    return tuple(parse_address(str(entry[4][0]).partition("%")[0]) for entry in found)


async def open_any(addresses: tuple[Address, ...], port: int) -> Stream:
    """Connect to the first address that lets us. Raises the last one's `OSError`."""
    for address in addresses[:-1]:
        try:
            return Stream(await connect(address, port))
        except OSError as error:
            if error.errno in OURS:
                raise
    return Stream(await connect(addresses[-1], port))


def encode_request(method: str, location: Location, fields: tuple[tuple[str, str], ...]) -> bytes:
    """Give a request that asks for an uncompressed body and the end of the connection after it."""
    given = {name.lower() for name, _ in fields}
    own = [
        ("Host", location.authority),
        ("User-Agent", "anycastle"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
    ]
    if location.credentials is not None:
        own.append(("Authorization", "Basic " + base64.b64encode(location.credentials.encode()).decode()))
    lines = [f"{method} {location.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in own if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


async def receive_head(stream: Stream) -> tuple[Head, bytes]:
    """Give the head of the final response, and what was read beyond it. Raises `Failed`."""
    buffered = b""
    while True:
        while b"\r\n\r\n" not in buffered:
            if len(buffered) > _HEAD_OCTETS_MAX:
                raise Failed(f"no end of the response's head in {len(buffered)} octets")
            data = await stream.receive()
            if not data:
                raise Failed(
                    "the connection was closed before the response" if not buffered else "the response was cut"
                )
            buffered += data
        head_octets, _, buffered = buffered.partition(b"\r\n\r\n")
        head = _parse_head(head_octets)
        if head.status >= 200 or head.status == 101:
            return head, buffered


def _parse_head(octets: bytes) -> Head:
    status_line, *lines = octets.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/1.") or not (rest[:3].isascii() and rest[:3].isdigit() and len(rest[:3]) == 3):
        raise Failed(f"not an HTTP/1.1 response: {status_line[:60]!r}")
    split = (line.partition(":") for line in lines)
    return Head(int(rest[:3]), tuple((name.strip().lower(), value.strip()) for name, _, value in split))


async def receive_body(
    stream: Stream, method: str, head: Head, buffered: bytes, enough: Callable[[bytes], bool] = lambda _: False
) -> bytes:
    """Give the body, or the part of it that was `enough` or the most that is read. Raises `Failed`."""
    if method == "HEAD" or head.status in _BODILESS:
        return b""
    chunked = "chunked" in (head.field("transfer-encoding") or "").lower()
    length = head.field("content-length")
    if length is not None and not (length.isascii() and length.isdigit()):
        raise Failed(f"the content length {length[:20]!r} is not a number")
    while True:
        if chunked:
            body, complete = decode_chunks(buffered)
        else:
            body, complete = buffered, length is not None and len(buffered) >= int(length)
        if complete or enough(body) or len(body) >= HTTP_BODY_BYTES_MAX:
            return body[:HTTP_BODY_BYTES_MAX]
        data = await stream.receive()
        if not data:
            if chunked or length is not None:
                raise Failed(f"the body was cut after {len(body)} octets")
            return body
        buffered += data


def decode_chunks(octets: bytes) -> tuple[bytes, bool]:
    """Give the data of the chunks that are there, and whether the last chunk is among them. Raises `Failed`."""
    parts: list[bytes] = []
    position = 0
    while (end := octets.find(b"\r\n", position)) >= 0:
        size_text = octets[position:end].partition(b";")[0].strip()
        if not size_text or size_text.strip(b"0123456789abcdefABCDEF"):
            raise Failed(f"a chunk's size is {size_text[:20]!r}")
        size = int(size_text, 16)
        if size == 0:
            return b"".join(parts), True
        parts.append(octets[end + 2 : end + 2 + size])
        position = end + 2 + size + 2
    return b"".join(parts), False
