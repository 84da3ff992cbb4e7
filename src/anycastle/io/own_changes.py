"""What our own agents did, from their event logs: what explains a loss, and what convergence is counted from."""

from collections.abc import Iterator
from pathlib import Path

from anycastle.base.errors import ParseError
from anycastle.io.event_log import EventLog
from anycastle.model.event import AnnouncementsApplied, DrainChanged, Event
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.watch.fact import Fact, OwnAction, OwnChange, OwnDrain

_ENDED = "normal"
"""The step in which a drain is over."""


def own_changes(path: Path, fleet: Fleet) -> Iterator[Fact]:
    """Give the facts of one agent's log, oldest first. Raises `WorldError`."""
    with EventLog(path, read_only=True) as log:
        for stored in log.read():
            event = stored.event()
            if event is not None:
                yield from facts_of(event, fleet)


def facts_of(event: Event, fleet: Fleet) -> Iterator[Fact]:
    """Give what an agent's event says of announcements; nothing for most events."""
    match event.body:
        case AnnouncementsApplied(announced, changed, withdrawn):
            for action, texts in (
                (OwnAction.WITHDRAW, withdrawn),
                (OwnAction.CHANGE, changed),
                (OwnAction.ANNOUNCE, announced),
            ):
                for text in texts:
                    prefix, upstream = _announcement(text)
                    if prefix is not None:
                        yield OwnChange(event.at, prefix, action, event.pop, upstream)
        case DrainChanged(scope, step, owner, reason):
            prefixes = tuple(
                prefix for service in fleet.services if service.name == scope for prefix in service.prefixes
            )
            yield OwnDrain(event.at, event.pop, prefixes, step != _ENDED, f"{reason or scope} ({owner})")
        case _:
            return


def _announcement(text: str) -> tuple[Prefix | None, str]:
    """Read `prefix upstream`, as the agent writes it."""
    prefix, _, upstream = text.partition(" ")
    try:
        return parse_prefix(prefix), upstream.partition(" ")[0]
    except ParseError:
        return None, ""
