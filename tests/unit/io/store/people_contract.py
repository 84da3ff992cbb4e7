"""What is known of people, and backups: the same on every database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.store import Database, Once, Repeated, SqlStore, Superseded
from anycastle.io.store.database import wall
from anycastle.io.store.dump import dump, restore
from anycastle.io.store.people import AuditRow, Login, People, Session, SqlPeople, TokenNote, new_secret
from anycastle.model.person import Grant, Role
from tests.unit.io.store.contract import changed, leading, run

Talk = Callable[[Callable[[People], Awaitable[None]]], None]
DNS = Grant(Role.OPERATOR, frozenset({"dns"}))


def note(name: str, grant: Grant = DNS, expires_s: float = 3600.0) -> TokenNote:
    return TokenNote(name, grant, "ann", Timestamp(1.5), "ann", Timestamp(wall() + expires_s))


class PeopleContract:
    """The tests."""

    @pytest.fixture
    def address(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def talk(self, address: str) -> Talk:
        def with_people(each: Callable[[People], Awaitable[None]]) -> None:
            run(address, lambda store: each(SqlPeople(store)))

        return with_people

    def test_a_token_is_found_by_its_text_alone(self, talk: Talk) -> None:
        async def main(people: People) -> None:
            secret, other = new_secret("acst_"), new_secret("acst_")
            kept = note("ci")
            await people.add_token(kept, secret, term=None)
            assert await people.token(secret) == kept
            assert await people.token(other) is None
            assert await people.token(secret.removeprefix("acst_")) is None
            assert await people.token("acst_\ud800\0") is None
            used = await people.token_named("ci")
            assert used is not None
            assert used.last_used is not None
            assert await people.token_named("cj") is None

        talk(main)

    def test_a_token_ends(self, talk: Talk) -> None:
        async def main(people: People) -> None:
            short, revoked = new_secret("acst_"), new_secret("acst_")
            await people.add_token(note("short", expires_s=-1.0), short, term=None)
            await people.add_token(note("revoked"), revoked, term=None)
            assert await people.token(short) is None
            assert await people.token(revoked) is not None
            assert await people.revoke_token("revoked", "ben", term=None)
            assert not await people.revoke_token("nobody", "ben", term=None)
            assert await people.token(revoked) is None
            first = await people.token_named("revoked")
            await people.revoke_token("revoked", "eve", term=None)
            assert first == await people.token_named("revoked"), "who ended it first is remembered"

        talk(main)

    def test_names_are_never_used_again(self, talk: Talk) -> None:
        async def main(people: People) -> None:
            await people.add_token(note("ci"), new_secret("acst_"), term=None)
            await people.revoke_token("ci", "ann", term=None)
            with pytest.raises(MisuseError, match="was named ci before"):
                await people.add_token(note("ci"), new_secret("acst_"), term=None)

        talk(main)

    def test_tokens_are_paged_by_name(self, talk: Talk) -> None:
        async def main(people: People) -> None:
            for name in "cab":
                await people.add_token(note(name), new_secret("acst_"), term=None)
            assert [each.name for each in await people.tokens(2)] == ["a", "b"]
            assert [each.name for each in await people.tokens(2, "b")] == ["c"]

        talk(main)

    def test_too_many_tokens_are_refused(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.people.TOKENS_MAX", 1)

        async def main(people: People) -> None:
            await people.add_token(note("a"), new_secret("acst_"), term=None)
            with pytest.raises(MisuseError, match="1 tokens are the most"):
                await people.add_token(note("b"), new_secret("acst_"), term=None)

        talk(main)

    def test_changes_of_tokens_are_behind_the_term_and_made_once(self, address: str) -> None:
        async def main(store: SqlStore) -> None:
            people = SqlPeople(store)
            term = await leading(store)
            once = Once("k", b"q", b"a", Timestamp(4e9))
            await people.add_token(note("a"), new_secret("acst_"), term=term, once=once)
            with pytest.raises(Repeated):
                await people.add_token(note("b"), new_secret("acst_"), term=term, once=once)
            with pytest.raises(Superseded):
                await people.add_token(note("b"), new_secret("acst_"), term=term - 1)
            with pytest.raises(Superseded):
                await people.revoke_token("a", "ann", term=term - 1)
            assert [each.name for each in await people.tokens(9)] == ["a"]

        run(address, main)

    def test_sessions_and_logins_end(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.people.SESSIONS_MAX", 2)

        async def main(people: People) -> None:
            later = wall() + 3600
            sessions = [Session("ann", Grant(Role.ADMIN), Timestamp(later + n)) for n in range(3)]
            for n, session in enumerate(sessions):
                await people.add_session(session, f"s{n}")
            assert [await people.session(f"s{n}") for n in range(3)] == [None, *sessions[1:]]
            await people.end_session("s1")
            assert await people.session("s1") is None
            await people.add_session(Session("ann", DNS, Timestamp(wall() - 1)), "over")
            assert await people.session("over") is None
            login = Login("nonce", "verifier", "/", Timestamp(later))
            await people.add_login(login, "state")
            assert await people.take_login("state") == login
            assert await people.take_login("state") is None
            await people.add_login(Login("n", "v", "/", Timestamp(wall() - 1)), "late")
            assert await people.take_login("late") is None

        talk(main)

    def test_the_audit_is_read_backwards_and_bounded(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.people.AUDIT_ROWS_MAX", 5)
        monkeypatch.setattr("anycastle.io.store.people._TRIM_EVERY", 10)

        async def main(people: People) -> None:
            for n in range(10):
                who = "ann" if n % 2 else "ben"
                await people.note(AuditRow(Timestamp(float(n)), who, "192.0.2.1", "POST /x\0", "s" * 9999, "done"))
            rows = await people.audit(3)
            assert [row.number for row in rows] == [10, 9, 8]
            assert rows[0].action == "POST /x�"
            assert len(rows[0].subject) == 500
            assert [row.number for row in await people.audit(9, before=8)] == [7, 6]
            assert [row.number for row in await people.audit(9, who="ann")] == [10, 8, 6]

        talk(main)

    # -- backups ------------------------------------------------------------------------------------------------------

    def test_a_backup_is_put_back_whole_into_either_database(self, address: str, other: str, tmp_path: Path) -> None:
        file = tmp_path / "store.backup"
        used: list[int] = []

        async def fill(store: SqlStore) -> None:
            term = await leading(store)
            used.append(term)
            await store.commit(term, {"desired": bytes(range(256))}, [changed(n) for n in range(450)])
            await store.put_folder("r1", {"fleet.yaml": b"\xff", "pops/a.yaml": b""}, "ann")
            people = SqlPeople(store)
            await people.add_token(note("ci"), new_secret("acst_"), term=None)
            await people.note(AuditRow(Timestamp(1.0), "ann", "192.0.2.1", "a", "b", "c"))
            seen = []
            assert await dump(store.database, file, seen.append) > 450
            assert seen
            used.append(await store.raise_term("c1", term + 5))

        async def look(store: SqlStore) -> None:
            assert await store.documents() == {"desired": bytes(range(256))}
            assert [event.event() for event in await store.events(limit=1000)] == [changed(n) for n in range(450)]
            assert (await store.verify()).sound
            assert await store.folder("r1") == {"fleet.yaml": b"\xff", "pops/a.yaml": b""}
            people = SqlPeople(store)
            assert [token.name for token in await people.tokens(9)] == ["ci"]
            await people.note(AuditRow(Timestamp(2.0), "ann", "192.0.2.1", "a", "b", "c"))
            assert [row.number for row in await people.audit(9)] == [2, 1]
            for term in used:
                with pytest.raises(Superseded):
                    await store.commit(term, {}, [changed(1)])
            assert await leading(store) > used[0]
            async with store.database.write() as connection:
                with pytest.raises(Exception, match="append-only"):
                    await connection.exec_driver_sql("DELETE FROM event")

        run(address, fill)
        asyncio.run(_restore(other, file))
        run(other, look)

    def test_a_backup_replaces_only_when_told_and_never_under_a_leader(self, address: str, tmp_path: Path) -> None:
        file = tmp_path / "store.backup"
        terms: list[int] = []

        async def fill(store: SqlStore) -> None:
            terms.append(await leading(store))
            await store.commit(terms[-1], {"a": b"1"}, [changed(1)])
            await dump(store.database, file)
            terms.append(await store.raise_term("c1", terms[-1] + 1000))
            await store.commit(terms[-1], {"a": b"2"}, [changed(2)])
            with pytest.raises(MisuseError, match="a controller leads on this database"):
                await _restore(address, file, replace=True)

        async def look(store: SqlStore) -> None:
            assert await store.documents() == {"a": b"1"}
            assert (await store.head()).sequence == 1
            assert (await store.verify()).sound
            assert await leading(store) > terms[-1], "above what was there, not only above what the copy knows"

        run(address, fill)
        with pytest.raises(MisuseError, match="--replace"):
            asyncio.run(_restore(address, file))
        asyncio.run(_restore(address, file, replace=True))
        run(address, look)

    @pytest.mark.parametrize("damage", ["cut", "line", "altered", "more", "other", "row", "chain"])
    def test_a_damaged_backup_changes_nothing(self, address: str, tmp_path: Path, damage: str) -> None:
        file = tmp_path / "store.backup"

        async def fill(store: SqlStore) -> None:
            await store.commit(await leading(store), {"a": b"1"}, [changed(1), changed(2)])
            await dump(store.database, file)

        run(address, fill)
        lines = file.read_bytes().splitlines(keepends=True)
        match damage:
            case "cut":
                file.write_bytes(b"".join(lines)[:-20])
            case "line":
                file.write_bytes(b"".join([*lines[:2], *lines[3:]]))
            case "altered":
                file.write_bytes(b"".join(lines).replace(b'"fra"', b'"frb"', 1))
            case "more":
                file.write_bytes(b"".join([*lines, b"x\n"]))
            case "other":
                file.write_bytes(b"{}\n")
            case "row":
                file.write_bytes(b"".join([lines[0], b'{"table":"event","row":{}}\n', *lines[1:]]))
            case "chain":
                _alter_and_sign(file, lines)
        with pytest.raises(ParseError, match=r"store\.backup"):
            asyncio.run(_restore(address, file, replace=True))

        async def look(store: SqlStore) -> None:
            assert await store.documents() == {"a": b"1"}
            assert (await store.verify()).rows == 2

        run(address, look)

    def test_a_backup_that_cannot_be_written_leaves_nothing(self, address: str, tmp_path: Path) -> None:
        async def main(store: SqlStore) -> None:
            with pytest.raises(WorldError, match="cannot be written"):
                await dump(store.database, tmp_path / "nowhere" / "file")

        run(address, main)
        assert not (tmp_path / "nowhere").exists()


async def _restore(address: str, file: Path, *, replace: bool = False) -> None:
    database = Database(address)
    try:
        await restore(database, file, replace=replace)
    finally:
        await database.close()


def _alter_and_sign(file: Path, lines: list[bytes]) -> None:
    """Alter an event, and make the digest fit again: only the chain shows it."""
    body = b"".join(lines[:-1]).replace(b'"fra"', b'"frb"', 1)
    last = {**json.loads(lines[-1]), "digest": sha256(body).hexdigest()}
    file.write_bytes(body + json.dumps(last).encode() + b"\n")
