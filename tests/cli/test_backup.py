"""The commands on a controller's database: backup, restore, migrate, and its log."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anycastle.base.errors import AnycastleError
from anycastle.cli.main import cli
from anycastle.io.store import open_store
from tests.unit.io.store.contract import changed


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """Give what `main` prints of an error."""
    result = call(*arguments)
    assert isinstance(result.exception, AnycastleError), result.output
    return str(result.exception)


@pytest.fixture
def store(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/controller.db"

    async def fill() -> None:
        opened = await open_store(address)
        term = await opened.lead("c1")
        events = [changed(n, "dns" if n % 2 else "web") for n in range(1100)]
        await opened.commit(term, {"desired": b"{}"}, events)
        await opened.close()

    asyncio.run(fill())
    return address


def test_a_backup_goes_into_another_database(store: str, tmp_path: Path) -> None:
    file, other = tmp_path / "x.backup", f"sqlite:///{tmp_path}/other.db"
    assert call("backup", file, "--store", store).stderr == f"{file}: 1103 rows\n"
    assert call("backup", file, "--store", store).exit_code == 2, "a backup replaces none"
    assert call("restore", file, "--dry-run").stderr == f"{file}: 1103 rows, whole\n"
    assert call("restore", file, "--store", other).stderr == f"1103 rows from {file}\n"
    assert call("events", "verify", "--store", other).stdout.startswith("1100 rows, unbroken; head 1100:")
    assert "--replace" in refused("restore", file, "--store", other)
    assert call("restore", file, "--store", other, "--replace").exit_code == 0


def test_a_damaged_backup_is_refused_in_a_dry_run_too(store: str, tmp_path: Path) -> None:
    file = tmp_path / "x.backup"
    call("backup", file, "--store", store)
    file.write_bytes(file.read_bytes().replace(b'"fra"', b'"frb"', 1))
    for more in (("--dry-run",), ("--store", f"sqlite:///{tmp_path}/other.db")):
        assert "the backup was altered" in refused("restore", file, *more)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/nowhere.db"
    assert "is not there" in refused("backup", tmp_path / "x", "--store", address)
    assert call("events", "verify", "--store", address).exit_code == 1
    assert call("controller", "migrate", "--store", address, "--dry-run").stderr == (
        "tables of version none, would become 0002\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_tables_go_up_and_down_only_when_told(store: str) -> None:
    def migrate(*more: str) -> Result:
        return call("controller", "migrate", "--store", store, *more)

    assert migrate().stderr == "tables of version 0002, now 0002\n"
    assert "--remove says so" in refused("controller", "migrate", "--store", store, "--to", "0001")
    assert migrate("--to", "0001", "--remove").stderr == "tables of version 0002, now 0001\n"
    assert "tables of version 0001, and not 0002" in call("events", "verify", "--store", store).stderr
    assert migrate().stderr == "tables of version 0001, now 0002\n"
    assert call("events", "verify", "--store", store).exit_code == 0
    assert "no version of the tables is named 7" in refused("controller", "migrate", "--store", store, "--to", "7")


def test_a_stores_events_are_listed_as_an_agents_are(store: str) -> None:
    def listed(*more: str) -> list[int]:
        result = call("events", "list", "--store", store, "-o", "ndjson", *more)
        return [json.loads(line)["sequence"] for line in result.stdout.splitlines()]

    assert listed("--limit", "2") == [1099, 1100]
    assert listed("--service", "web", "--limit", "2") == [1097, 1099]
    assert len(listed("--limit", "1050")) == 1050
    assert len(listed("--since", "2025-01-01")) == 1100
    assert listed("--kind", "alarm") == []


def test_a_stores_export_is_verified_apart_from_it(store: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    result = call("events", "export", "--store", store)
    file.write_bytes(result.stdout_bytes)
    head = result.stderr.removeprefix("head ").strip()
    assert call("events", "verify", file, "--head", head).stdout == f"1100 rows, unbroken; head {head}\n"
    rest = call("events", "export", "--store", store, "--after", head)
    assert len(rest.stdout.splitlines()) == 2
    file.write_bytes(result.stdout_bytes.replace(b"failing", b"passing", 1))
    assert call("events", "verify", file).exit_code == 1


def test_a_log_is_named_once(store: str, tmp_path: Path) -> None:
    result = call("events", "verify", tmp_path / "x", "--store", store)
    assert result.exit_code == 2
    assert "named twice" in result.stderr
