"""Modules of a prober's file: what is asked, one shape a kind."""

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.scalars import (
    Boolean,
    Days,
    Interval,
    Name,
    Octets,
    Path,
    Status,
    Text,
    integer,
    parsed,
    word,
)
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.shapes.check import HeaderName, Method, Rcode
from anycastle.io.config.units import format_duration
from anycastle.probe.kinds import dns, http, icmp, mtu, session, traceroute, udp
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.kinds.large_body import LargeBodyAsk
from anycastle.probe.kinds.mtu import MTUAsk
from anycastle.probe.kinds.session import SessionAsk
from anycastle.probe.kinds.tcp import TCPAsk
from anycastle.probe.kinds.tls import TLSAsk
from anycastle.probe.kinds.traceroute import TraceAsk
from anycastle.probe.kinds.udp import UDPAsk
from anycastle.probe.kinds.zone import ZoneAsk
from anycastle.probe.target import Ask
from anycastle.wire.dns_query import encode_name, parse_type

KINDS: Final = ("icmp", "udp", "tcp", "tls", "http", "dns", "zone", "traceroute", "mtu", "large_body", "session")


def whole(low: int, high: int) -> Any:
    """Give what reads a whole number within bounds, and its schema."""
    return PlainValidator(integer(low, high)), WithJsonSchema({"type": "integer", "minimum": low, "maximum": high})


def _words(*words: str) -> Any:
    return PlainValidator(word({each: each for each in words})), WithJsonSchema({"enum": list(words)})


_PING: Final = whole(icmp.TOKEN_OCTETS, icmp.DATA_OCTETS_MAX)
_ECHO: Final = whole(udp.TOKEN_OCTETS, udp.DATA_OCTETS_MAX)
_TRANSPORTS: Final = _words(*dns.PORTS)
_IDENTITIES: Final = _words(*dns.IDENTITIES)
_SPEAKS: Final = _words(*session.SPEAKS)
_VERSIONS: Final = _words(*http.VERSIONS)
_PROTOCOLS: Final = _words(*traceroute.PROTOCOLS)
_FARTHEST: Final = whole(1, 64)
_TRIES: Final = whole(1, 10)
_PACKET: Final = whole(mtu.SMALL_OCTETS[4], mtu.OCTETS_MAX)

PingOctets = Annotated[int, _PING[0], _PING[1]]
EchoOctets = Annotated[int, _ECHO[0], _ECHO[1]]
Transport = Annotated[str, _TRANSPORTS[0], _TRANSPORTS[1]]
Identity = Annotated[str, _IDENTITIES[0], _IDENTITIES[1]]
Speaks = Annotated[str, _SPEAKS[0], _SPEAKS[1]]
Version = Annotated[str, _VERSIONS[0], _VERSIONS[1]]
Protocol = Annotated[str, _PROTOCOLS[0], _PROTOCOLS[1]]
Farthest = Annotated[int, _FARTHEST[0], _FARTHEST[1]]
Tries = Annotated[int, _TRIES[0], _TRIES[1]]
PacketOctets = Annotated[int, _PACKET[0], _PACKET[1]]


def _dns_name(text: str) -> str:
    encode_name(text)
    return text


def _record_type(text: str) -> str:
    parse_type(text)
    return text


DNSName = Annotated[str, PlainValidator(parsed(_dns_name, "a name")), WithJsonSchema({"type": "string"})]
AskedType = Annotated[
    str,
    PlainValidator(parsed(_record_type, "a record type such as SOA, A or TYPE65")),
    WithJsonSchema({"type": "string"}),
]


class ICMPModuleShape(Shape):
    """ICMP echo."""

    data_octets: PingOctets = Field(56, description="Octets behind the ICMP header.")

    def ask(self) -> ICMPAsk:
        """Give what is asked."""
        return ICMPAsk(self.data_octets)


class UDPModuleShape(Shape):
    """UDP echo (RFC 862)."""

    data_octets: EchoOctets = Field(64, description="Octets of the datagram.")

    def ask(self) -> UDPAsk:
        """Give what is asked."""
        return UDPAsk(self.data_octets)


class TCPModuleShape(Shape):
    """TCP: connect, and optionally exchange a few octets."""

    send: Octets | None = Field(None, description="Text that is sent.")
    expect: Octets | None = Field(None, description="Text that must come.")

    def ask(self) -> TCPAsk:
        """Give what is asked."""
        return TCPAsk(self.send, self.expect)


class TLSModuleShape(Shape):
    """TLS: shake hands."""

    server_name: Text | None = Field(None, description="Name for SNI and verification. Default: the target's host.")
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")
    alpn: Annotated[tuple[Text, ...], ITEMS] = Field((), description="Protocols to offer, such as `h2`.")
    certificate_days_left: Days | None = Field(None, description="Days that the certificate must still be valid.")

    def ask(self) -> TLSAsk:
        """Give what is asked."""
        return TLSAsk(self.server_name, self.verify, self.ca_file, self.alpn, self.certificate_days_left)


class HTTPModuleShape(Shape):
    """HTTP/1.1, HTTP/2 or HTTP/3: ask for a page."""

    tls: Boolean = Field(True, description="Over TLS.")
    path: Text = Field("/", description="What to ask for.")
    method: Method = Field("GET", description="`GET` or `HEAD`.")
    version: Version = Field("1.1", description='`"1.1"`, `"2"` or `"3"`, in quotes.')
    host: Text | None = Field(None, description="For the Host field, SNI and verification. Default: the target's host.")
    headers: Annotated[dict[HeaderName, Text], ENTRIES] | None = Field(
        None, description="Headers that are sent; none that carries a secret."
    )
    statuses: Annotated[tuple[Status, ...], ITEMS] = Field((200,), description="Statuses that are right.")
    body_contains: Text | None = Field(None, description="Text that the body's first MiB must contain.")
    site_header: Text | None = Field(None, description="Header in which the server names itself, as `x-served-by`.")
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")

    def review(self, findings: Findings) -> None:
        """HTTP/3 has no form without TLS."""
        if self.version == "3" and not self.tls:
            self.add(findings, FindingKind.BAD_VALUE, "tls", "HTTP/3 is spoken over TLS alone")

    def ask(self) -> HTTPAsk:
        """Give what is asked."""
        return HTTPAsk(
            tls=self.tls,
            path=self.path,
            method=self.method,
            version=self.version,
            host=self.host,
            headers=tuple((self.headers or {}).items()),
            statuses=self.statuses,
            body_contains=self.body_contains,
            site_header=self.site_header or "",
            verify=self.verify,
            ca_file=self.ca_file,
        )


class DNSModuleShape(Shape):
    """DNS: ask a name server."""

    name: DNSName = Field(".", description="Name to ask for.")
    record_type: AskedType = Field("SOA", description="Type of record to ask for.")
    transport: Transport = Field("udp", description="`udp`, `tcp`, `tls`, `https` or `quic`.")
    nsid: Boolean = Field(True, description="Ask for the server's NSID (RFC 5001).")
    identity: Identity | None = Field(
        None, description="A second question by which the server names itself: `id.server` or `hostname.bind`."
    )
    recursion: Boolean = Field(False, description="Ask a resolver: set the RD bit.")
    rcode: Rcode = Field("NOERROR", description="Response code that is right.")
    answer: Text | None = Field(None, description="Text of an A, AAAA or TXT record that must be in the answer.")
    authoritative: Boolean = Field(False, description="Require the AA bit.")
    server_name: Text | None = Field(None, description="For TLS, HTTPS and QUIC. Default: the target's host.")
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")
    path: Text = Field("/dns-query", description="Of DNS over HTTPS.")

    def ask(self) -> DNSAsk:
        """Give what is asked."""
        return DNSAsk(
            name=self.name,
            record_type=self.record_type,
            transport=self.transport,
            nsid=self.nsid,
            identity=self.identity or "",
            recursion=self.recursion,
            rcode=self.rcode,
            answer=self.answer,
            authoritative=self.authoritative,
            server_name=self.server_name,
            verify=self.verify,
            ca_file=self.ca_file,
            path=self.path,
        )


class ZoneModuleShape(Shape):
    """DNS: a question drawn anew each time from what a zone has, and the whole answer kept."""

    origin: DNSName = Field(".", description="Of the zone.")
    names_file: Path | None = Field(
        None,
        description="Its delegations, a name a line, as IANA's list of top-level domains. Default: the apex alone.",
    )
    served: Annotated[tuple[DNSName, ...], ITEMS] = Field(
        ("arpa",), description="Delegations that the same servers serve: their NS are not asked for."
    )

    def ask(self) -> ZoneAsk:
        """Give what is asked."""
        return ZoneAsk(self.names_file, self.origin, tuple(each.rstrip(".") for each in self.served))


class TraceModuleShape(Shape):
    """Paris traceroute; it takes CAP_NET_RAW."""

    protocol: Protocol = Field("udp", description="`udp`, `icmp` or `tcp`.")
    hops: Farthest = Field(30, description="Hops that are asked at most.")
    tries: Tries = Field(3, description="Probes a hop.")

    def ask(self) -> TraceAsk:
        """Give what is asked."""
        return TraceAsk(self.protocol, self.hops, self.tries)


class MTUModuleShape(Shape):
    """Path MTU, of echo requests with Don't Fragment. Give the target some seconds."""

    octets_max: PacketOctets = Field(
        mtu.OCTETS_DEFAULT, description="The largest packet that is tried, with its headers."
    )
    octets_min: PacketOctets | None = Field(None, description="Packets of so many octets must pass.")
    tries: Tries = Field(3, description="Packets of a size before it counts as silent.")

    def review(self, findings: Findings) -> None:
        """The least is within what is tried."""
        if self.octets_min is not None and self.octets_min > self.octets_max:
            message = f"packets of {self.octets_min} octets are not tried: octets_max is {self.octets_max}"
            self.add(findings, FindingKind.BAD_VALUE, "octets_min", message)

    def ask(self) -> MTUAsk:
        """Give what is asked."""
        return MTUAsk(self.octets_max, self.octets_min, self.tries)


class LargeBodyModuleShape(Shape):
    """HTTP: a small body, then a large one; where that stalls, again in small segments."""

    large_path: Text = Field(description="A page of 200 kB or so.")
    small_path: Text = Field("/", description="A page of 1 kB or less.")
    tls: Boolean = Field(True, description="Over TLS.")
    host: Text | None = Field(None, description="For the Host field, SNI and verification. Default: the target's host.")
    stall: Interval = Field(2.0, description="Silence of so long is a stall.", json_schema_extra={"default": "2s"})
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")

    def ask(self) -> LargeBodyAsk:
        """Give what is asked."""
        return LargeBodyAsk(
            self.large_path, self.small_path, self.tls, self.host, self.stall, self.verify, self.ca_file
        )


class SessionModuleShape(Shape):
    """A TCP or TLS session that is held, and on which something is asked now and then."""

    speaks: Speaks = Field("http", description="What is said: `text`, `http` (HEAD) or `dns` (the server's name).")
    hold: Interval = Field(60.0, description="How long.", json_schema_extra={"default": "1m"})
    every: Interval = Field(5.0, description="From one question to the next.", json_schema_extra={"default": "5s"})
    answer_timeout: Interval = Field(
        3.0, description="Silence of so long ends it.", json_schema_extra={"default": "3s"}
    )
    tls: Boolean = Field(False, description="Over TLS.")
    host: Text | None = Field(None, description="For the Host field, SNI and verification. Default: the target's host.")
    path: Text = Field("/", description="Of HTTP.")
    site_header: Text | None = Field(None, description="Of HTTP: header in which the server names itself.")
    identity: Identity = Field("id.server", description="Of DNS: `id.server` or `hostname.bind`.")
    send: Octets = Field(b"\n", description="Of text: what is sent.", json_schema_extra={"default": "\\n"})
    until: Octets = Field(b"\n", description="Of text: what ends an answer.", json_schema_extra={"default": "\\n"})
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")

    def review(self, findings: Findings) -> None:
        """An answer is due before the next question."""
        if self.answer_timeout > self.every:
            message = f"{format_duration(self.answer_timeout)} is longer than every {format_duration(self.every)}"
            self.add(findings, FindingKind.TIMING, "answer_timeout", message)

    def ask(self) -> SessionAsk:
        """Give what is asked."""
        return SessionAsk(
            speaks=self.speaks,
            hold_s=self.hold,
            every_s=self.every,
            answer_timeout_s=self.answer_timeout,
            tls=self.tls,
            host=self.host,
            path=self.path,
            site_header=self.site_header or "",
            identity=self.identity,
            send=self.send,
            until=self.until,
            verify=self.verify,
            ca_file=self.ca_file,
        )


class ModuleShape(Shape):
    """What is asked, under a name: exactly one of the kinds."""

    name: Name = Field(description="Name of the module, as targets and `/probe?module=` write it.")
    icmp: ICMPModuleShape | None = Field(None, description="ICMP echo.")
    udp: UDPModuleShape | None = Field(None, description="UDP echo.")
    tcp: TCPModuleShape | None = Field(None, description="TCP connection.")
    tls: TLSModuleShape | None = Field(None, description="TLS handshake.")
    http: HTTPModuleShape | None = Field(None, description="HTTP request.")
    dns: DNSModuleShape | None = Field(None, description="DNS question.")
    zone: ZoneModuleShape | None = Field(None, description="Answers of a zone.")
    traceroute: TraceModuleShape | None = Field(None, description="Hops of one path.")
    mtu: MTUModuleShape | None = Field(None, description="The path's MTU.")
    large_body: LargeBodyModuleShape | None = Field(None, description="A small body and a large one.")
    session: SessionModuleShape | None = Field(None, description="A session that is held.")

    def review(self, findings: Findings) -> None:
        """Exactly one kind."""
        given = [kind for kind in KINDS if kind in self.node.entries]
        misspelt = not given and not self.node.entries.keys() <= type(self).model_fields.keys()
        if len(given) != 1 and not misspelt:
            what = f"{' and '.join(given)} are given" if given else "none is given"
            message = f"a module has exactly one of {', '.join(KINDS)}; {what}"
            findings.add(FindingKind.CHECK_KIND, self.node.place, self.node.path(), message)

    @property
    def sound(self) -> bool:
        """Tell whether there is one kind that could be read."""
        return sum(getattr(self, kind) is not None for kind in KINDS) == 1

    def ask(self) -> Ask:
        """Give what is asked. Only for one that is sound."""
        found: Ask = next(each.ask() for each in (getattr(self, kind) for kind in KINDS) if each is not None)
        return found
