"""What the agent's engine asks of the world. The shell carries commands out in the order in which they are given."""

from dataclasses import dataclass

from anycastle.health.state import AgentState
from anycastle.model.announcement import Announcements
from anycastle.model.check import Check
from anycastle.model.event import Body
from anycastle.model.prefix import Address
from anycastle.model.service import Lease


@dataclass(frozen=True, slots=True)
class StartCheck:
    """Run a check, and hand its result back under `number`."""

    number: int
    check: Check


@dataclass(frozen=True, slots=True)
class Save:
    """Put the state on disk and wait until it is there, before the commands that follow."""

    state: AgentState


@dataclass(frozen=True, slots=True)
class SetAddresses:
    """Have exactly these of the fleet's anycast addresses on the loopback."""

    addresses: frozenset[Address]


@dataclass(frozen=True, slots=True)
class Apply:
    """Tell the router all that it is to announce; answer with `AgentEngine.applied`."""

    wanted: Announcements


@dataclass(frozen=True, slots=True)
class ReadExports:
    """Read what the router really exports; answer with `AgentEngine.exports_read`."""


@dataclass(frozen=True, slots=True)
class LeaseTerm:
    """What the watchdog is to do with one service's announcements should it hear no more of the agent."""

    service: str
    lease: Lease
    announcements: Announcements


@dataclass(frozen=True, slots=True)
class RenewLeases:
    """Tell the watchdog that the agent is alive, and what its announcements' terms are."""

    terms: tuple[LeaseTerm, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Append an event to the log."""

    body: Body


@dataclass(frozen=True, slots=True)
class Finish:
    """Close the sessions with this text (RFC 9003) where the driver owns them, and end the process."""

    text: str
    hold: bool
    """Some service stays announced: sessions that the agent owns are left to a graceful restart."""
    terms: tuple[LeaseTerm, ...] = ()
    """What the watchdog is to end after the agent: what is held, and what the router would not withdraw in time."""


Command = StartCheck | Save | SetAddresses | Apply | ReadExports | RenewLeases | Record | Finish
