"""The store on PostgreSQL: the same tests as on SQLite, and what only a server can do."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from anycastle.base.errors import WorldError
from anycastle.io.store import SqlStore, Superseded, open_store
from tests.lab.postgresql import PostgreSQL, postgresql
from tests.unit.io.store.contract import WAIT_S, StoreContract, Writer, changed, leading, opened, run
from tests.unit.io.store.people_contract import PeopleContract

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture
def address(server: PostgreSQL) -> str:
    return server.database()


class TestPostgreSQL(StoreContract):
    @pytest.fixture
    def address(self, server: PostgreSQL) -> str:
        return server.database()


class TestPeopleOnPostgreSQL(PeopleContract):
    @pytest.fixture
    def address(self, server: PostgreSQL) -> str:
        return server.database()

    @pytest.fixture
    def other(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/other.db"


class TestBackupsFromSQLiteToPostgreSQL(PeopleContract):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/store.db"

    @pytest.fixture
    def other(self, server: PostgreSQL) -> str:
        return server.database()


def test_a_leader_whose_connection_is_cut_knows_it_and_another_takes_over(server: PostgreSQL, address: str) -> None:
    async def talk(first: SqlStore) -> None:
        term = await leading(first)
        async with opened(address) as second:
            taking = asyncio.create_task(leading(second, "c2"))
            holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            assert server.sql(holder, str(make_url(address).database)) == "t"
            assert "broke" in await first.lost()
            assert await taking > term
            with pytest.raises(Superseded):
                await first.commit(term, {"a": b"1"}, [])

    run(address, talk)


def test_a_leader_that_hangs_loses_the_lock_and_writes_nothing_when_it_wakes(address: str) -> None:
    writer = Writer(address)
    try:
        acknowledged = writer.until_acknowledged(5)
        os.kill(writer.process.pid, signal.SIGSTOP)

        async def take_over(store: SqlStore) -> int:
            begun = time.monotonic()
            term = await store.lead("c2")
            assert time.monotonic() - begun < WAIT_S
            return await store.commit(term, {"new": b"1"}, [])

        last = run(address, take_over)
        assert last >= acknowledged
        os.kill(writer.process.pid, signal.SIGCONT)
        assert writer.process.wait(WAIT_S) == 3
        assert run(address, lambda store: store.head()).sequence == last
    finally:
        writer.close()


def test_a_server_that_crashes_loses_nothing_acknowledged() -> None:
    """On a server of its own: how long it recovers goes with all the databases that it has."""
    with postgresql() as server:
        crash_while_writing(server, server.database())


def crash_while_writing(server: PostgreSQL, address: str) -> None:
    async def talk(store: SqlStore) -> None:
        term = await leading(store)
        acknowledged: list[int] = []

        async def write() -> None:
            while True:
                acknowledged.append(await store.commit(term, {"count": b"x"}, [changed(1)]))

        writing = asyncio.create_task(write())
        while len(acknowledged) < 20:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.stop, "immediate")
        with pytest.raises(WorldError):
            await writing
        assert await store.lost()
        with pytest.raises(WorldError):
            await store.documents()
        await asyncio.to_thread(server.start)
        assert (await store.head()).sequence >= acknowledged[-1]
        assert (await store.verify()).sound
        assert await leading(store) > term

    run(address, talk)


@pytest.mark.parametrize("wrong", ["postgresql://postgres@/nowhere?host={}", "postgresql://nobody@/store0?host={}"])
def test_a_server_that_refuses_is_the_worlds_fault(server: PostgreSQL, wrong: str) -> None:
    with pytest.raises(WorldError, match="does not exist"):
        asyncio.run(open_store(wrong.format(server.folder)))


def test_a_server_that_is_not_there_is_the_worlds_fault() -> None:
    with pytest.raises(WorldError, match="postgresql://x:\\*\\*\\*@127"):
        asyncio.run(open_store("postgresql://x:swordfish@127.0.0.1:1/y"))
