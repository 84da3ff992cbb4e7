"""What one client saw, read back from the results of its probes."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from anycastle.base.errors import WorldError
from anycastle.lab.client import Query, Tally


@dataclass(slots=True)
class Observation:
    """One client's results. Times are of the monotonic clock, at the sending."""

    tally: Tally
    sessions: int = 0
    """Long sessions that answered once at least."""
    sessions_ended: int = 0
    connections: list[tuple[float, str | None]] = field(default_factory=list)
    """New connections: when, and the PoP that answered, None where none did."""

    @property
    def client(self) -> str:
        """The client's name."""
        return self.tally.client

    def connections_failed(self, since: float) -> int:
        """Count the new connections since a moment that were not answered."""
        return sum(pop is None for sent, pop in self.connections if sent >= since)


def read_observation(client: str, path: Path) -> Observation:
    """Give what a client's probes have written so far. Raises `WorldError`."""
    observation = Observation(Tally(client))
    sessions: set[int] = set()
    try:
        lines = path.read_text().splitlines()
        for line in lines:
            _add(observation, sessions, json.loads(line))
    except (OSError, ValueError, KeyError) as error:
        raise WorldError(f"{path}: {error}") from error
    observation.sessions = len(sessions)
    observation.tally.queries.sort(key=lambda query: query.sent_at)
    observation.connections.sort(key=lambda connection: connection[0])
    return observation


def _add(observation: Observation, sessions: set[int], result: dict[str, object]) -> None:
    sent, took, pop = result["sent"], result["took"], result["pop"]
    assert isinstance(sent, float)
    assert pop is None or isinstance(pop, str)
    match result["kind"]:
        case "query":
            answered_at = sent + took if isinstance(took, float) else None
            observation.tally.queries.append(Query(sent, answered_at, pop))
        case "message":
            assert isinstance(result["session"], int)
            sessions.add(result["session"])
        case "session":
            observation.sessions_ended += 1
        case "connect":
            observation.connections.append((sent, pop))
        case kind:
            raise ValueError(f"an unknown kind of result: {kind}")


@dataclass(slots=True)
class Following:
    """Reads what is new in a file of results: for waiting, not for counting."""

    path: Path
    _offset: int = 0

    def answers(self) -> list[tuple[float, str]]:
        """Give the DNS answers that are new: when they were asked for, and by whom they were given."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                text = stream.read()
        except FileNotFoundError:
            return []
        whole, _, _ = text.rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        results = [json.loads(line) for line in whole.splitlines()]
        return [(each["sent"], each["pop"]) for each in results if each["kind"] == "query" and each["pop"]]
