"""What a line of an access log tells, whichever server wrote it."""

from dataclasses import dataclass
from enum import Enum

from anycastle.base.ports import Timestamp


class Handling(Enum):
    """How a cache handled a request (RFC 9211 §2)."""

    HIT = "hit"
    STALE = "stale"
    COLLAPSED = "collapsed"
    MISS = "miss"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that a server has done with."""

    at: Timestamp
    """When it ended, or where the server says only that: when it began."""
    client: str
    """The client's address; '' where the line has none that can be read."""
    status: int
    """As it was sent; 0 where no response was."""
    octets: int
    """Sent to the client, heads included where the server counts them."""
    duration_s: float | None = None
    first_byte_s: float | None = None
    """From the request's first octet to the response's."""
    handling: Handling | None = None
    """None where no cache had a say, or the format does not tell."""
    client_left: bool = False
    """The client went away before it had all."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One TCP session that a proxy has done with."""

    began_at: Timestamp
    client: str
    client_port: int
    duration_s: float
    octets: int
    orderly: bool
    """False where the client fell silent, or its side was reset."""
    silent: bool = False
    """The client was waited for in vain: how a session ends at a PoP whose packets go elsewhere now."""


AccessRecord = RequestRecord | SessionRecord


class LineError(ValueError):
    """A line is not of the format; the message says what is wrong with it."""
