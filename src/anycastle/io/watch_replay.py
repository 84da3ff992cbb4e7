"""A replay: the engine over archives, with its findings as they come."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from anycastle.io.feeds.replay import Replay
from anycastle.io.own_changes import own_changes
from anycastle.model.event import Event
from anycastle.model.fleet import Fleet
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact
from anycastle.watch.intent import intent_of
from anycastle.watch.relation import Relations
from anycastle.watch.validation import Validation


@dataclass(slots=True)
class WatchReplay:
    """The engine, and the facts that it is to be given."""

    engine: WatchEngine
    replay: Replay
    own: Sequence[Iterator[Fact]] = ()

    @property
    def problems(self) -> list[str]:
        """What could not be read."""
        return self.replay.problems

    @property
    def unreadable(self) -> list[str]:
        """Files in which something is, and nothing could be read."""
        return self.replay.unreadable

    def events(self) -> Iterator[Event]:
        """Give the findings' events, in order of time, up to the end of what was recorded. Raises `WorldError`."""
        engine = self.engine
        for fact in heapq.merge(self.replay.facts(), *self.own, key=lambda fact: fact.at):
            yield from engine.take(fact)
        if self.replay.ended_at is not None:
            yield from engine.advance(self.replay.ended_at)


def replayed(
    fleet: Fleet,
    files: Sequence[str],
    collector: str | None = None,
    logs: Sequence[Path] = (),
    validation: Validation | None = None,
    relations: Relations | None = None,
) -> WatchReplay:
    """Give the replay of files over a fleet."""
    engine = WatchEngine(intent_of(fleet), validation, relations)
    return WatchReplay(engine, Replay(engine.table, files, collector), [own_changes(path, fleet) for path in logs])
