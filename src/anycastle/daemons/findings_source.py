"""What the watch finds, read from its event log on this machine, as signals.

The log is folded from its beginning to the findings that are open now, and followed. So nothing has to be remembered
here: a controller that takes over reads the same. A finding is one signal, however many prefixes it has.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.daemons.signal_source import Take
from anycastle.io.event_log import EventLog
from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from anycastle.response import follows
from anycastle.response.signal import Signal, Subject, Urgency

LOOK_S: Final = 1.0
FINDING_KINDS: Final = ("finding_opened", "finding_updated", "finding_cleared")
OPEN_MAX: Final = 5_000

KIND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "origin_change": follows.HIJACK,
        "sub_prefix": follows.HIJACK,
        "squatting": follows.HIJACK,
        "forged_path": follows.HIJACK,
        "route_leak": follows.LEAK,
        "visibility_loss": follows.VISIBILITY,
        "partial_visibility": follows.VISIBILITY,
    }
)
"""Kind of a finding -> kind of its signal; others keep their own name, which joins nothing and is explained by
nothing."""

URGENCY: Final[Mapping[str, Urgency | None]] = MappingProxyType(
    {"critical": Urgency.PAGE, "warning": Urgency.TICKET, "info": None}
)
"""Severity -> who is told; nobody of what is only information."""


class OpenFindings:
    """The findings that are open, folded from events."""

    def __init__(self) -> None:
        self._open: dict[str, Signal] = {}

    def take(self, body: object) -> bool:
        """Take an event; tell whether it changed anything."""
        match body:
            case FindingOpened() | FindingUpdated():
                return self._hold(body)
            case FindingCleared():
                return self._open.pop(body.finding, None) is not None
        return False

    def _hold(self, body: FindingOpened | FindingUpdated) -> bool:
        urgency = URGENCY.get(body.severity, Urgency.TICKET)
        known = self._open.get(body.finding)
        if urgency is None or (known is None and len(self._open) >= OPEN_MAX):
            return self._open.pop(body.finding, None) is not None
        # The prefix stays that of the first event: it is what tells the alert from others.
        prefix = known.subject.prefix if known is not None else next(iter(body.prefixes), "")
        more = f" and {len(body.prefixes) - 1} more" if len(body.prefixes) > 1 else ""
        text = f"{body.finding_kind} by {body.subject}: {prefix}{more}; seen by {body.peers} peers"
        name = KIND.get(body.finding_kind, body.finding_kind)
        self._open[body.finding] = Signal(name, Subject(prefix=prefix), urgency, firing=True, summary=text)
        return True

    @property
    def signals(self) -> list[Signal]:
        """Give what fires."""
        return list(self._open.values())


class FindingsSource:
    """Follows one log."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell
        self._trouble = ""

    async def run(self, take: Take) -> None:
        """See `SignalSource`."""
        found, after = OpenFindings(), 0
        while True:
            try:
                reached, changed = await asyncio.to_thread(self._read, found, after)
                if reached < after:  # another log is in its place
                    found, after = OpenFindings(), 0
                    continue
                after, self._trouble = reached, ""
                if changed:
                    take(str(self._path), found.signals)
            except WorldError as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    self._tell(f"findings are not read: {error}")
            await asyncio.sleep(LOOK_S)

    def _read(self, found: OpenFindings, after: int) -> tuple[int, bool]:
        """Give how far the log was read, and whether anything changed; less than `after` where it is another log."""
        changed = False
        with EventLog(self._path, read_only=True) as log:
            head = log.head().sequence
            if head < after:
                return head, False
            for stored in log.read(after):
                after = stored.sequence
                if stored.kind in FINDING_KINDS:
                    event = stored.event()
                    changed |= event is not None and found.take(event.body)
        return after, changed
