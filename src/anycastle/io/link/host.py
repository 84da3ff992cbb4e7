"""What the link asks of whoever it serves: an agent, or a controller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from anycastle.model.permit import PermitReport
from anycastle.session.link_agent import AgentFacts
from anycastle.session.link_clock import Skew
from anycastle.session.link_orders import Answer
from anycastle.session.link_report import Sections, SectionsChanged
from anycastle.wire.link.message import EventRow, Hello, Order


@dataclass(frozen=True, slots=True)
class LogRows:
    """Rows of the agent's log from the number `first` on. `log` tells the log from another."""

    log: str
    first: int
    rows: Sequence[EventRow]


class LinkHost(Protocol):
    """The agent's side."""

    def facts(self) -> AgentFacts | None:
        """Give what a hello says; None while the agent may not speak yet."""
        ...

    def met(self, term: int, version: int) -> str | None:
        """Take that a controller of this term would be spoken with; why it may not be, or None."""
        ...

    def lost(self, why: str) -> None:
        """Take that the session ended."""
        ...

    def trouble(self, text: str) -> None:
        """Take that no controller is reached, and why."""
        ...

    def measured(self, skew: Skew) -> None:
        """Take how the clocks differ."""
        ...

    def sections(self) -> Sections:
        """Give the agent's state."""
        ...

    def permit_reports(self) -> tuple[Sequence[PermitReport], bool]:
        """Give what may be said of permits now, and whether it is all of it."""
        ...

    def granted(self, service: str, epoch: int) -> None:
        """Take a permit."""
        ...

    def revoked(self, service: str, epoch: int) -> None:
        """Take that a permit is asked back."""
        ...

    def take_assignment(self, octets: bytes) -> None:
        """Live by an assignment, durably. Raises `MisuseError`: it is refused, and nothing has changed."""
        ...

    def carry_out(self, order: Order) -> None:
        """Carry an order out. Raises `MisuseError`: it is refused, and nothing has changed."""
        ...

    def keep_orders(self, orders: Sequence[Answer]) -> None:
        """Put what became of orders on disk. Raises `WorldError`."""
        ...

    async def read_events(self, after: int, limit: int) -> LogRows:
        """Read the agent's log behind a number. Raises `WorldError`."""
        ...


@dataclass(frozen=True, slots=True)
class Welcoming:
    """The agent is welcome: of its log all up to `events_acked` is stored."""

    term: int
    events_acked: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The agent is sent away, to the leader where one is known."""

    reason: str
    leader: str = ""
    retry_s: float = 0.0


class AgentsHost(Protocol):
    """The controller's side. A PoP has one session at a time; what is called for it comes in the session's order."""

    async def agent_hello(self, pop: str, hello: Hello) -> Welcoming | Elsewhere:
        """Say whether the agent is welcome. `hello.term` above our own: another controller led, and we know less."""
        ...

    def agent_joined(self, pop: str, hello: Hello, reports: Sequence[PermitReport]) -> None:
        """Take an agent's first words on its permits; all that was known of the PoP's permits is void."""
        ...

    def agent_permits(self, pop: str, reports: Sequence[PermitReport]) -> None:
        """Take permits that changed."""
        ...

    def agent_report(self, pop: str, changes: SectionsChanged, sections: Sections) -> None:
        """Take what changed of the PoP's state, and all of it. After a join nothing of what it was before holds."""
        ...

    async def agent_events(self, pop: str, log: str, first: int, events: Sequence[EventRow]) -> int:
        """Store events durably, each number of a log once; give up to which number it is all stored."""
        ...

    def agent_answer(self, pop: str, order_id: str, refusal: str | None) -> None:
        """Take what became of an order; None: it was done."""
        ...

    def agent_assignment(self, pop: str, digest: str, refusal: str | None) -> None:
        """Take whether the agent lives by an assignment; None: it does."""
        ...

    def agent_left(self, pop: str, why: str) -> None:
        """Take that the session of one that had joined is over."""
        ...
