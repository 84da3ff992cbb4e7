"""What watches on this machine tell: findings from their event logs, and routes from their sockets.

A log is folded from its beginning, and followed from where it was read last. Findings that are over are kept up to
`KEPT`, the newest.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog, StoredEvent
from anycastle.io.findings_lines import FINDING_KINDS
from anycastle.io.local_socket import ask
from anycastle.model.prefix import Prefix

KEPT: Final = 500
"""Findings that are over: some months of a fleet that is hijacked twice a day."""
TIMES_END: Final = 1e11
"""A time beyond it is none: the year 5138."""
EVIDENCE_MAX: Final = 100
"""Lines of evidence that a finding keeps."""
SOCKET: Final = "watch.sock"

_LAST: Final = ("score", "peers", "asns", "collectors", "validity", "severity", "prefixes", "reasons")


@dataclass(slots=True)
class Found:
    """A finding, from its opening on."""

    finding: str
    kind: str
    subject: str
    opened: Timestamp
    cleared: Timestamp | None
    told: dict[str, Any]
    """As the last event that has it told it; `peers` as the most that saw it."""
    evidence: list[str] = field(default_factory=list)
    """Lines, the earliest first, each once."""
    watch: str = ""
    """Which watch told it; empty for one whose log is on this machine."""
    prefix: str = ""
    """The first that it was opened for."""

    def take(self, kind: str, fields: Mapping[str, Any], at: Timestamp) -> None:
        """Take an event of its life."""
        peers = max(self.told.get("peers", 0), fields.get("peers", 0))
        self.told.update({key: fields[key] for key in _LAST if key in fields}, peers=peers)
        self.evidence += [line for line in fields.get("evidence", ()) if line not in self.evidence]
        del self.evidence[EVIDENCE_MAX:]
        if kind == "finding_cleared":
            self.cleared = at


def begun(fields: Mapping[str, Any], at: Timestamp, watch: str = "") -> Found:
    """Give a finding of which this is the first event."""
    prefix = next(iter(fields.get("prefixes", ())), "")
    name, kind, subject = str(fields["finding"]), str(fields["finding_kind"]), str(fields["subject"])
    return Found(name, kind, subject, at, None, {}, watch=watch, prefix=prefix)


class FoundLog:
    """Folds one log. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._after = 0
        self._open: dict[str, Found] = {}
        self._over: list[Found] = []

    def read(self) -> list[Found]:
        """Give all findings, as far as the log goes now. Raises `WorldError`.

        A watch makes its log with its first event: in a folder that is there, none means none yet.
        """
        if self._path.parent.is_dir() and not self._path.exists():
            return []
        with EventLog(self._path, read_only=True) as log:
            if log.head().sequence < self._after:  # another log is in its place
                self._after, self._open, self._over = 0, {}, []
            for stored in log.read(self._after):
                self._after = stored.sequence
                if stored.kind in FINDING_KINDS:
                    self._take(stored)
        return [*self._open.values(), *self._over]

    def _take(self, stored: StoredEvent) -> None:
        fields, at = stored.fields, Timestamp(stored.at)
        name = str(fields["finding"])
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = begun(fields, at)
        found.take(stored.kind, fields, at)
        if found.cleared is not None:
            self._over = [self._open.pop(name), *self._over][:KEPT]


class Watched:
    """Reads watches. `logs` are their event logs, `sockets` the folders of their sockets."""

    def __init__(self, logs: Sequence[Path] = (), sockets: Sequence[Path] = ()) -> None:
        self._logs = [FoundLog(path) for path in logs]
        self._sockets = tuple(sockets)
        self._turn = asyncio.Lock()

    @property
    def has_logs(self) -> bool:
        """Whether findings can be told."""
        return bool(self._logs)

    async def findings(self) -> list[Found]:
        """Give all findings, the open ones first, then the newest. Raises `WorldError` where a log cannot be read."""
        async with self._turn:
            found = await asyncio.to_thread(lambda: [each for log in self._logs for each in log.read()])
        return in_order(found)

    async def routes(self, prefix: Prefix) -> Mapping[str, Any] | None:
        """Give what peers saw of a prefix over time, as BGPlay has it; of the first watch that knows it.

        None where there is no watch, or none has it. Raises `WorldError` where none answers.
        """
        trouble: WorldError | None = None
        for folder in self._sockets:
            request = {"command": "history", "prefix": str(prefix)}
            try:
                told = await asyncio.to_thread(ask, folder / SOCKET, request, of="`anycastle watch run`")
            except WorldError as error:
                trouble = error
                continue
            if told.get("sources"):
                return told
            trouble = None
        if trouble is not None:
            raise trouble
        return None


def in_order(found: Iterable[Found]) -> list[Found]:
    """Give the open ones first, then the newest."""
    return sorted(found, key=lambda each: (each.cleared is not None, -each.opened))


def routes_in(evidence: Sequence[str]) -> list[dict[str, Any]]:
    """Give the routes that lines of evidence tell: when, which prefix, whose route, and its path."""
    found = []
    for line in evidence:
        words = line.split()
        if "path" not in words[3:]:
            continue
        place = words.index("path", 3)
        with suppress(ValueError):
            at, path = float(words[0]), [int(word) for word in words[place + 1 :] if word.isdigit()]
            if 0.0 <= at < TIMES_END:
                found.append({"at": at, "prefix": words[1], "peer": " ".join(words[2:place]), "path": path})
    return found
