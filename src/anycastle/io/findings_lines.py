"""What a watch on another machine tells a controller: lines of JSON, the first of the watch, the others of its log.

The first line names the watch and its log, and says which rows of the log the lines stand for: those after `after`, up
to `through`. Only findings' events are told; the other rows of that stretch are passed over, and count as told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Annotated, Any, Final

import msgspec

from anycastle.base.limits import EVENT_BYTES_MAX
from anycastle.io.event_log import StoredEvent
from anycastle.model.event import KINDS

FINDING_KINDS: Final = ("finding_opened", "finding_updated", "finding_cleared")

LINES_MAX: Final = 10_000
"""Of one telling."""

LINE_OCTETS_MAX: Final = EVENT_BYTES_MAX + 1024
"""Of one line: an event, and its place in the log."""

PROBLEMS_MAX: Final = 50
"""Lines that one answer names."""

WATCH_NAME: Final = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
"""A host's name in lower case, or what somebody chose."""

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Log = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
_Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Stretch(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The first line."""

    watch: Annotated[str, msgspec.Meta(pattern=WATCH_NAME)]
    log: _Log
    """Which log of this watch: a random text, another one for a log that was begun anew."""
    after: _Number
    through: _Number
    hash: _Hash
    """Of the row `through`, by which the watch knows its log again."""


class Row(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Another line: an event of a finding."""

    sequence: _Number
    at: float
    kind: str
    body: dict[str, Any]


class HowFar(msgspec.Struct, frozen=True):
    """What a controller answers: how far it has a watch's log, for good."""

    log: _Log
    sequence: _Number
    hash: _Hash


@dataclass(slots=True)
class Telling:
    """Lines that were read; with a problem, nothing of them may be taken."""

    stretch: Stretch | None = None
    rows: list[Row] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Number of a line, and what is wrong with it."""

    def blame(self, number: int, text: str) -> None:
        """Note what is wrong with a line."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append((number, text))


_STRETCH: Final = msgspec.json.Decoder(Stretch)
_ROW: Final = msgspec.json.Decoder(Row)


def encode_telling(stretch: Stretch, rows: Iterable[bytes]) -> bytes:
    """Give the lines of a stretch."""
    return b"".join([msgspec.json.encode(stretch), b"\n", *rows])


def encode_row(stored: StoredEvent) -> bytes:
    """Give a row of a log as a line."""
    return msgspec.json.encode(Row(stored.sequence, stored.at, stored.kind, stored.fields)) + b"\n"


def parse_telling(octets: bytes) -> Telling:
    """Read lines; all that is wrong is named, each with its line."""
    told = Telling()
    lines = octets.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > LINES_MAX + 1:
        told.blame(LINES_MAX + 2, f"{LINES_MAX} lines of events are the most at once")
        return told
    try:
        told.stretch = _STRETCH.decode(lines[0] if lines else b"")
        if told.stretch.through < told.stretch.after:
            told.blame(1, "`through` is less than `after`")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        told.blame(1, f"it does not say which watch tells, and of which rows: {error}")
    last = told.stretch.after if told.stretch else 0
    for number, line in enumerate(lines[1:], 2):
        row = _row(line, number, told)
        if row is None:
            continue
        if told.stretch is not None and not last < row.sequence <= told.stretch.through:
            told.blame(number, f"row {row.sequence} is not between row {last} and the end, {told.stretch.through}")
        last = row.sequence
        told.rows.append(row)
    return told


def _row(line: bytes, number: int, told: Telling) -> Row | None:
    if len(line) > LINE_OCTETS_MAX:
        told.blame(number, f"{LINE_OCTETS_MAX} octets are the most of a line")
        return None
    try:
        row = _ROW.decode(line)
        if row.kind not in FINDING_KINDS:
            told.blame(number, f"{row.kind[:50]!r} is no event of a finding: {', '.join(FINDING_KINDS)}")
            return None
        msgspec.convert(row.body, KINDS[row.kind])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        told.blame(number, str(error))
        return None
    if not isfinite(row.at) or not 0 <= row.at < 1e11:
        told.blame(number, "its time is none")
        return None
    return row
