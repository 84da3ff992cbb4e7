"""A PostgreSQL of the tests' own: made in a folder, heard on a socket in it, ended by its id."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

USER = "postgres"
"""PostgreSQL does not run as root."""


def binaries() -> Path | None:
    """Give the folder of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass
class PostgreSQL:
    """A running server."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def database(self) -> str:
        """Make a database, and give its address."""
        name = f"store{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement, as the server's owner."""
        command = ["psql", "-qAtX", "-h", self.folder, "-d", database, "-c", statement]
        return self._as_user(*command).strip()

    def start(self) -> None:
        self._as_user("pg_ctl", "-D", self.folder / "data", "-w", "-s", "-l", self.folder / "log", "start")

    def stop(self, mode: str = "fast") -> None:
        """End it; `immediate` is a crash."""
        self._as_user("pg_ctl", "-D", self.folder / "data", "-w", "-s", "-m", mode, "stop")

    def make(self) -> None:
        self._as_user("initdb", "-D", self.folder / "data", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N")
        settings = f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nmax_connections = 60\n"
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(settings)

    def _as_user(self, program: str, *arguments: str | Path) -> str:
        folder = binaries()
        assert folder is not None
        owner = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [folder / program, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, **owner,  # type: ignore[call-overload]
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return str(done.stdout)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a server for a while."""
    folder = Path(tempfile.mkdtemp(prefix="anycastle-pg."))  # short: a socket's path has 107 octets at most
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        server = PostgreSQL(folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)
