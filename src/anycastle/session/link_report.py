"""The agent's state as both sides of the link hold it: sections of entries, their differences, and their digest.

The digest is the sum, modulo 2^128, of a hash of each entry with its section and name. So a difference of one entry
costs one hash on either side, whatever the size of the whole. It finds what was lost or applied twice; it is no defence
against an agent that lies, whose certificate vouches for what it says.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Raw

from anycastle.wire.link.codec import LinkError
from anycastle.wire.link.limits import DELTA_VERSION
from anycastle.wire.link.message import Delta, Report, Section

Sections = Mapping[str, Mapping[str, bytes]]
"""Section -> name of an entry -> the entry as JSON."""

ENTRIES_MAX: Final = 200_000
"""Entries of one agent's state: a thousand services with their routes and sessions are below a tenth of it."""

_DIGEST_BITS: Final = 128


@dataclass(frozen=True, slots=True)
class SectionsChanged:
    """What a report changed. `gone` names entries that are no more."""

    changed: dict[str, dict[str, bytes]]
    gone: dict[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone)


@dataclass(slots=True)
class ReportBook:
    """The state as it was last agreed on. `revision` 0: nothing was."""

    revision: int = 0
    sections: dict[str, dict[str, bytes]] = field(default_factory=dict)
    _sum: int = 0
    _count: int = 0

    @property
    def digest(self) -> str:
        """What tells this state from another."""
        return f"{self._sum:032x}"

    def differences(self, now: Sections) -> SectionsChanged:
        """Give how a state differs from this one. Sections that are not in it are gone."""
        changed: dict[str, dict[str, bytes]] = {}
        gone: dict[str, tuple[str, ...]] = {}
        for section in self.sections.keys() | now.keys():
            before, after = self.sections.get(section, {}), now.get(section, {})
            news = {name: octets for name, octets in after.items() if before.get(name) != octets}
            lost = tuple(name for name in before if name not in after)
            if news:
                changed[section] = news
            if lost:
                gone[section] = lost
        return SectionsChanged(changed, gone)

    def apply(self, revision: int, changes: SectionsChanged) -> None:
        """Make this the state after some changes. Raises `LinkError` for more entries than an agent may have."""
        for section, names in changes.gone.items():
            for name in names:
                self._put(section, name, None)
        for section, entries in changes.changed.items():
            for name, octets in entries.items():
                self._put(section, name, octets)
        self.sections = {section: entries for section, entries in self.sections.items() if entries}
        self.revision = revision
        if self._count > ENTRIES_MAX:
            raise LinkError(f"a report of {self._count} entries; at most {ENTRIES_MAX} are taken")

    def _put(self, section: str, name: str, octets: bytes | None) -> None:
        entries = self.sections.setdefault(section, {})
        before = entries.pop(name, None)
        if before is not None:
            self._sum -= _hash(section, name, before)
            self._count -= 1
        if octets is not None:
            entries[name] = octets
            self._sum += _hash(section, name, octets)
            self._count += 1
        self._sum %= 1 << _DIGEST_BITS


def message_of(book: ReportBook, now: Sections, version: int) -> Report | Delta | None:
    """Bring the book to a state, and give the message that does the same to the other side's; None without a change.

    In a version without deltas, and as the first report of a session, sections are told whole.
    """
    base, changes = book.revision, book.differences(now)
    if base and not changes:
        return None
    concerned = now.keys() if not base else changes.changed.keys() | changes.gone.keys()
    book.apply(base + 1, changes)
    if base and version >= DELTA_VERSION:
        changed = {section: _raw(entries) for section, entries in changes.changed.items()}
        gone = {section: list(names) for section, names in changes.gone.items()}
        return Delta(book.revision, base, book.digest, changed, gone)
    whole = {section: _raw(now.get(section, {})) for section in sorted(concerned)}
    return Report(book.revision, base, book.digest, whole)


def take(book: ReportBook, message: Report | Delta) -> SectionsChanged | None:
    """Bring the book to where a message leads, and give what changed.

    None where the message builds on another base, or leads elsewhere than it says: then the book is empty again, and
    all must be told anew.
    """
    if message.base == 0 and isinstance(message, Report):
        changes = book.differences(_plain(message.sections))
    elif message.base != book.revision:
        _forget(book)
        return None
    elif isinstance(message, Report):
        told = _plain(message.sections)
        changes = book.differences({**book.sections, **told})
    else:
        gone = {section: tuple(names) for section, names in message.gone.items()}
        changes = SectionsChanged(_plain(message.changed), gone)
    book.apply(message.revision, changes)
    if book.digest == message.digest and message.revision > message.base:
        return changes
    _forget(book)
    return None


def _forget(book: ReportBook) -> None:
    """Keep what is known to show, for what comes next is a full report; but nothing builds on it."""
    book.revision = 0


def _raw(entries: Mapping[str, bytes]) -> Section:
    return {name: Raw(octets) for name, octets in entries.items()}


def _plain(sections: Mapping[str, Section]) -> dict[str, dict[str, bytes]]:
    return {section: {name: bytes(raw) for name, raw in entries.items()} for section, entries in sections.items()}


def _hash(section: str, name: str, octets: bytes) -> int:
    text = f"{len(section)}:{section}{len(name)}:{name}".encode()
    return int.from_bytes(hashlib.blake2b(text + octets, digest_size=_DIGEST_BITS // 8).digest())
