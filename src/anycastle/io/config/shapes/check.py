"""The checks of a service: one shape per kind, each converted to its target of `model.check`."""

import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.scalars import (
    AddressText,
    Boolean,
    Days,
    Hexadecimal,
    Interval,
    Name,
    Number,
    Octets,
    Path,
    Pings,
    Port,
    PositiveSpan,
    Run,
    Status,
    Text,
    one_of,
    read_text,
    refuse,
    word,
    words_schema,
)
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.units import format_duration
from anycastle.model.check import (
    Check,
    CheckTarget,
    DNSTarget,
    ExecTarget,
    FileTarget,
    HTTPTarget,
    ICMPTarget,
    PrometheusTarget,
    Severity,
    SystemdTarget,
    TCPTarget,
    TLSTarget,
)

INTERVAL_DEFAULT_S: Final = 1.0
TIMEOUT_DEFAULT_S: Final = 1.0
CONFIRM_INTERVAL_DEFAULT_S: Final = 0.05
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"})
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_RCODES: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def _words(*words: str) -> Any:
    return PlainValidator(word({each: each for each in words})), WithJsonSchema({"enum": list(words)})


_METHODS: Final = _words("GET", "HEAD")
_TRANSPORTS: Final = _words("udp", "tcp")
_STATES: Final = _words("present", "absent")
_COMPARISONS: Final = _words("<", "<=", "==", "!=", ">=", ">")
_RCODE_WORDS: Final = _words(*_RCODES)

Method = Annotated[str, _METHODS[0], _METHODS[1]]
Transport = Annotated[str, _TRANSPORTS[0], _TRANSPORTS[1]]
State = Annotated[str, _STATES[0], _STATES[1]]
Comparison = Annotated[str, _COMPARISONS[0], _COMPARISONS[1]]
Rcode = Annotated[str, _RCODE_WORDS[0], _RCODE_WORDS[1]]
SeverityWord = Annotated[Severity, PlainValidator(one_of(Severity)), words_schema(Severity)]


def _read_url(node: Any) -> str:
    text = read_text(node)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refuse(FindingKind.BAD_VALUE, "the URL's host or port cannot be") from None
    if parts.username is not None or parts.password is not None:
        message = "a user or password is never written into the fleet; use an exec check that reads it from a file"
        raise refuse(FindingKind.SECRET, message)
    if parts.scheme not in ("http", "https") or not host or " " in text:
        raise refuse(FindingKind.BAD_VALUE, f"{text[:60]!r} is not an http:// or https:// URL with a host")
    return text


def _read_record_type(node: Any) -> str:
    text = read_text(node)
    if not re.fullmatch(r"[A-Z][A-Z0-9-]{0,15}", text):
        raise refuse(FindingKind.BAD_VALUE, f"{text[:60]!r} is not a record type such as SOA, A or TYPE65")
    return text


def _header_name(text: str) -> str:
    if text.lower() in _SECRET_HEADERS:
        message = f"{text} carries a secret, which is never written into the fleet; use an exec check that reads a file"
        raise refuse(FindingKind.SECRET, message)
    if not _HEADER.fullmatch(text):
        raise refuse(FindingKind.BAD_VALUE, f"{text[:60]!r} is not the name of a header")
    return text


HeaderName = Annotated[str, AfterValidator(_header_name)]
URL = Annotated[str, PlainValidator(_read_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
RecordType = Annotated[
    str, PlainValidator(_read_record_type), WithJsonSchema({"type": "string", "pattern": "^[A-Z][A-Z0-9-]{0,15}$"})
]


class HeaderShape(Shape):
    """A header of the answer."""

    name: Text = Field(description="Name of the header.")
    value: Text = Field(description="Its value.")


class HTTPShape(Shape):
    """GET or HEAD an URL."""

    url: URL = Field(description="What to ask for, `http://` or `https://`.")
    method: Method = Field("GET", description="`GET` or `HEAD`.")
    address: AddressText | None = Field(
        None,
        description="Connect here in place of what the URL's host resolves to, so that the check stays on this PoP.",
    )
    statuses: Annotated[tuple[Status, ...], ITEMS] = Field((200,), description="Statuses that pass.")
    body_contains: Text | None = Field(None, description="Text that the body must contain.")
    headers: Annotated[dict[HeaderName, Text], ENTRIES] | None = Field(
        None, description="Headers that are sent; none that carries a secret."
    )
    expect_header: HeaderShape | None = Field(None, description="A header that the answer must carry.")
    verify_tls: Boolean = Field(True, description="Verify the certificate's chain and name.")
    server_name: Text | None = Field(None, description="Name for SNI and verification, where not the URL's host.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")
    certificate_days_left: Days | None = Field(None, description="Days that the certificate must still be valid.")

    def target(self) -> HTTPTarget:
        """Give the model's target."""
        expected = self.expect_header
        return HTTPTarget(
            url=self.url,
            method=self.method,
            address=self.address,
            statuses=self.statuses,
            body_contains=self.body_contains,
            headers=tuple((self.headers or {}).items()),
            expect_header=(expected.name, expected.value) if expected else None,
            verify_tls=self.verify_tls,
            server_name=self.server_name,
            ca_file=self.ca_file,
            certificate_days_left=self.certificate_days_left,
        )


class TCPShape(Shape):
    """Connect, and optionally exchange a few octets."""

    address: AddressText = Field(description="Where to connect.")
    port: Port = Field(description="TCP port.")
    send: Octets | None = Field(None, description='Text that is sent, such as "PING\\r\\n" in double quotes.')
    send_hex: Hexadecimal | None = Field(None, description="Octets that are sent, as hexadecimal digits.")
    expect: Octets | None = Field(None, description="Text that the answer must contain.")
    expect_hex: Hexadecimal | None = Field(
        None, description="Octets that the answer must contain, as hexadecimal digits."
    )

    def review(self, findings: Findings) -> None:
        """Text and digits exclude each other."""
        for key in ("send", "expect"):
            if getattr(self, key) is not None and getattr(self, f"{key}_hex") is not None:
                self.add(findings, FindingKind.BAD_VALUE, f"{key}_hex", f"give {key} or {key}_hex, not both")

    def target(self) -> TCPTarget:
        """Give the model's target."""
        return TCPTarget(self.address, self.port, self.send or self.send_hex, self.expect or self.expect_hex)


class TLSShape(Shape):
    """Shake hands."""

    address: AddressText = Field(description="Where to connect.")
    port: Port = Field(description="TCP port.")
    server_name: Text = Field(description="Name for SNI and verification.")
    verify: Boolean = Field(True, description="Verify the certificate's chain and name.")
    ca_file: Path | None = Field(None, description="Authorities to verify with, where not the system's.")
    certificate_days_left: Days | None = Field(None, description="Days that the certificate must still be valid.")
    alpn: Annotated[tuple[Text, ...], ITEMS] = Field((), description="Protocols to offer, such as `h2`.")

    def target(self) -> TLSTarget:
        """Give the model's target."""
        return TLSTarget(
            address=self.address,
            port=self.port,
            server_name=self.server_name,
            verify=self.verify,
            ca_file=self.ca_file,
            certificate_days_left=self.certificate_days_left,
            alpn=self.alpn,
        )


class DNSShape(Shape):
    """Ask a name server."""

    address: AddressText = Field(description="The name server to ask.")
    name: Text = Field(description="Name to ask for.")
    port: Port = Field(53, description="Port of the name server.")
    transport: Transport = Field("udp", description="`udp` or `tcp`.")
    record_type: RecordType = Field("SOA", description="Type of record to ask for.")
    rcode: Rcode = Field("NOERROR", description="Response code that passes.")
    answer: Text | None = Field(None, description="Text that one record of the answer must equal.")
    nsid: Text | None = Field(None, description="NSID that the server must give (RFC 5001).")
    identity: Text | None = Field(None, description="Answer that `id.server. CH TXT` must give (RFC 4892).")
    authoritative: Boolean = Field(False, description="Require the AA bit.")

    def target(self) -> DNSTarget:
        """Give the model's target."""
        return DNSTarget(
            address=self.address,
            name=self.name,
            port=self.port,
            transport=self.transport,
            record_type=self.record_type,
            rcode=self.rcode,
            answer=self.answer,
            nsid=self.nsid,
            identity=self.identity,
            authoritative=self.authoritative,
        )


class ICMPShape(Shape):
    """Ping."""

    address: AddressText = Field(description="Where to ping.")
    count: Pings = Field(1, description="Echo requests of one run; one answer passes.")

    def target(self) -> ICMPTarget:
        """Give the model's target."""
        return ICMPTarget(self.address, self.count)


class ExecShape(Shape):
    """Run a program without a shell."""

    command: Annotated[tuple[Text, ...], ITEMS] = Field(
        description="Absolute path of the program, then its arguments. Exit 0 passes, 1 and 2 fail."
    )

    def review(self, findings: Findings) -> None:
        """The program's path is absolute, as the agent's search path is nobody's business."""
        if not self.command[0].startswith("/"):
            message = f"{self.command[0][:60]!r} is not an absolute path; there is no shell and no search path"
            self.add(findings, FindingKind.BAD_VALUE, "command", message)

    def target(self) -> ExecTarget:
        """Give the model's target."""
        return ExecTarget(self.command)


class FileShape(Shape):
    """Look for a file."""

    path: Path = Field(description="Absolute path of the file.")
    state: State = Field("present", description="Pass while the file is `present`, or while it is `absent`.")
    max_age: PositiveSpan | None = Field(None, description="Pass only if the file was changed within this time.")

    def target(self) -> FileTarget:
        """Give the model's target."""
        return FileTarget(self.path, self.state, self.max_age)


class SystemdShape(Shape):
    """Look at a systemd unit."""

    unit: Text = Field(description="The unit that must be active, such as `nsd.service`.")

    def target(self) -> SystemdTarget:
        """Give the model's target."""
        return SystemdTarget(self.unit)


class PrometheusShape(Shape):
    """Ask a Prometheus server."""

    url: URL = Field(description="Address of the Prometheus server.")
    query: Text = Field(description="Query that gives a single value; no data is unknown, and withdraws nothing.")
    comparison: Comparison = Field(description="One of `<`, `<=`, `==`, `!=`, `>=`, `>`, in quotes.")
    threshold: Number = Field(description="What the value is compared with.")

    def target(self) -> PrometheusTarget:
        """Give the model's target."""
        return PrometheusTarget(self.url, self.query, self.comparison, self.threshold)


KINDS: Final = ("http", "tcp", "tls", "dns", "icmp", "exec", "file", "systemd", "prometheus")


class CheckShape(Shape):
    """A check: exactly one of the kinds, how often, and how many answers make a verdict."""

    name: Name = Field(description="Name of the check, unique within the service.")
    http: HTTPShape | None = Field(None, description="GET or HEAD an URL.")
    tcp: TCPShape | None = Field(None, description="Connect, and optionally exchange a few octets.")
    tls: TLSShape | None = Field(None, description="Shake hands; the chain and the days left are looked at.")
    dns: DNSShape | None = Field(None, description="Ask a name server.")
    icmp: ICMPShape | None = Field(None, description="Ping.")
    exec: ExecShape | None = Field(None, description="Run a program without a shell.")
    file: FileShape | None = Field(None, description="Look for a file.")
    systemd: SystemdShape | None = Field(None, description="Look at a systemd unit.")
    prometheus: PrometheusShape | None = Field(None, description="Ask a Prometheus server.")
    severity: SeverityWord = Field(
        Severity.HARD,
        description="`hard` failures count towards a withdrawal, `soft` ones towards steering traffic away.",
        json_schema_extra={"default": "hard"},
    )
    interval: Interval = Field(
        INTERVAL_DEFAULT_S, description="Time between runs.", json_schema_extra={"default": "1s"}
    )
    timeout: Interval | None = Field(
        None,
        description="How long a run may take, at most `interval`. Default: `1s`, or `interval` if that is shorter.",
    )
    rise: Run = Field(2, description="Passes in a row that make the check up.")
    fall: Run = Field(3, description="Failures in a row that make the check down.")
    confirm_interval: Interval | None = Field(
        None,
        description="After a first answer that contradicts the verdict, ask again this soon. Default: `50ms`, or "
        "`interval` if that is shorter.",
    )

    def review(self, findings: Findings) -> None:
        """Exactly one kind; timeout and confirmation within the interval."""
        given = [kind for kind in KINDS if kind in self.node.entries]
        misspelt = not given and not self.node.entries.keys() <= type(self).model_fields.keys()
        if len(given) != 1 and not misspelt:
            what = f"{' and '.join(given)} are given" if given else "none is given"
            message = f"a check has exactly one of {', '.join(KINDS)}; {what}"
            findings.add(FindingKind.CHECK_KIND, self.node.place, self.node.path(), message)
        for key, value in (("timeout", self.timeout), ("confirm_interval", self.confirm_interval)):
            if value is not None and value > self.interval and not self.misread("interval"):
                message = f"{format_duration(value)} is longer than the interval of {format_duration(self.interval)}"
                self.add(findings, FindingKind.TIMING, key, message)

    def check(self) -> Check:
        """Give the model's check. Only for a shape without findings."""
        shapes = [getattr(self, kind) for kind in KINDS]
        target: CheckTarget = next(shape.target() for shape in shapes if shape is not None)
        return Check(
            name=self.name,
            target=target,
            severity=self.severity,
            interval_s=self.interval,
            timeout_s=min(TIMEOUT_DEFAULT_S, self.interval) if self.timeout is None else self.timeout,
            rise=self.rise,
            fall=self.fall,
            confirm_interval_s=min(CONFIRM_INTERVAL_DEFAULT_S, self.interval)
            if self.confirm_interval is None
            else self.confirm_interval,
        )
