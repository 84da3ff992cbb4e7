"""A log as lines of JSON, whose chain can be followed wherever they are kept.

The first line names the format and the head that the rows follow; then comes a line for each row, as it is stored, its
body as the text that was hashed; the last line is the head. So an export that was cut, or put together anew, is found
as such a log is. Exports that follow one another are each verified with the head that the one before ended with.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.limits import EVENT_BYTES_MAX
from anycastle.io.event_log import Chain, ChainRow, Head, VerifyResult, parse_head

FORMAT: Final = "anycastle-events"
VERSION: Final = 1
LINE_BYTES_MAX: Final = 8 * EVENT_BYTES_MAX
"""Octets of a line: a body whose every character is escaped, and the rest."""

_SQLITE: Final = b"SQLite format 3\0"


def is_export(path: Path) -> bool:
    """Tell whether a file is an export and no log of SQLite. Raises `WorldError`."""
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_SQLITE))
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error
    return beginning[:1] == b"{"


def write_export(rows: Iterable[ChainRow], after: Head, file: IO[bytes]) -> Head:
    """Write the rows that follow a head; give the last one's."""
    last = after
    file.write(_line({"format": FORMAT, "version": VERSION, "after": str(after)}))
    for row in rows:
        file.write(_line({**row._asdict(), "previous": row.previous.hex(), "hash": row.hash.hex()}))
        last = Head(row.sequence, row.hash)
    file.write(_line({"head": str(last)}))
    return last


def _line(fields: dict[str, Any]) -> bytes:
    return msgspec.json.encode(fields) + b"\n"


def verify_export(path: Path, remembered: Head | None = None) -> VerifyResult:
    """Follow the chain of an export. Raises `ParseError` for a file that is none, and `WorldError`."""
    try:
        with path.open("rb") as file:
            lines = _lines(file, path)
            first = next(lines, {})
            if first.get("format") != FORMAT or first.get("version") != VERSION:
                raise ParseError(f"{path}:1: this is no export of events, or one of a newer version")
            chain = Chain(remembered, parse_head(str(first.get("after"))))
            return _follow(chain, lines)
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error


def _follow(chain: Chain, lines: Iterator[dict[str, Any]]) -> VerifyResult:
    for line in lines:
        if "head" in line:
            if next(lines, None) is not None:
                chain.blame(chain.last.sequence, "something follows the head: lines were added")
            return chain.ended(parse_head(str(line["head"])))
        try:
            row = msgspec.convert(line, _Row)
            octets = bytes.fromhex(row.previous), bytes.fromhex(row.hash)
        except (msgspec.ValidationError, ValueError):
            chain.blame(chain.last.sequence + 1, "it is no row of a log")
            continue
        chain.follow(row.sequence, row.at, row.pop, row.kind, row.body, *octets)
    chain.blame(chain.last.sequence + 1, "the head is missing: the export was cut")
    return chain.result()


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    sequence: int
    at: float
    pop: str
    kind: str
    body: str
    previous: str
    hash: str


def _lines(file: IO[bytes], path: Path) -> Iterator[dict[str, Any]]:
    number = 0
    while octets := file.readline(LINE_BYTES_MAX):
        number += 1
        try:
            yield msgspec.json.decode(octets, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ParseError(f"{path}:{number}: this is no line of JSON: the export is cut or damaged here") from error
