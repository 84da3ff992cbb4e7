"""What the engines of the link ask of their shells, carried out in the order in which they are given."""

from dataclasses import dataclass

from anycastle.model.permit import PermitReport
from anycastle.session.link_clock import Skew
from anycastle.session.link_orders import Answer
from anycastle.session.link_report import SectionsChanged
from anycastle.wire.link.message import Assign, EventRow, Grant, Hello, Order, Revoke


@dataclass(frozen=True, slots=True)
class Dial:
    """Dial a controller; answer with `connected` or `disconnected`."""

    address: str


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Hang:
    """Close the connection once what was said is sent. Nothing that comes of it later is an input any more."""


@dataclass(frozen=True, slots=True)
class Meet:
    """Ask the agent whether a controller of this term may be spoken with; answer with `met`."""

    term: int
    version: int


@dataclass(frozen=True, slots=True)
class Lose:
    """The session with the controller that was met is over."""

    why: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A controller could not be reached, or refuses; it is tried again."""

    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """The clocks were compared."""

    skew: Skew


@dataclass(frozen=True, slots=True)
class Look:
    """Collect what is to be told, only what is asked for; answer with `looked`."""

    state: bool
    permits: bool


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """Read the agent's log behind a number; answer with `events_read`."""

    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Obey:
    """The controller's grant, revocation or assignment; an assignment is answered with `assignment_answered`."""

    message: Grant | Revoke | Assign


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Put `orders` on disk, carry the order out, and answer with `order_answered`."""

    order: Order
    orders: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class KeepOrders:
    """Put what became of orders on disk, before it is told."""

    orders: tuple[Answer, ...]


AgentCommand = (
    Dial | Say | Hang | Meet | Lose | Trouble | Measured | Look | ReadEvents | Obey | CarryOut | KeepOrders
)  # fmt: skip


# -- of a controller's session -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Greeted:
    """An agent said hello; answer with `welcome` or `dismiss`."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Joined:
    """The agent's first words on its permits: the session counts from here on."""

    reports: tuple[PermitReport, ...]


@dataclass(frozen=True, slots=True)
class PermitsTold:
    """Permits that changed."""

    reports: tuple[PermitReport, ...]


@dataclass(frozen=True, slots=True)
class StateTold:
    """What changed of the agent's state."""

    changes: SectionsChanged


@dataclass(frozen=True, slots=True)
class EventsTold:
    """Rows of the agent's log, none of which was told in this session before; answer with `events_stored`."""

    log: str
    first: int
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class OrderAnswered:
    """What became of an order; `refusal` None means that it was done."""

    id: str
    refusal: str | None


@dataclass(frozen=True, slots=True)
class AssignmentAnswered:
    """Whether the agent lives by an assignment; `refusal` None means that it does."""

    digest: str
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """The session is over. Only one that had joined is told to have left."""

    why: str
    joined: bool


ControllerCommand = (
    Say | Hang | Greeted | Joined | PermitsTold | StateTold | EventsTold | OrderAnswered | AssignmentAnswered | Left
)  # fmt: skip
