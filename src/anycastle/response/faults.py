"""Faults of the response itself: how soon it begins anew, from what, and whom that wakes.

A fault is ours: an exception where none should be. It ends neither the leadership nor the response, which begins again
from what it kept. What was kept may be what it fails by. So after `STUCK` faults in a row it begins without it: open
incidents are closed, what is still wrong opens anew, and messages that wait are kept. And as whatever fails may be on
the way of every page, somebody is told past it then, straight by the notifiers.
"""

from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.response.openings import RESPONSE_FAILED, opens
from anycastle.response.signal import Signal, Subject

STUCK: Final = 3
"""Faults in a row after which what was kept is set aside."""

STEADY_S: Final = 60.0
"""A response that lived so long was a good one: the next fault is the first of a row."""

SHOWN_S: Final = 600.0
"""For so long a fault is an alert: a ticket; of a row that is stuck, a page."""

FIRST_PAUSE_S: Final = 1.0
LAST_PAUSE_S: Final = 15.0

PAST_AGAIN_S: Final = 1800.0
"""How often at most somebody is told past the response."""


class Faults:
    """Those of one controller."""

    def __init__(self) -> None:
        self.row = 0
        """Faults, each of which came before the response was steady."""
        self._last: Timestamp | None = None
        self._text = ""
        self._told_past: Timestamp | None = None

    def add(self, text: str, lived_s: float, now: Timestamp) -> None:
        """Take that it failed, and after how long."""
        self.row = 1 if lived_s >= STEADY_S else self.row + 1
        self._last, self._text = now, text

    @property
    def stuck(self) -> bool:
        """Whether what was kept is to be set aside."""
        return self.row >= STUCK

    @property
    def pause_s(self) -> float:
        """Give how long to wait before it begins anew."""
        return min(LAST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** max(0, min(self.row - 1, 10)))

    @property
    def words(self) -> str:
        """Give what happened, for people."""
        many = f" ({self.row} times in a row)" if self.row > 1 else ""
        return f"the controller's response failed{many}: {self._text}"

    def signals(self, now: Timestamp) -> list[Signal]:
        """Give what fires."""
        if self._last is None or now >= self._last + SHOWN_S:
            return []
        return [opens(RESPONSE_FAILED, Subject(), self.words, part=not self.stuck)]

    def tell_past(self, now: Timestamp) -> bool:
        """Tell whether somebody is to be told past the response, now; the next time not before `PAST_AGAIN_S`."""
        if not self.stuck or (self._told_past is not None and now < self._told_past + PAST_AGAIN_S):
            return False
        self._told_past = now
        return True
