"""People and robots in the database: tokens and sessions by their hashes, logins under way, and the audit.

No secret is stored. A token, a session's cookie and a login's state are random texts of 256 bits; what is kept is their
SHA-256, which tells nobody what they were.
"""

import json
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import Table

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.store.database import wall
from anycastle.io.store.port import PAGE_ROWS_MAX, Once
from anycastle.io.store.sql_store import SqlStore
from anycastle.io.store.tables import AUDIT, LOGINS, SESSIONS, TOKENS
from anycastle.model.person import Grant, Role

TOKEN_BEGINNING: Final = "acst_"
"""What every token begins with, so that it is known where it should not stand."""

USED_AGAIN_S: Final = 60.0
"""How often at most the last use of a token is noted."""

TOKENS_MAX: Final = 10_000
SESSIONS_MAX: Final = 10_000
LOGINS_MAX: Final = 10_000
AUDIT_ROWS_MAX: Final = 1_000_000
"""Rows that are kept; beyond it the oldest go."""

PRINCIPAL_MAX: Final = 200
TOKEN_LASTS_MIN_S: Final = 60.0
TOKEN_LASTS_MAX_S: Final = 366 * 86_400.0
"""A token that nobody renews within a year is one that nobody looks after."""

_TOKEN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_AUDIT_TEXT_MAX: Final = 500
_TRIM_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class TokenNote:
    """What is known of a token; not the token."""

    name: str
    grant: Grant
    principal: str
    """Who answers for it: whom it was made for or by. Two that have the same one are no two persons."""
    created: Timestamp
    created_by: str
    expires: Timestamp
    last_used: Timestamp | None = None
    revoked: Timestamp | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's browser that is logged in."""

    who: str
    grant: Grant
    expires: Timestamp


@dataclass(frozen=True, slots=True)
class Login:
    """A login that is under way."""

    nonce: str
    verifier: str
    return_to: str
    expires: Timestamp


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who asked for what, from where, and what came of it."""

    at: Timestamp
    who: str
    address: str
    action: str
    subject: str
    result: str
    number: int = 0


class People(Protocol):
    """What is known of people and robots. Every method raises `WorldError` for what the database refuses."""

    async def add_token(self, note: TokenNote, secret: str, *, term: int | None, once: Once | None = None) -> None:
        """Keep a token. Raises `MisuseError` for a name that was ever used, and as `Store.commit` does."""
        ...

    async def token(self, secret: str) -> TokenNote | None:
        """Give the token that a text is, if it is good now."""
        ...

    async def token_named(self, name: str) -> TokenNote | None:
        """Give the token of a name, also one that is over."""
        ...

    async def tokens(self, limit: int, after: str = "") -> list[TokenNote]:
        """Give all tokens, also those that are over, by name."""
        ...

    async def revoke_token(self, name: str, who: str, *, term: int | None) -> bool:
        """End a token; tell whether there is one of that name."""
        ...

    async def add_session(self, session: Session, secret: str) -> None:
        """Keep a session."""
        ...

    async def session(self, secret: str) -> Session | None:
        """Give the session of a cookie, if it is good now."""
        ...

    async def end_session(self, secret: str) -> None:
        """End a session."""
        ...

    async def add_login(self, login: Login, state: str) -> None:
        """Keep a login that begins."""
        ...

    async def take_login(self, state: str) -> Login | None:
        """Give a login that comes back, once."""
        ...

    async def note(self, row: AuditRow) -> None:
        """Add a row to the audit."""
        ...

    async def audit(self, limit: int, before: int | None = None, who: str | None = None) -> list[AuditRow]:
        """Give rows of the audit, the newest first."""
        ...


def new_secret(beginning: str = "") -> str:
    """Give a text that nobody can guess."""
    return beginning + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Give what is stored of a secret. Its 256 random bits need neither salt nor a slow hash."""
    return sha256(b"anycastle secret\0" + secret.encode("utf-8", "surrogatepass")).digest()


def new_token(name: str, grant: Grant, principal: str, made_by: str, lasts_s: float) -> tuple[TokenNote, str]:
    """Give a token's note and its text. Raises `MisuseError` for a name, a principal or a span that cannot be."""
    if not _TOKEN_NAME.fullmatch(name):
        raise MisuseError(f"{name!r} names no token: letters, digits, dots, dashes and underscores, 63 at most")
    if not 0 < len(principal) <= PRINCIPAL_MAX or not principal.isprintable():
        raise MisuseError(f"who answers for a token is named by 1 to {PRINCIPAL_MAX} printable characters")
    if not TOKEN_LASTS_MIN_S <= lasts_s <= TOKEN_LASTS_MAX_S:
        raise MisuseError(f"a token lasts {TOKEN_LASTS_MIN_S:g} s at least and {TOKEN_LASTS_MAX_S:g} s at most")
    at = wall()
    note = TokenNote(name, grant, principal, at, made_by, Timestamp(at + lasts_s))
    return note, new_secret(TOKEN_BEGINNING)


class SqlPeople:
    """`People` in the store's database."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._database = store.database

    async def add_token(self, note: TokenNote, secret: str, *, term: int | None, once: Once | None = None) -> None:
        """Keep a token."""
        async with self._database.write() as connection:
            await self._store.begin(connection, term, once)
            if (await _count(connection, TOKENS)) >= TOKENS_MAX:
                raise MisuseError(f"{TOKENS_MAX} tokens are the most")
            if (await connection.execute(select(TOKENS.c.name).where(TOKENS.c.name == note.name))).first():
                raise MisuseError(f"a token was named {note.name} before; names are never used again")
            row = {
                "name": note.name, "hash": hash_of(secret), **_grant_columns(note.grant), "principal": note.principal,
                "created": note.created, "created_by": note.created_by, "expires": note.expires,
            }  # fmt: skip
            await connection.execute(insert(TOKENS).values(**row))

    async def token(self, secret: str) -> TokenNote | None:
        """Give the token that a text is, if it is good now."""
        if not secret.startswith(TOKEN_BEGINNING):
            return None
        async with self._database.read() as connection:
            row = (await connection.execute(select(TOKENS).where(TOKENS.c.hash == hash_of(secret)))).one_or_none()
        now = wall()
        if row is None or row.revoked is not None or row.expires <= now:
            return None
        if row.last_used is None or row.last_used < now - USED_AGAIN_S:
            async with self._database.write() as connection:
                await connection.execute(update(TOKENS).where(TOKENS.c.name == row.name).values(last_used=now))
        return _token(row)

    async def token_named(self, name: str) -> TokenNote | None:
        """Give the token of a name, also one that is over."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(TOKENS).where(TOKENS.c.name == name))).one_or_none()
        return None if row is None else _token(row)

    async def tokens(self, limit: int, after: str = "") -> list[TokenNote]:
        """Give all tokens, by name."""
        query = select(TOKENS).where(TOKENS.c.name > after).order_by(TOKENS.c.name).limit(_page(limit))
        async with self._database.read() as connection:
            return [_token(row) for row in await connection.execute(query)]

    async def revoke_token(self, name: str, who: str, *, term: int | None) -> bool:
        """End a token."""
        async with self._database.write() as connection:
            await self._store.begin(connection, term, None)
            if not (await connection.execute(select(TOKENS.c.name).where(TOKENS.c.name == name))).first():
                return False
            query = update(TOKENS).where(TOKENS.c.name == name, TOKENS.c.revoked.is_(None))
            await connection.execute(query.values(revoked=wall(), revoked_by=who))
            return True

    async def add_session(self, session: Session, secret: str) -> None:
        """Keep a session."""
        row = {"hash": hash_of(secret), "who": session.who, **_grant_columns(session.grant), "created": wall()}
        async with self._database.write() as connection:
            await _make_room(connection, SESSIONS, SESSIONS.c.hash, SESSIONS_MAX)
            await connection.execute(insert(SESSIONS).values(**row, expires=session.expires))

    async def session(self, secret: str) -> Session | None:
        """Give the session of a cookie, if it is good now."""
        query = select(SESSIONS).where(SESSIONS.c.hash == hash_of(secret), SESSIONS.c.expires > wall())
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Session(row.who, _grant(row), Timestamp(row.expires))

    async def end_session(self, secret: str) -> None:
        """End a session."""
        async with self._database.write() as connection:
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == hash_of(secret)))

    async def add_login(self, login: Login, state: str) -> None:
        """Keep a login that begins."""
        row = {"state": hash_of(state), "nonce": login.nonce, "verifier": login.verifier, "return_to": login.return_to}
        async with self._database.write() as connection:
            await _make_room(connection, LOGINS, LOGINS.c.state, LOGINS_MAX)
            await connection.execute(insert(LOGINS).values(**row, expires=login.expires))

    async def take_login(self, state: str) -> Login | None:
        """Give a login that comes back, once."""
        async with self._database.write() as connection:
            query = delete(LOGINS).where(LOGINS.c.state == hash_of(state)).returning(LOGINS)
            row = (await connection.execute(query)).one_or_none()
        if row is None or row.expires <= wall():
            return None
        return Login(row.nonce, row.verifier, row.return_to, Timestamp(row.expires))

    async def note(self, row: AuditRow) -> None:
        """Add a row to the audit."""
        texts = (row.who, row.address, row.action, row.subject, row.result)
        who, address, action, subject, result = map(_kept, texts)
        values = {"at": row.at, "who": who, "address": address, "action": action, "subject": subject, "result": result}
        async with self._database.write() as connection:
            added = await connection.execute(insert(AUDIT).values(**values).returning(AUDIT.c.number))
            number: int = added.scalar_one()
            if number % _TRIM_EVERY == 0:
                await connection.execute(delete(AUDIT).where(AUDIT.c.number <= number - AUDIT_ROWS_MAX))

    async def audit(self, limit: int, before: int | None = None, who: str | None = None) -> list[AuditRow]:
        """Give rows of the audit, the newest first."""
        query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(_page(limit))
        if before is not None:
            query = query.where(AUDIT.c.number < before)
        if who is not None:
            query = query.where(AUDIT.c.who == who)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            AuditRow(Timestamp(row.at), row.who, row.address, row.action, row.subject, row.result, row.number)
            for row in rows
        ]


def _kept(text: str) -> str:
    """Give a text as every database takes it, of a bounded length."""
    return text[:_AUDIT_TEXT_MAX].replace("\0", "�").encode("utf-8", "replace").decode()


def _page(limit: int) -> int:
    return max(0, min(limit, PAGE_ROWS_MAX))


async def _count(connection: AsyncConnection, table: Table) -> int:
    counted: int = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    return counted


async def _make_room(connection: AsyncConnection, table: Table, key: Any, most: int) -> None:
    """Remove what expired, and where that is not enough, what expires first."""
    await connection.execute(delete(table).where(table.c.expires <= wall()))
    surplus = await _count(connection, table) - most + 1
    if surplus > 0:
        first = select(key).order_by(table.c.expires).limit(surplus)
        await connection.execute(delete(table).where(key.in_(first)))


def _grant_columns(grant: Grant) -> dict[str, str | None]:
    services = None if grant.services is None else json.dumps(sorted(grant.services))
    return {"role": grant.role.value, "services": services}


def _grant(row: Row[Any]) -> Grant:
    return Grant(Role(row.role), None if row.services is None else frozenset(json.loads(row.services)))


def _token(row: Row[Any]) -> TokenNote:
    return TokenNote(
        row.name, _grant(row), row.principal, Timestamp(row.created), row.created_by, Timestamp(row.expires),
        row.last_used, row.revoked, row.revoked_by,
    )  # fmt: skip
