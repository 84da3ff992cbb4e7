"""Orders that were carried out, so that none is twice.

An order is noted as begun, durably, before it is carried out, and its answer before it is told. Asked again it gets
the same answer. One that was begun when the agent ended is answered with that: whether it took effect must be looked
at, for to carry out twice what may have been done is worse than to say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

REMEMBERED_MAX: Final = 1000
"""Orders that are remembered; no controller asks for one that long after."""

INTERRUPTED: Final = "the agent ended while it carried this out; see what the PoP does, and order it again if need be"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order: `refusal` None means that it was done."""

    id: str
    done: bool = False
    """Whether there is an answer; else it was begun."""
    refusal: str | None = None


class OrderBook:
    """Remembers the last orders."""

    def __init__(self, saved: Iterable[Answer] = ()) -> None:
        self._answers = {
            answer.id: answer if answer.done else replace(answer, done=True, refusal=INTERRUPTED) for answer in saved
        }

    def answer(self, order_id: str) -> Answer | None:
        """Give what became of an order; None for one that never came."""
        return self._answers.get(order_id)

    @property
    def under_way(self) -> int:
        """How many were begun and have no answer."""
        return sum(not answer.done for answer in self._answers.values())

    def begin(self, order_id: str) -> None:
        """Note that an order is carried out."""
        self._answers[order_id] = Answer(order_id)
        while len(self._answers) > REMEMBERED_MAX:
            oldest = next((key for key, answer in self._answers.items() if answer.done), None)
            if oldest is None:
                return
            del self._answers[oldest]

    def end(self, order_id: str, refusal: str | None) -> Answer:
        """Note what became of it."""
        self._answers[order_id] = Answer(order_id, done=True, refusal=refusal)
        return self._answers[order_id]

    def saved(self) -> tuple[Answer, ...]:
        """Give all, for the disk."""
        return tuple(self._answers.values())
