"""The PDUs of RTR as values. `session_id` and the rest are as RFC 8210 §5 names them."""

from dataclasses import dataclass
from enum import IntEnum

from anycastle.model.asn import ASN
from anycastle.model.rpki import ASPA, VRP


class PDUType(IntEnum):
    """The types of PDU (RFC 8210 §14; ASPA by 8210bis §5.12)."""

    SERIAL_NOTIFY = 0
    SERIAL_QUERY = 1
    RESET_QUERY = 2
    CACHE_RESPONSE = 3
    IPV4_PREFIX = 4
    IPV6_PREFIX = 6
    END_OF_DATA = 7
    CACHE_RESET = 8
    ROUTER_KEY = 9
    ERROR_REPORT = 10
    ASPA = 11


class ErrorCode(IntEnum):
    """The error codes of RFC 8210 §12; the last by 8210bis §12."""

    CORRUPT_DATA = 0
    INTERNAL_ERROR = 1
    NO_DATA_AVAILABLE = 2
    INVALID_REQUEST = 3
    UNSUPPORTED_VERSION = 4
    UNSUPPORTED_PDU_TYPE = 5
    WITHDRAWAL_OF_UNKNOWN_RECORD = 6
    DUPLICATE_ANNOUNCEMENT = 7
    UNEXPECTED_VERSION = 8
    ASPA_PROVIDER_LIST_ERROR = 9

    def __str__(self) -> str:
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class SerialNotify:
    """The cache has news (§5.2)."""

    session_id: int
    serial: int


@dataclass(frozen=True, slots=True)
class SerialQuery:
    """The router asks for what changed since a serial (§5.3)."""

    session_id: int
    serial: int


@dataclass(frozen=True, slots=True)
class ResetQuery:
    """The router asks for everything (§5.4)."""


@dataclass(frozen=True, slots=True)
class CacheResponse:
    """The answer to a query begins (§5.5)."""

    session_id: int


@dataclass(frozen=True, slots=True)
class PrefixPDU:
    """A VRP is announced or withdrawn (§5.6, §5.7)."""

    announced: bool
    vrp: VRP


@dataclass(frozen=True, slots=True)
class Intervals:
    """The timing that a cache asks for, in seconds (§6)."""

    refresh_s: int = 3600
    retry_s: int = 600
    expire_s: int = 7200


@dataclass(frozen=True, slots=True)
class EndOfData:
    """The answer is whole (§5.8); version 0 tells no intervals."""

    session_id: int
    serial: int
    intervals: Intervals | None = None


@dataclass(frozen=True, slots=True)
class CacheReset:
    """The cache cannot tell what changed since: ask for everything (§5.9)."""


@dataclass(frozen=True, slots=True)
class RouterKey:
    """A BGPsec router key (§5.10); decoded, and of no use here."""

    announced: bool
    subject_key_identifier: bytes
    asn: ASN
    subject_public_key_info: bytes


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """The other side found a fault (§5.11). `code` is a number, since others may be assigned."""

    code: int
    pdu: bytes
    text: str


@dataclass(frozen=True, slots=True)
class ASPAPDU:
    """The providers of a customer are announced, in place of those before, or withdrawn (8210bis §5.12)."""

    announced: bool
    aspa: ASPA


PDU = (
    SerialNotify
    | SerialQuery
    | ResetQuery
    | CacheResponse
    | PrefixPDU
    | EndOfData
    | CacheReset
    | RouterKey
    | ErrorReport
    | ASPAPDU
)
