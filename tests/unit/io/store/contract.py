"""What every store must do, whatever its database: a test module subclasses `StoreContract` and gives an address."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import GENESIS, Head
from anycastle.io.store import Database, Once, Repeated, SqlStore, Superseded, migrate, open_store
from anycastle.io.store import port as limits
from anycastle.io.store.migrate import newest, version
from anycastle.io.store.port import FolderNote, Leadership, Store
from anycastle.io.store.tables import METADATA
from anycastle.model.event import AgentStarted, CheckChanged, Event, FreezeChanged

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[4]
KILLS = 6
WAIT_S = 30.0


def changed(number: int, service: str = "dns", pop: str = "fra") -> Event:
    return Event(Timestamp(1763900000.25 + number), pop, CheckChanged(service, "tcp", "failing", f"e{number}"))


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[SqlStore]:
    store = await open_store(address)
    try:
        yield store
    finally:
        await store.close()


def run(address: str, talk: Callable[[SqlStore], Awaitable[T]]) -> T:
    """Talk to a store that is opened for it."""

    async def main() -> T:
        async with opened(address) as store, asyncio.timeout(WAIT_S):
            return await talk(store)

    return asyncio.run(main())


async def leading(store: SqlStore, who: str = "c1") -> int:
    return await store.lead(who)


class StoreContract:
    """The tests."""

    @pytest.fixture
    def address(self) -> str:
        raise NotImplementedError

    def test_it_is_a_store(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            as_protocol: Store = store
            assert await as_protocol.head() == GENESIS
            assert await as_protocol.documents() == {}
            assert await as_protocol.leadership() is None

        run(address, talk)

    def test_what_was_committed_is_there_when_it_is_opened_again(self, address: str) -> None:
        octets = bytes(range(256))

        async def write(store: SqlStore) -> int:
            term = await leading(store)
            await store.commit(term, {"rollout/1": b"{}", "desired": b"old"}, [])
            return await store.commit(
                term, {"desired": octets, "rollout/1": None}, [changed(1), changed(2, "web", "ams\0x")]
            )

        async def read(store: SqlStore) -> None:
            assert await store.documents() == {"desired": octets}
            assert [event.event() for event in await store.events()] == [changed(1), changed(2, "web", "ams�x")]
            result = await store.verify()
            assert result.sound
            assert result.head == await store.head()

        assert run(address, write) == 2
        run(address, read)

    def test_documents_are_found_by_how_their_keys_begin(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            await store.commit(term, {"order/1": b"a", "order_2": b"b", "order%": b"c"}, [])
            assert await store.documents("order/") == {"order/1": b"a"}
            assert await store.documents("order_") == {"order_2": b"b"}
            assert await store.documents("order/", "order_") == {"order/1": b"a", "order_2": b"b"}

        run(address, talk)

    def test_events_are_filtered_and_paged(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            events = [changed(n, "dns" if n % 2 else "web", "fra" if n % 3 else "ams") for n in range(30)]
            await store.commit(term, {}, [*events, Event(Timestamp(1.0), "fra", FreezeChanged(True, "ann", "why"))])
            found = await store.events(10, 5, services=["dns"])
            assert [event.sequence for event in found] == [12, 14, 16, 18, 20]
            assert [event.sequence for event in await store.events(0, 3, newest=True)] == [29, 30, 31]
            assert [event.sequence for event in await store.events(kinds=["freeze_changed"])] == [31]
            assert {event.pop for event in await store.events(pop="ams")} == {"ams"}
            assert len(await store.events(since=Timestamp(1763900000.25 + 25))) == 5
            assert await store.events(services=[]) == []
            assert await store.events(0, -1) == []

        run(address, talk)

    def test_a_page_has_a_limit(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            await store.commit(term, {}, [changed(n) for n in range(limits.PAGE_ROWS_MAX + 5)])
            assert len(await store.events(limit=10**9)) == limits.PAGE_ROWS_MAX
            assert (await store.verify()).rows == limits.PAGE_ROWS_MAX + 5

        run(address, talk)

    def test_what_is_beyond_a_limit_is_refused_whole(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.sql_store.DOCUMENT_BYTES_MAX", 10)
        monkeypatch.setattr("anycastle.io.store.sql_store.COMMIT_EVENTS_MAX", 2)
        monkeypatch.setattr("anycastle.io.store.sql_store.FOLDER_BYTES_MAX", 10)

        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            with pytest.raises(MisuseError, match="11 octets, and 10 are the most"):
                await store.commit(term, {"a": b"1", "b": b"x" * 11}, [changed(1)])
            with pytest.raises(MisuseError, match="3 events in one commit"):
                await store.commit(term, {"a": b"1"}, [changed(1)] * 3)
            with pytest.raises(MisuseError, match="11 octets in one fleet folder"):
                await store.put_folder("r1", {"fleet.yaml": b"x" * 11}, "ann")
            assert await store.documents() == {}
            assert await store.head() == GENESIS
            assert await store.folders(10) == []

        run(address, talk)

    # -- the log ------------------------------------------------------------------------------------------------------

    def test_the_log_is_append_only(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            await store.commit(await leading(store), {}, [changed(1)])
            for statement in ("UPDATE event SET pop = 'x'", "DELETE FROM event"):
                with pytest.raises(WorldError, match="append-only"):
                    async with store.database.write() as connection:
                        await connection.execute(text(statement))

        run(address, talk)

    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            ("UPDATE event SET body = '{}', service = NULL WHERE sequence = 2", "row 2: its content does not fit"),
            ("UPDATE event SET service = 'web' WHERE sequence = 2", "row 2: the service that it is looked up by"),
            ("DELETE FROM event WHERE sequence = 2", "row 3: 1 rows before it are missing"),
            ("DELETE FROM event WHERE sequence = 3", "row 3: the last 1 rows are missing"),
            ("UPDATE head SET sequence = 2", "row 3: the head names row 2"),
        ],
    )
    def test_what_was_changed_beside_the_store_is_found(self, address: str, statement: str, says: str) -> None:
        async def talk(store: SqlStore) -> None:
            await store.commit(await leading(store), {}, [changed(n) for n in range(3)])
            async with store.database.write() as connection:
                await connection.run_sync(lambda sync: unguard(sync.dialect.name, sync))
                await connection.execute(text(statement))
            result = await store.verify()
            assert any(str(problem).startswith(says) for problem in result.problems)

        run(address, talk)

    def test_a_log_that_was_cut_is_found_by_a_head_noted_elsewhere(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            await store.commit(await leading(store), {}, [changed(1)])
            assert (await store.verify(await store.head())).sound
            assert not (await store.verify(Head(2, bytes(32)))).sound

        run(address, talk)

    def test_whoever_waits_for_the_log_is_woken_by_a_commit(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            async with opened(address) as follower:
                waits = [asyncio.create_task(each.wait_beyond(0, WAIT_S)) for each in (store, follower)]
                await store.commit(term, {}, [changed(1)])
                await asyncio.gather(*waits)
                await store.wait_beyond(1, 0.01)

        run(address, talk)

    # -- who leads ----------------------------------------------------------------------------------------------------

    def test_each_leader_has_a_higher_term(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            terms = []
            for who in ("c1", "c2", "c1"):
                terms.append(await leading(store, who))
                await store.resign()
            assert terms == sorted(set(terms))
            led = await store.leadership()
            assert led is not None
            assert (led.term, led.who) == (terms[-1], "c1")

        run(address, talk)

    def test_a_second_controller_waits_until_the_first_lets_go(self, address: str) -> None:
        async def talk(first: SqlStore) -> None:
            async with opened(address) as second:
                term = await leading(first)
                waiting = asyncio.create_task(leading(second, "c2"))
                done, _ = await asyncio.wait([waiting], timeout=0.5)
                assert not done
                await first.commit(term, {"a": b"1"}, [])
                await first.close()
                assert await waiting > term

        run(address, talk)

    def test_whoever_waits_for_the_lead_can_give_it_up(self, address: str) -> None:
        async def talk(first: SqlStore) -> None:
            await leading(first)
            async with opened(address) as second:
                waiting = asyncio.create_task(leading(second))
                await asyncio.sleep(0.2)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await first.resign()
            await leading(first)

        run(address, talk)

    def test_a_leader_that_was_superseded_writes_nothing(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            old = await leading(store)
            await store.commit(old, {"a": b"1"}, [changed(1)])
            new = await store.raise_term("c2", old + 1_000_000)
            assert new == old + 1_000_001
            once = Once("k", b"q", b"a", Timestamp(4e9))
            for term in (old, new + 1):
                with pytest.raises(Superseded, match="c2 leads by term"):
                    await store.commit(term, {"a": b"2", "b": b"3"}, [changed(2)], once)
                with pytest.raises(Superseded):
                    await store.put_folder("r1", {}, "ann", term=term, once=once)
            assert await store.documents() == {"a": b"1"}
            assert (await store.head()).sequence == 1
            assert await store.once("k", Timestamp(0.0)) is None
            assert await store.folders(10) == []
            await store.commit(new, {"a": b"2"}, [])

        run(address, talk)

    def test_a_term_is_raised_only_by_whoever_holds_the_lock(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            with pytest.raises(MisuseError, match="not held"):
                await store.raise_term("c1", 5)
            await leading(store)
            with pytest.raises(MisuseError, match="is no term"):
                await store.raise_term("c1", limits.TERM_MAX)

        run(address, talk)

    def test_a_restored_database_goes_on_above_all_terms_ever_used(self, address: str) -> None:
        """An old copy knows nothing of later terms: the clock does."""

        async def talk(store: SqlStore) -> None:
            used = [await leading(store) for _ in range(3)]
            async with store.database.write() as connection:  # as the copy had it: before any of them
                await connection.execute(text("DELETE FROM leadership"))
            await asyncio.sleep(max(used) - min(used) + 1)  # three terms within a second run ahead of it
            assert await leading(store) >= max(used)

        run(address, talk)

    def test_a_paused_leader_that_wakes_after_a_takeover_has_written_nothing(self, address: str) -> None:
        writer = Writer(address)
        try:
            before = writer.until_acknowledged(5)
            writer.pause()

            async def take_over(store: SqlStore) -> Leadership:
                # The lock's holder is asleep: the database is told that it is gone, as after its host was cut off.
                async with store.database.write() as connection:
                    await connection.execute(text("INSERT INTO leadership VALUES (4000000000, 'c2', 0)"))
                await store.commit(4_000_000_000, {"new": b"1"}, [])
                led = await store.leadership()
                assert led is not None
                return led

            assert run(address, take_over).term == 4_000_000_000
            heads = run(address, lambda store: store.head())
            os.kill(writer.process.pid, signal.SIGCONT)
            assert writer.process.wait(WAIT_S) == 3, "it was to end because it was superseded"
            assert run(address, lambda store: store.head()) == heads
            assert heads.sequence >= before
        finally:
            writer.close()

    def test_a_writer_killed_at_any_moment_loses_nothing_acknowledged(self, address: str) -> None:
        moments = Random(7)
        commits = 0
        for _ in range(KILLS):
            writer = Writer(address)
            try:
                acknowledged = writer.until_acknowledged(1, then_s=moments.uniform(0.0, 0.3))
            finally:
                writer.close()

            async def look(store: SqlStore, least: int = acknowledged) -> int:
                events = (await store.head()).sequence
                documents = await store.documents()
                assert events >= least
                assert int(documents["count"]) * 3 == events, "a commit is whole or absent"
                assert (await store.verify()).sound
                return events

            commits = run(address, look)
        assert commits >= KILLS * 3

    # -- once ---------------------------------------------------------------------------------------------------------

    def test_an_answer_is_kept_until_it_expires(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            once = Once("k", b"question", b"answer", Timestamp(4e9))
            await store.commit(term, {"a": b"1"}, [changed(1)], once)
            assert await store.once("k", Timestamp(3e9)) == once
            assert await store.once("k", Timestamp(4e9)) is None
            with pytest.raises(Repeated) as repeated:
                await store.commit(term, {"a": b"2"}, [changed(2)], once)
            assert repeated.value.once == once
            assert await store.documents() == {"a": b"1"}
            assert (await store.head()).sequence == 1

        run(address, talk)

    def test_answers_that_expired_go_and_the_oldest_make_room(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("anycastle.io.store.sql_store.ONCE_ROWS_MAX", 3)

        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            for n, expires in enumerate((1.0, 4e9, 4.1e9, 4.2e9, 4.3e9)):
                await store.commit(term, {}, [], Once(f"k{n}", b"", b"", Timestamp(expires)))
            kept = [n for n in range(5) if await store.once(f"k{n}", Timestamp(0.0)) is not None]
            assert kept == [2, 3, 4]

        run(address, talk)

    # -- folders ------------------------------------------------------------------------------------------------------

    def test_folders_are_kept_by_their_revisions(self, address: str) -> None:
        files = {"fleet.yaml": b"name: x\n", "pops/fra.yaml": b"\xff\x00"}

        async def talk(store: SqlStore) -> None:
            assert await store.put_folder("r1", files, "ann")
            assert not await store.put_folder("r1", files, "ben")
            with pytest.raises(MisuseError, match="r1 is kept already, with other files"):
                await store.put_folder("r1", {**files, "x": b""}, "ann")
            assert await store.folder("r1") == files
            with pytest.raises(KeyError):
                await store.folder("r2")
            assert await store.put_folder("empty", {}, "ann")
            assert await store.folder("empty") == {}

        run(address, talk)

    def test_folders_are_listed_the_newest_first(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            for n in range(5):
                await store.put_folder(f"r{n}", {"fleet.yaml": b"x" * n}, "ann")
            page = await store.folders(2)
            rest = await store.folders(10, page[-1])
            assert [note.revision for note in (*page, *rest)] == ["r4", "r3", "r2", "r1", "r0"]
            assert page[0] == FolderNote("r4", "ann", page[0].at, 1, 4)

        run(address, talk)

    def test_old_folders_go_unless_they_are_needed(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.sql_store.FOLDERS_KEPT", 3)

        async def talk(store: SqlStore) -> None:
            for n in range(6):
                await store.put_folder(f"r{n}", {"fleet.yaml": b"x"}, "ann", needed=["r0"])
            assert {note.revision for note in await store.folders(10)} == {"r0", "r4", "r5"}
            with pytest.raises(KeyError):
                await store.folder("r1")

        run(address, talk)

    # -- migrations ---------------------------------------------------------------------------------------------------

    def test_migrations_go_up_and_down_and_up_again(self, address: str) -> None:
        async def main() -> None:
            database = Database(address)
            try:
                assert await version(database) is None
                for to, tables in (("0001", 7), ("head", 11), ("0001", 7), ("base", 0), ("head", 11)):
                    await migrate(database, to)
                    async with database.read() as connection:
                        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
                    assert len(set(names) - {"alembic_version"}) == tables, to
                assert await version(database) == newest()
                assert await migrate(database) == (newest(), newest())
            finally:
                await database.close()

        asyncio.run(main())

    def test_the_tables_are_those_that_statements_name(self, address: str) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        async def talk(store: SqlStore) -> None:
            async with store.database.read() as connection:
                differences = await connection.run_sync(
                    lambda sync: compare_metadata(
                        MigrationContext.configure(sync, opts={"compare_type": True}), METADATA
                    )
                )
            assert differences == []

        run(address, talk)

    def test_tables_of_a_newer_version_are_refused(self, address: str) -> None:
        async def age(store: SqlStore) -> None:
            async with store.database.write() as connection:
                await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        run(address, age)
        with pytest.raises(WorldError, match="tables of version 9999, and this anycastle knows up to"):
            run(address, age)

    def test_a_version_that_is_unknown_is_refused(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            with pytest.raises(WorldError, match="no version of the tables is named 0042"):
                await migrate(store.database, "0042")

        run(address, talk)

    def test_controllers_that_start_together_migrate_once(self, address: str) -> None:
        async def main() -> None:
            stores = await asyncio.gather(*(open_store(address) for _ in range(3)))
            for store in stores:
                assert await version(store.database) == newest()
                await store.close()

        asyncio.run(main())

    # -- faults -------------------------------------------------------------------------------------------------------

    def test_a_fault_shows_no_values(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            with pytest.raises(WorldError) as caught:
                async with store.database.write() as connection:
                    await connection.execute(text("INSERT INTO document VALUES (:key, NULL)"), {"key": "swordfish"})
            assert "swordfish" not in str(caught.value)
            assert isinstance(caught.value.__cause__, DBAPIError)
            assert "swordfish" not in str(caught.value.__cause__).replace("swordfish, null", "")

        run(address, talk)

    def test_many_writers_leave_no_gap(self, address: str) -> None:
        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            numbers = await asyncio.gather(*(store.commit(term, {}, [changed(n)]) for n in range(60)))
            assert sorted(numbers) == list(range(1, 61))
            assert (await store.verify()).sound

        run(address, talk)

    def test_writers_beyond_a_limit_are_refused(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("anycastle.io.store.database.LOCK_WAITERS_MAX", 5)

        async def talk(store: SqlStore) -> None:
            term = await leading(store)
            commits = (store.commit(term, {}, [changed(n)]) for n in range(20))
            results = await asyncio.gather(*commits, return_exceptions=True)
            refused = [each for each in results if isinstance(each, WorldError)]
            assert len(refused) == 15
            assert (await store.head()).sequence == 5

        run(address, talk)

    def test_what_an_agent_says_of_itself_is_typed_again(self, address: str) -> None:
        event = Event(Timestamp(5.5), "fra", AgentStarted("1.0", recovered=True, observe_only=False))

        async def talk(store: SqlStore) -> None:
            await store.commit(await leading(store), {}, [event])
            assert [each.event() for each in await store.events()] == [event]

        run(address, talk)


def unguard(dialect: str, connection: object) -> None:
    """Take the guards off the log, as whoever owns the database can."""
    names = ("event_is_not_changed", "event_is_not_removed") if dialect == "sqlite" else ("event_is_not_changed",)
    for name in names:
        on = "" if dialect == "sqlite" else " ON event"
        connection.execute(text(f"DROP TRIGGER {name}{on}"))  # type: ignore[attr-defined]


class Writer:
    """A process that leads, commits without end, and says each number that was acknowledged."""

    def __init__(self, address: str) -> None:
        command = [sys.executable, "-m", "tests.unit.io.store.writer", address]
        self.address = address
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self.acknowledged = 0

    def until_acknowledged(self, commits: int, then_s: float = 0.0) -> int:
        """Read until so many commits more were acknowledged, wait a moment, kill nothing; give the last number."""
        assert self.process.stdout is not None
        for _ in range(commits):
            self.acknowledged = int(self.process.stdout.readline())
        if then_s:
            try:
                self.process.wait(then_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
            for line in self.process.stdout.read().splitlines():
                self.acknowledged = int(line) if line.isdigit() else self.acknowledged
        return self.acknowledged

    def pause(self) -> None:
        """Put it to sleep, where SQLite's is not within a transaction: that one would keep all others out."""
        os.kill(self.process.pid, signal.SIGSTOP)
        path = make_url(self.address)
        while path.drivername == "sqlite":
            assert path.database is not None
            with closing(sqlite3.connect(path.database, timeout=0, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    os.kill(self.process.pid, signal.SIGCONT)
                    os.kill(self.process.pid, signal.SIGSTOP)
                else:
                    return

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
