"""Whatever else sees that something is wrong: it says all that fires, again whenever that changes."""

from collections.abc import Callable, Iterable
from typing import Protocol

from anycastle.response.signal import Signal

Take = Callable[[str, Iterable[Signal]], None]


class SignalSource(Protocol):
    """A source of signals beside the agents."""

    async def run(self, take: Take) -> None:
        """Hand over all that fires under the source's name, whenever it changes; until cancelled."""
        ...
