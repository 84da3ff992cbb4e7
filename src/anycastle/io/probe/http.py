"""One HTTP request, over HTTP/1.1, HTTP/2 or HTTP/3."""

import ssl
from dataclasses import replace

from anycastle.io.checks.http_exchange import Location, encode_request, receive_body, receive_head
from anycastle.io.checks.stream import Stream
from anycastle.io.checks.verdict import Failed, Undecided
from anycastle.io.probe.connection import opened, secured
from anycastle.io.probe.course import Course
from anycastle.io.probe.tls import certificate_of
from anycastle.model.prefix import Address
from anycastle.probe.kinds.http import PORTS, HTTPAsk, HTTPSeen
from anycastle.probe.target import ProbeTarget

_ALPN = {"1.1": "http/1.1", "2": "h2"}


async def run(target: ProbeTarget, ask: HTTPAsk, address: Address, course: Course) -> HTTPSeen:
    """Ask once. The connection is the probe's own, and closed after it."""
    host = ask.host or target.host
    if ask.version == "3":
        return await _over_h3(target, ask, address, host, course)
    with await opened(address, target.port, course) as stream:
        tls = None
        if ask.tls:
            alpn = (_ALPN[ask.version],)
            tls = await secured(stream, host, course, verify=ask.verify, ca_file=ask.ca_file, alpn=alpn)
        exchange = _over_h2 if ask.version == "2" else _over_h1
        return await exchange(stream, tls, location_of(target, host, ask.path, tls=ask.tls), ask, course)


def location_of(target: ProbeTarget, host: str, path: str, *, tls: bool) -> Location:
    """Give where a request goes."""
    name = f"[{host}]" if ":" in host else host
    authority = name if target.port == PORTS[tls] else f"{name}:{target.port}"
    return Location(tls, host, target.port, path, authority, None, target.shown)


async def _over_h1(
    stream: Stream, tls: ssl.SSLObject | None, location: Location, ask: HTTPAsk, course: Course
) -> HTTPSeen:
    course.begin("first_byte")
    await stream.send(encode_request(ask.method, location, ask.headers))
    head, buffered = await receive_head(stream)
    course.begin("body")
    body = await receive_body(stream, ask.method, head, buffered)
    course.end()
    return _seen(ask, tls, head.status, body, len(body), head.field(ask.site_header) if ask.site_header else None)


async def _over_h2(
    stream: Stream, tls: ssl.SSLObject | None, location: Location, ask: HTTPAsk, course: Course
) -> HTTPSeen:
    from anycastle.io.probe.h2_exchange import H2Exchange, Request

    if tls is not None and tls.selected_alpn_protocol() != "h2":
        raise Failed("no HTTP/2 was agreed by ALPN")
    scheme = "https" if location.secure else "http"
    request = Request(ask.method, scheme, location.authority, location.path, ask.headers)
    response = await H2Exchange(stream).ask(request, course)
    course.end()
    site = response.field(ask.site_header) if ask.site_header else None
    return _seen(ask, tls, response.status, response.body, response.body_octets, site)


async def _over_h3(target: ProbeTarget, ask: HTTPAsk, address: Address, host: str, course: Course) -> HTTPSeen:
    from anycastle.io.probe import h3_exchange
    from anycastle.io.probe.h2_exchange import Request
    from anycastle.io.probe.quic import opened_quic

    if not ask.tls:
        raise Undecided("HTTP/3 is spoken over TLS alone (RFC 9114 §3)")
    location = location_of(target, host, ask.path, tls=True)
    request = Request(ask.method, "https", location.authority, location.path, ask.headers)
    async with opened_quic(
        target, address, h3_exchange.ALPN, host, course, verify=ask.verify, ca_file=ask.ca_file
    ) as session:
        response = await h3_exchange.ask(session, request, course)
    site = response.field(ask.site_header) if ask.site_header else None
    return replace(_seen(ask, None, response.status, response.body, response.body_octets, site), tls_version="TLSv1.3")


def _seen(
    ask: HTTPAsk, tls: ssl.SSLObject | None, status: int, body: bytes, body_octets: int, site: str | None
) -> HTTPSeen:
    return HTTPSeen(
        version=ask.version,
        status=status,
        body_octets=body_octets,
        contains=None if ask.body_contains is None else ask.body_contains.encode() in body,
        site=site or "",
        tls_version="" if tls is None else tls.version() or "",
        days_left=None if tls is None else certificate_of(tls).days_left,
    )
