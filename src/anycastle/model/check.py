"""What a health check is asked to do, and what it can answer."""

from dataclasses import dataclass, field
from enum import Enum

from anycastle.model.prefix import Address


class Outcome(Enum):
    """The answer of one run of a check.

    UNKNOWN means that *we* failed (no descriptor, our own resolver, a clock that jumped), never the service;
    it moves no counter and so never withdraws.
    """

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Severity(Enum):
    """What a failed check costs: HARD counts towards a withdrawal, SOFT towards steering traffic away."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One run of a check: its outcome, how long it took, and what was seen, in words for an operator."""

    outcome: Outcome
    duration_s: float
    evidence: str


@dataclass(frozen=True, slots=True)
class HTTPTarget:
    """GET or HEAD an URL; pass when the status, the body and the header are as expected."""

    url: str
    method: str = "GET"
    address: Address | None = None
    """Connect here in place of what the URL's host resolves to, so that the check stays on this PoP."""
    statuses: tuple[int, ...] = (200,)
    body_contains: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with the request."""
    expect_header: tuple[str, str] | None = None
    verify_tls: bool = True
    server_name: str | None = None
    ca_file: str | None = None
    certificate_days_left: int | None = None
    kind: str = field(default="http", init=False)


@dataclass(frozen=True, slots=True)
class TCPTarget:
    """Connect; with `send` and `expect`, also exchange a few octets."""

    address: Address
    port: int
    send: bytes | None = None
    expect: bytes | None = None
    kind: str = field(default="tcp", init=False)


@dataclass(frozen=True, slots=True)
class TLSTarget:
    """Shake hands; pass when the chain verifies and enough days are left."""

    address: Address
    port: int
    server_name: str
    verify: bool = True
    ca_file: str | None = None
    certificate_days_left: int | None = None
    alpn: tuple[str, ...] = ()
    kind: str = field(default="tls", init=False)


@dataclass(frozen=True, slots=True)
class DNSTarget:
    """Ask a name server; pass when the rcode, the answer, the NSID and the CHAOS identity are as expected."""

    address: Address
    name: str
    port: int = 53
    transport: str = "udp"
    """`udp` or `tcp`."""
    record_type: str = "SOA"
    rcode: str = "NOERROR"
    answer: str | None = None
    """Text that one record of the answer section must equal."""
    nsid: str | None = None
    """Expected NSID (RFC 5001)."""
    identity: str | None = None
    """Expected answer to `id.server. CH TXT` (RFC 4892)."""
    authoritative: bool = False
    """Require the AA bit."""
    kind: str = field(default="dns", init=False)


@dataclass(frozen=True, slots=True)
class ICMPTarget:
    """Ping; pass when one of `count` echo requests is answered."""

    address: Address
    count: int = 1
    kind: str = field(default="icmp", init=False)


@dataclass(frozen=True, slots=True)
class ExecTarget:
    """Run a program without a shell: exit 0 passes, 1 or 2 fails, all else is unknown (as monitoring plugins do)."""

    command: tuple[str, ...]
    kind: str = field(default="exec", init=False)


@dataclass(frozen=True, slots=True)
class FileTarget:
    """Pass while a file exists (`present`), or while it does not (`absent`); optionally only if it is fresh."""

    path: str
    state: str = "present"
    max_age_s: float | None = None
    kind: str = field(default="file", init=False)


@dataclass(frozen=True, slots=True)
class SystemdTarget:
    """Pass while a systemd unit is active."""

    unit: str
    kind: str = field(default="systemd", init=False)


@dataclass(frozen=True, slots=True)
class PrometheusTarget:
    """Ask a Prometheus server; pass when the query's single value satisfies the comparison. No data is unknown."""

    url: str
    query: str
    comparison: str
    """One of `<`, `<=`, `==`, `!=`, `>=`, `>`."""
    threshold: float
    kind: str = field(default="prometheus", init=False)


CheckTarget = (
    HTTPTarget
    | TCPTarget
    | TLSTarget
    | DNSTarget
    | ICMPTarget
    | ExecTarget
    | FileTarget
    | SystemdTarget
    | PrometheusTarget
)


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a service: what to ask, how often, and how many answers make a verdict."""

    name: str
    target: CheckTarget
    severity: Severity = Severity.HARD
    interval_s: float = 1.0
    timeout_s: float = 1.0
    rise: int = 2
    fall: int = 3
    confirm_interval_s: float = 0.05
    """After a first answer that contradicts the verdict, ask again this soon until it is confirmed or refuted."""
