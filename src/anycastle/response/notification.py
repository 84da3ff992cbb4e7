"""What goes out."""

from dataclasses import dataclass
from enum import Enum

from anycastle.base.ports import Timestamp


class NoticeKind(Enum):
    """What a notice asks of who gets it."""

    PAGE = "page"
    REMINDER = "reminder"
    """A page again: nobody acknowledged."""
    FLAPPING = "flapping"
    """A page, and the last for a while: it comes and goes."""
    STORM = "storm"
    """One page for many incidents; `folded` counts them."""
    TICKET = "ticket"
    CLEARED = "cleared"
    """To those who were told before: it is over."""


PAGES = frozenset({NoticeKind.PAGE, NoticeKind.REMINDER, NoticeKind.FLAPPING, NoticeKind.STORM})
"""Those that wake somebody."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message."""

    at: Timestamp
    kind: NoticeKind
    incident: int
    """0 of a storm."""
    text: str
    folded: int = 0
