"""What of the agent's state is on disk, and when it is to be saved again."""

from dataclasses import replace

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.commands import Save
from anycastle.health.state import AgentState

FORESIGHT_S = 0.003
"""How soon after the first failure the use of its permit is saved: with those that fail together, and well within the
shortest confirmation."""


class StateKeeper:
    """Turns what must be known after a restart into what is saved of it."""

    def __init__(self, saved: AgentState) -> None:
        self._saved = saved
        self.deadline: Instant = FAR_FUTURE
        """When a foreseen use of a permit is to be on disk."""
        self.owes_penalties = False
        """Penalties are to be saved; nothing stands on them, so nothing waits for it."""

    def foresee(self, now: Instant) -> None:
        """Note that a permit may be used before long."""
        self.deadline = min(self.deadline, after(now, FORESIGHT_S))

    def save(self, state: AgentState) -> list[Save]:
        """Give the command that makes the disk right, if it is not."""
        self.deadline, self.owes_penalties = FAR_FUTURE, False
        if state == self._saved:
            return []
        self._saved = state
        return [Save(state)]

    def save_what_is_acted_on(self, state: AgentState) -> list[Save]:
        """Give that command, unless only penalties are new: those are owed."""
        if replace(state, penalties=self._saved.penalties) != self._saved:
            return self.save(state)
        self.owes_penalties = state.penalties != self._saved.penalties
        return []
