"""Sessions between agents and controllers: streams in both directions that stall, break, and are noticed late.

A session is a TCP connection: what arrives, arrives in order and whole; what was on its way when it breaks is lost.
Commands of permits claim more, that they may be doubled and overtake each other: so they are, within a session.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from tests.simulation.whole.clockwork import Clockwork


class Stream:
    """One direction of a session."""

    def __init__(self, world: Clockwork, stalled: Callable[[], bool], lives: Callable[[], bool]) -> None:
        self._world = world
        self._stalled = stalled
        """Whether the network is parted, or the receiver frozen: what was sent waits."""
        self._lives = lives
        """Whether the receiver still holds the session."""
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._pumping = False

    def send(self, deliver: Callable[..., object], *arguments: Any) -> None:
        self._waiting.append((deliver, arguments))
        if not self._pumping:
            self._pumping = True
            self._pump_later()

    def _pump_later(self) -> None:
        draw = self._world.random.random
        slow = draw() < 0.02
        self._world.at(0.001 + draw() * (5.0 if slow else 0.1), self._pump)

    def _pump(self) -> None:
        if not self._lives():
            self._waiting.clear()
        elif self._stalled():
            self._world.at(1.0, self._pump)
            return
        else:
            while self._waiting and self._lives() and not self._stalled():
                deliver, arguments = self._waiting.popleft()
                deliver(*arguments)
        self._pumping = bool(self._waiting)
        if self._pumping:
            self._pump_later()
