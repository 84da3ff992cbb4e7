"""What the watch finds, read from its event log on this machine, as signals.

The log is folded from its beginning to the findings that are open now, and followed. So nothing has to be remembered
here: a controller that takes over reads the same.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.daemons.signal_source import Take
from anycastle.io.event_log import EventLog
from anycastle.io.findings_lines import FINDING_KINDS
from anycastle.response.findings import OpenFindings

LOOK_S: Final = 1.0


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
