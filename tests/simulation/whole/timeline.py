"""What happened, in words: what a failing seed prints, so that a person can follow it."""

from collections import deque

LINES_KEPT = 4_000
"""Of one seed; the end is what matters."""


class Timeline:
    """The last things that happened, each with its time and where it happened."""

    def __init__(self) -> None:
        self._lines: deque[tuple[float, str, str]] = deque(maxlen=LINES_KEPT)

    def note(self, clock: float, where: str, what: str) -> None:
        self._lines.append((clock, where, what))

    def text(self, lines: int = 60) -> str:
        """Give the last lines."""
        told = list(self._lines)[-lines:]
        width = max((len(where) for _, where, _ in told), default=0)
        return "\n".join(f"{clock:12.3f} s  {where:{width}}  {what}" for clock, where, what in told)
