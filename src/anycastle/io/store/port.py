"""What the controller keeps, as whoever uses it sees it: the shapes of the store, and what it promises.

Theory of operation. One controller leads. It holds a lock, and took a *term*, a number that no one before it had. Every
commit states the term and fails with `Superseded` where there is a higher one, in the same transaction that would have
written; so a leader that was paused, and wakes after another took over, writes nothing. What a commit acknowledged is
on the disk. Events are numbered without gaps, in the order of their commits, in the chain of `io.event_log`.

Terms rise also when a database is put back from an old copy: a new term is the wall clock's seconds, or one more than
the last, whichever is higher. What was used after the copy was made was taken by a clock that stood lower than it does
now. Where clocks lied, agents show the higher term (ADR 22), and `raise_term` takes one above it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from anycastle.base.errors import AnycastleError, MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import Head, StoredEvent, VerifyResult
from anycastle.model.event import Event

PAGE_ROWS_MAX: Final = 1_000
"""Rows of one page, whatever is asked for."""

DOCUMENT_BYTES_MAX: Final = 256 * 1024 * 1024
"""Octets of one document: a rollout of a million units."""

COMMIT_EVENTS_MAX: Final = 20_000
"""Events of one commit."""

FOLDER_BYTES_MAX: Final = 64 * 1024 * 1024
"""Octets of a fleet folder's files together: 50,000 services of forty lines."""

FOLDERS_KEPT: Final = 500
"""Revisions of the fleet folder that are kept; of the oldest, those that nothing needs any more are forgotten."""

ONCE_ROWS_MAX: Final = 100_000
"""Answers that are kept for those who ask again; beyond it the oldest go before their time."""

TERM_MAX: Final = 2**62
"""The highest term: what fits every database's whole numbers."""


class NotLeading(MisuseError):
    """This controller does not lead, or not any more: as far as it knows, nothing came of what was asked."""


class Superseded(AnycastleError):
    """Another controller leads by a higher term: nothing was written."""

    def __init__(self, term: int, now: int, who: str) -> None:
        super().__init__(f"term {term} is over: {who} leads by term {now}")
        self.term = term
        self.now = now
        self.who = who


class Repeated(AnycastleError):
    """This was asked before, under the same key; nothing was written. `once` is what was answered then."""

    def __init__(self, once: "Once") -> None:
        super().__init__("this was asked before, under the same key")
        self.once = once


@dataclass(frozen=True, slots=True)
class Once:
    """An answer, kept under the key that whoever asked gave it, for when it is asked again."""

    key: str
    """Who asked, and the key given, as a digest."""
    request: bytes
    """A digest of what was asked: the same key with another question is a mistake."""
    answer: bytes
    expires: Timestamp


@dataclass(frozen=True, slots=True)
class Leadership:
    """Who leads, or led last."""

    term: int
    who: str
    since: Timestamp


@dataclass(frozen=True, slots=True)
class FolderNote:
    """That a revision of the fleet folder is kept."""

    revision: str
    who: str
    at: Timestamp
    files: int
    octets: int


class Store(Protocol):
    """The controller's memory. Every method raises `WorldError` for what the database refuses."""

    async def lead(self, who: str) -> int:
        """Wait for the lock, then give a new term; `who` is where others find the leader."""
        ...

    async def raise_term(self, who: str, above: int) -> int:
        """Give a new term above one that somebody showed, while the lock is held. Raises `MisuseError` without it."""
        ...

    async def lost(self) -> str:
        """Wait until the lock is lost, and give why."""
        ...

    async def resign(self) -> None:
        """Let go of the lock."""
        ...

    async def leadership(self) -> Leadership | None:
        """Give who took the highest term; None where nobody ever led."""
        ...

    async def documents(self, *beginnings: str) -> dict[str, bytes]:
        """Give all documents whose key begins in one of these ways, as they stand at one moment; all without any."""
        ...

    async def commit(
        self, term: int, documents: Mapping[str, bytes | None], events: Sequence[Event], once: Once | None = None
    ) -> int:
        """Write it all or nothing; give the number of the last event. None removes a document.

        Raises `Superseded`, `Repeated`, and `MisuseError` for what is beyond a limit.
        """
        ...

    async def once(self, key: str, now: Timestamp) -> Once | None:
        """Give what was answered under a key."""
        ...

    async def put_folder(
        self,
        revision: str,
        files: Mapping[str, bytes],
        who: str,
        *,
        term: int | None = None,
        once: Once | None = None,
        needed: Collection[str] | None = None,
    ) -> bool:
        """Keep a revision of the fleet folder; tell whether it is new. `needed` names those that may not be forgotten.

        Raises `MisuseError` where the revision is kept with other files, and as `commit` does.
        """
        ...

    async def folder(self, revision: str) -> Mapping[str, bytes]:
        """Give the files of a revision. Raises `KeyError`."""
        ...

    async def folders(self, limit: int, before: FolderNote | None = None) -> list[FolderNote]:
        """Give what revisions are kept, the newest first."""
        ...

    async def head(self) -> Head:
        """Give the end of the log."""
        ...

    async def events(
        self,
        after: int = 0,
        limit: int = PAGE_ROWS_MAX,
        *,
        kinds: Collection[str] | None = None,
        pop: str | None = None,
        services: Collection[str] | None = None,
        since: Timestamp | None = None,
        newest: bool = False,
    ) -> list[StoredEvent]:
        """Give events by their numbers, the oldest first; `newest`: the last that fit. Empty fits none."""
        ...

    async def wait_beyond(self, sequence: int, timeout_s: float) -> None:
        """Wait until the log may have grown beyond a number, or the time is over."""
        ...

    async def verify(self, remembered: Head | None = None) -> VerifyResult:
        """Follow the chain of the log, as `EventLog.verify` does."""
        ...
