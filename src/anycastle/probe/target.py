"""What a prober probes: where, what is asked, how often, and how the PoP that answers is found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from anycastle.base.errors import ParseError
from anycastle.probe import session_dialects
from anycastle.probe.kinds import dns, http, tls, udp
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.kinds.large_body import LargeBodyAsk
from anycastle.probe.kinds.mtu import MTUAsk
from anycastle.probe.kinds.session import SessionAsk
from anycastle.probe.kinds.tcp import TCPAsk
from anycastle.probe.kinds.tls import TLSAsk
from anycastle.probe.kinds.traceroute import TCP_PORT, UDP_PORT, TraceAsk
from anycastle.probe.kinds.udp import UDPAsk
from anycastle.probe.kinds.zone import ZoneAsk
from anycastle.probe.site import SiteRule

Ask = ICMPAsk | UDPAsk | TCPAsk | TLSAsk | HTTPAsk | DNSAsk | ZoneAsk | TraceAsk | MTUAsk | LargeBodyAsk | SessionAsk
"""Of any kind."""

PORTLESS: Final = frozenset({"icmp", "mtu"})


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """One target of a prober."""

    name: str
    host: str
    """A name, or an address."""
    port: int
    """0 where the kind has none."""
    ask: Ask
    interval_s: float = 60.0
    timeout_s: float = 4.0
    """4 s: what RSSAC047 waits for an answer."""
    source_port: int = 0
    """0: varied. The kernel draws one for each probe, so that probes take all of several equal paths. A port: always
    this one, so that a change of path is a change of routes and not of a load balancer's hash."""
    site: SiteRule | None = None
    """None: what the server says is kept, and no PoP is found in it."""

    @property
    def shown(self) -> str:
        """Give where it is: `192.0.2.53:53`, or an address alone."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.ask.kind in PORTLESS else f"{host}:{self.port}"


def default_port(ask: Ask) -> int:
    """Give the port that a kind has by default; 0 where it has none."""
    match ask:
        case DNSAsk():
            return dns.PORTS[ask.transport]
        case ZoneAsk():
            return dns.PORTS["udp"]
        case HTTPAsk() | LargeBodyAsk():
            return http.PORTS[ask.tls]
        case TLSAsk():
            return tls.PORT
        case UDPAsk():
            return udp.PORT
        case TraceAsk():
            return TCP_PORT if ask.protocol == "tcp" else UDP_PORT
        case SessionAsk():
            return session_dialects.PORTS.get((ask.speaks, ask.tls), 0)
        case _:
            return 0


def timeout_s_min(ask: Ask) -> float:
    """Give how long a probe may take at least: 0 of a kind that answers as fast as it can."""
    return ask.timeout_s_min if isinstance(ask, SessionAsk) else 0.0


def name_of(ask: SessionAsk, rule: SiteRule | None) -> Callable[[str], str]:
    """Give what finds in a server's text the name that must not change on a session: its PoP, or all of it.

    A line of text may differ each time: without a rule it has no name.
    """
    if rule is not None:
        return rule.pop_of
    return (lambda _: "") if ask.speaks == "text" else str


def over_udp(ask: Ask) -> bool:
    """Tell whether a probe goes out of a UDP port, which may be a fixed one.

    One TCP port cannot connect to one target again while the connection before waits out its end (TIME-WAIT).
    """
    match ask:
        case UDPAsk():
            return True
        case DNSAsk():
            return ask.transport in ("udp", "quic")
        case HTTPAsk():
            return ask.version == "3"
        case TraceAsk():
            return ask.protocol == "udp"
        case _:
            return False


def aim(text: str, ask: Ask) -> ProbeTarget:
    """Give a target of `host`, `host:port`, `[address]:port`, or of an URL where HTTP is asked. Raises `ParseError`."""
    if "://" in text:
        if not isinstance(ask, HTTPAsk | LargeBodyAsk):
            raise ParseError(f"{text!r} is an URL, and {ask.kind} asks for a host")
        return _aim_url(text, ask)
    if text.count(":") > 1 and not text.startswith("["):
        host, port = text, None  # an IPv6 address without port
    else:
        host, port = _host_port(f"//{text}", text)
    return _aimed(text, host, port, ask)


def _aim_url(text: str, ask: HTTPAsk | LargeBodyAsk) -> ProbeTarget:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https"):
        raise ParseError(f"{text!r}: an URL of http or https is needed")
    if parts.username is not None or parts.password is not None:
        raise ParseError("an URL with a user or password: a secret is never written where it can be read")
    host, port = _host_port(text, text)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    tls = parts.scheme == "https"
    if isinstance(ask, LargeBodyAsk):
        return _aimed(text, host, port, replace(ask, tls=tls, large_path=path))
    return _aimed(text, host, port, replace(ask, tls=tls, path=path))


def _aimed(text: str, host: str, port: int | None, ask: Ask) -> ProbeTarget:
    if port is None:
        port = default_port(ask)
        if not port and ask.kind not in PORTLESS:
            raise ParseError(f"{text!r}: {ask.kind} needs a port, such as {text}:443")
    elif ask.kind in PORTLESS:
        raise ParseError(f"{text!r}: {ask.kind} has no ports")
    return ProbeTarget(text, host, port, ask)


def _host_port(url: str, text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ParseError(f"{text!r} is no host with a port: {error}") from error
    if not host or any(character.isspace() for character in host) or port == 0:
        raise ParseError(f"{text!r} is no host, and none with a port")
    if url.startswith("//") and (parts.path or parts.query or parts.fragment or parts.username is not None):
        raise ParseError(f"{text!r} is no host, and none with a port")
    return host, port
