"""The tables, as statements name them. How they came to be is in `migrations`; a test holds the two together."""

from typing import Final

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()

LEADERSHIP: Final = Table(
    "leadership",
    METADATA,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("who", Text, nullable=False),
    Column("since", Double, nullable=False),
)
"""A row for each term that was ever taken."""

DOCUMENTS: Final = Table(
    "document",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("octets", LargeBinary, nullable=False),
)

HEAD: Final = Table(
    "head",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
"""One row: the end of the log. Whoever writes locks it first, so that commits come one after another."""

EVENTS: Final = Table(
    "event",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("pop", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("service", Text),
    Index("event_by_service", "service", "sequence"),
    Index("event_by_kind", "kind", "sequence"),
    Index("event_by_pop", "pop", "sequence"),
)
"""The log. `service` stands in the body too: it is here to be looked up, and is no part of the hash."""

FOLDERS: Final = Table(
    "folder",
    METADATA,
    Column("revision", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("files", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
)

FILES: Final = Table(
    "folder_file",
    METADATA,
    Column("revision", Text, ForeignKey("folder.revision", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("octets", LargeBinary, nullable=False),
)

ONCE: Final = Table(
    "once",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("expires", Double, nullable=False),
    Index("once_by_expiry", "expires"),
)

TOKENS: Final = Table(
    "token",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("services", Text),
    Column("principal", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires", Double, nullable=False),
    Column("last_used", Double),
    Column("revoked", Double),
    Column("revoked_by", Text),
)
"""Tokens by their hashes; `services` is a JSON list, or NULL for all. Names are never used again."""

SESSIONS: Final = Table(
    "session",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("services", Text),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Index("session_by_expiry", "expires"),
)
"""Browsers that are logged in, by the hashes of their cookies."""

LOGINS: Final = Table(
    "login",
    METADATA,
    Column("state", LargeBinary, primary_key=True),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("expires", Double, nullable=False),
    Index("login_by_expiry", "expires"),
)
"""Logins on their way to the provider and back, by the hash of their state."""

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("result", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who asked for what, and what came of it."""
