"""What a session asks of its caller, and what it tells it: frozen values, carried out in order.

`link` names the TCP connection that a command is about: a peer has up to two of them while a collision lasts
(RFC 4271 §6.8). What a caller hears of a connection after it was told to `Close` it, it must not pass on.
"""

from dataclasses import dataclass
from enum import Enum

from anycastle.model.prefix import Family
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated
from anycastle.wire.bgp.errors import AttributeFault
from anycastle.wire.bgp.message import Update


class ConnectFault(Enum):
    """Why a dial failed, as far as the operating system tells."""

    NO_ANSWER = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    LOCAL = "our own side"


class Cause(Enum):
    """Why a connection ended; the value is stable and meant for logs and rules."""

    STOPPED = "stopped"
    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    LOCAL = "local"
    DISCONNECTED = "disconnected"
    RESTARTED = "restarted"
    HOLD_TIMER = "hold-timer"
    ASN_MISMATCH = "asn-mismatch"
    HOLD_TIME_MISMATCH = "hold-time-mismatch"
    IDENTIFIER = "identifier"
    CAPABILITY = "capability"
    ROLE_MISMATCH = "role-mismatch"
    VERSION = "version"
    PROTOCOL_ERROR = "protocol-error"
    STATE_ERROR = "state-error"
    COLLISION = "collision"
    PREFIX_LIMIT = "prefix-limit"
    PEER_CEASED = "peer-ceased"
    PEER_STOPPED = "peer-stopped"
    RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class Connect:
    """Dial the peer."""

    link: int


@dataclass(frozen=True, slots=True)
class Close:
    """Flush what was sent, then close the connection, or give up dialling it."""

    link: int


@dataclass(frozen=True, slots=True)
class Send:
    """Write octets to the connection."""

    link: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Established:
    """The session is up, with what both sides agreed on."""

    link: int
    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class Down:
    """A connection, or an attempt at one, ended; `reason` says why in an operator's words."""

    link: int
    state: State
    """The state that it fell from: `ESTABLISHED` means that a session was lost."""
    cause: Cause
    reason: str
    notification: tuple[int, int] | None = None
    """Code and subcode of the NOTIFICATION that was sent or received."""


@dataclass(frozen=True, slots=True)
class Received:
    """Routes from the peer, with RFC 7606's actions already carried out."""

    update: Update


@dataclass(frozen=True, slots=True)
class FaultsFound:
    """The peer sent a malformed UPDATE that was treated as a withdrawal or lost attributes (RFC 7606)."""

    faults: tuple[AttributeFault, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RefreshRequested:
    """The peer wants our routes of the family again (RFC 2918); with `enhanced`, between BoRR and EoRR (RFC 7313)."""

    family: Family
    enhanced: bool


@dataclass(frozen=True, slots=True)
class RefreshBegan:
    """The peer begins to send all its routes of the family again (BoRR): mark what we have as stale."""

    family: Family


@dataclass(frozen=True, slots=True)
class RefreshEnded:
    """The peer has sent all its routes of the family again (EoRR): what is still stale is gone."""

    family: Family


@dataclass(frozen=True, slots=True)
class EndOfRIB:
    """The peer has sent all that it had when the session came up (RFC 4724 §2)."""

    family: Family


@dataclass(frozen=True, slots=True)
class PrefixLimitNear:
    """The peer's prefixes passed the warning threshold of its limit."""

    family: Family
    count: int
    limit: int


@dataclass(frozen=True, slots=True)
class RoutesStale:
    """Keep the peer's routes of the family and mark them stale; delete those that already were (RFC 4724 §4.2)."""

    family: Family


@dataclass(frozen=True, slots=True)
class StaleRoutesEnded:
    """Delete the peer's routes of the family that are still marked stale."""

    family: Family


@dataclass(frozen=True, slots=True)
class RoutesLost:
    """Delete all routes of the peer in the family."""

    family: Family


Command = (
    Connect
    | Close
    | Send
    | Established
    | Down
    | Received
    | FaultsFound
    | RefreshRequested
    | RefreshBegan
    | RefreshEnded
    | EndOfRIB
    | PrefixLimitNear
    | RoutesStale
    | StaleRoutesEnded
    | RoutesLost
)
