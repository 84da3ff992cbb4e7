"""HTTP/1.1, HTTP/2 and HTTP/3: status, body, and the field in which a server names itself."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from anycastle.probe.result import Failure, FailureKind, Observation

PORTS: Final = MappingProxyType({False: 80, True: 443})
"""Over TLS or not -> the port that it has by default."""

VERSIONS: Final = ("1.1", "2", "3")
BODY_KEPT_OCTETS: Final = 1024 * 1024
"""Of a body, in which `body_contains` is looked for."""


@dataclass(frozen=True, slots=True)
class HTTPAsk:
    """A request."""

    tls: bool = True
    path: str = "/"
    method: str = "GET"
    version: str = "1.1"
    """Of `VERSIONS`. HTTP/2 is agreed by ALPN over TLS, and known beforehand without (RFC 9113 §3.3);
    HTTP/3 is asked over QUIC, whatever the server says of itself elsewhere."""
    host: str | None = None
    """For the Host field, SNI and verification; None: the target's host."""
    headers: tuple[tuple[str, str], ...] = ()
    statuses: tuple[int, ...] = (200,)
    body_contains: str | None = None
    site_header: str = ""
    """The field of the response in which the server names itself, such as `x-served-by`."""
    verify: bool = True
    ca_file: str | None = None
    kind: str = field(default="http", init=False)


@dataclass(frozen=True, slots=True)
class HTTPSeen(Observation):
    """A response."""

    version: str
    status: int
    body_octets: int
    contains: bool | None
    """Whether the body holds what is expected; None where nothing is."""
    site: str = ""
    """Value of the site header."""
    tls_version: str = ""
    days_left: float | None = None
    """Of the certificate; None over HTTP/3, where the library keeps it to itself."""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give the site header."""
        return (("header", self.site),) if self.site else ()


def judge(ask: HTTPAsk, seen: HTTPSeen) -> Failure | None:
    """Give what is wrong with a response."""
    if seen.status not in ask.statuses:
        words = f"status {seen.status}, expected {' or '.join(map(str, ask.statuses))}"
        return Failure(FailureKind.CONTENT, "first_byte", words)
    if seen.contains is False:
        words = f"status {seen.status}, but {ask.body_contains!r} is not in the {seen.body_octets} octets of the body"
        return Failure(FailureKind.CONTENT, "body", words)
    return None
