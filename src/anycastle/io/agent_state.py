"""The agent's durable state: one JSON file, written whole."""

from pathlib import Path

import msgspec

from anycastle.base.errors import WorldError
from anycastle.health.state import AgentState
from anycastle.io.durable import write_durably

VERSION = 1


class AgentStateFile:
    """Loads and saves an `AgentState`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> AgentState | None:
        """Give the saved state, or None where none was ever saved. Raises `WorldError` for one that cannot be read.

        A damaged file stops the agent: to go on without its permits could withdraw below the floor.
        """
        try:
            octets = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorldError(f"{self.path} cannot be read: {error.strerror}", retryable=False) from error
        try:
            stored = msgspec.json.decode(octets, type=_Stored)
        except msgspec.DecodeError as error:
            raise WorldError(f"{self.path} is damaged: {error}", retryable=False) from error
        if stored.version != VERSION:
            message = f"{self.path} is of version {stored.version}; this release reads version {VERSION}"
            raise WorldError(message, retryable=False)
        return stored.state

    def save(self, state: AgentState) -> None:
        """Put the state on disk. Raises `WorldError`."""
        write_durably(self.path, msgspec.json.encode(_Stored(VERSION, state)))


class _Stored(msgspec.Struct):
    version: int
    state: AgentState
