import asyncio
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.store import Database, SqlStore, open_store
from anycastle.io.store.database import BUSY_S, parse_database, write_ahead
from tests.unit.io.store.contract import StoreContract, changed, leading, run
from tests.unit.io.store.people_contract import PeopleContract


class TestSQLite(StoreContract):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/store.db"


class TestPeopleOnSQLite(PeopleContract):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/store.db"

    @pytest.fixture
    def other(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/other.db"


def test_the_file_is_for_its_owner_and_durable(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def talk(store: SqlStore) -> None:
        await store.commit(await leading(store), {}, [changed(1)])
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}
        async with store.database.write() as connection:
            settings = [
                (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert settings == ["wal", 2, 1]

    run(str(path), talk)


def test_a_reader_waits_for_no_writer(tmp_path: Path) -> None:
    async def talk(store: SqlStore) -> None:
        term = await leading(store)
        await store.commit(term, {"a": b"1"}, [])
        async with store.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM document")
            assert await store.documents() == {"a": b"1"}

    run(str(tmp_path / "store.db"), talk)


def test_a_lock_of_another_process_on_the_file_is_the_worlds_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anycastle.io.store.database.BUSY_S", 0.1)

    async def talk(store: SqlStore) -> None:
        term = await leading(store)
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorldError, match="database is locked") as caught:
            await store.commit(term, {"a": b"1"}, [])
        assert caught.value.retryable
        other.execute("ROLLBACK")
        other.close()
        await store.commit(term, {"a": b"1"}, [])

    run(str(tmp_path / "store.db"), talk)


def test_a_new_file_logs_ahead_for_all_who_open_it_at_once(tmp_path: Path) -> None:
    def opened(number: int) -> None:
        with closing(sqlite3.connect(tmp_path / f"{number // 4}.db", timeout=BUSY_S)) as connection:
            connection.isolation_level = None
            write_ahead(connection.cursor())
            connection.execute("CREATE TABLE IF NOT EXISTS one (x)")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(opened, range(400)))


@pytest.mark.parametrize("content", [b"this is no database, but it is long enough to be looked at" * 10])
def test_a_file_that_is_no_database_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(WorldError, match="not a database"):
        asyncio.run(open_store(str(tmp_path / "store.db")))
    assert (tmp_path / "store.db").read_bytes() == content


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"store\.db"):
        asyncio.run(open_store(str(tmp_path / "nowhere" / "store.db")))


@pytest.mark.parametrize("text", ["mysql://u:swordfish@h/x", "sqlite://", "postgresql://u:swordfish@h:port/x"])
def test_an_address_that_cannot_be_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(MisuseError) as caught:
        parse_database(text)
    assert "swordfish" not in str(caught.value)


def test_a_name_of_a_database_shows_no_password() -> None:
    async def main() -> str:
        return Database("postgresql://u:swordfish@h/x").name

    assert asyncio.run(main()) == "postgresql://u:***@h/x"
    assert os.environ.get("PGPASSWORD") is None
