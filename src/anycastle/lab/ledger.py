"""What a lab has started, kept on disk, so that another process can take it down after the lab was killed.

A namespace is in the ledger before it is made. Whatever runs inside the lab's namespaces is the lab's, also what a
process of the lab has started on its own (an agent's watchdog), so taking down empties them by what the kernel says.
"""

import json
import os
import shutil
import signal
import time
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from anycastle.base.errors import WorldError
from anycastle.io.durable import write_durably
from anycastle.lab.netns import NAMESPACES, Namespace

FILE_NAME: Final = "lab.json"
_STATE_ROOT: Final = Path("/var/tmp/anycastle-lab")  # noqa: S108  only root writes below it; it is on a disk
_END_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.02


def default_run_dir(name: str) -> Path:
    """Give where a lab lives: /run/anycastle-lab/NAME, or below /dev/shm where /run is on a disk.

    What agents and routers have in their run directories is in memory wherever systemd runs, so it is in a lab.
    """
    return Path("/run/anycastle-lab" if _in_memory("/run") else "/dev/shm/anycastle-lab", name)  # noqa: S108


def _in_memory(path: str) -> bool:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return any(fields[1] == path and fields[2] in ("tmpfs", "ramfs") for fields in mounts)


@dataclass(frozen=True, slots=True)
class Started:
    """A process: its number, and when the kernel says it was born, since numbers are used again."""

    pid: int
    born: int

    @classmethod
    def of(cls, pid: int) -> "Started":
        """Give the process of that number as it is now."""
        return cls(pid, _born(pid) or 0)

    @property
    def alive(self) -> bool:
        """Whether it still runs (a process that ended and was not waited for does not)."""
        return self.born != 0 and _born(self.pid) == self.born

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive:
            os.kill(self.pid, number)


def _born(pid: int) -> int | None:
    """Give field 22 of /proc/PID/stat (proc(5)), in clock ticks since boot; None where it runs no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(slots=True)
class Ledger:
    """A lab's ledger, in its run directory."""

    run_dir: Path
    topology: str = ""
    owner: Started | None = None
    """The process that will take the lab down itself; None for a lab that was left up."""
    namespaces: list[str] = field(default_factory=list)
    processes: dict[str, Started] = field(default_factory=dict)
    """By name, such as `bird-pop1`."""

    @property
    def prefix(self) -> str:
        """What the names of the lab's namespaces begin with: another one for each run directory."""
        return f"ac{zlib.crc32(str(self.run_dir).encode()):08x}"

    @property
    def state_dir(self) -> Path:
        """Where agents keep what outlives a restart: on a disk, as theirs is, so that saving it costs what it costs."""
        return _STATE_ROOT / self.prefix

    @property
    def path(self) -> Path:
        """The file."""
        return self.run_dir / FILE_NAME

    def save(self) -> None:
        """Put it on disk."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        plain: dict[str, Any] = asdict(self)
        del plain["run_dir"]
        write_durably(self.path, json.dumps(plain, indent=1).encode())


def load(run_dir: Path) -> Ledger | None:
    """Give the ledger of a lab, or None where there is no lab. Raises `WorldError`."""
    try:
        plain = json.loads((run_dir / FILE_NAME).read_text())
        owner = Started(**plain["owner"]) if plain["owner"] else None
        processes = {name: Started(**each) for name, each in plain["processes"].items()}
        return Ledger(run_dir, plain["topology"], owner, plain["namespaces"], processes)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorldError(f"{run_dir / FILE_NAME} cannot be read: {error}") from error


def take_down(run_dir: Path) -> bool:
    """End all that a lab has started and remove what it made; tell whether there was a lab. Raises `WorldError`.

    A lab whose owner still runs has it ended first.
    """
    found = load(run_dir)
    ledger = found or Ledger(run_dir)
    stray = {path.name for path in NAMESPACES.glob(f"{ledger.prefix}-*")}  # a ledger can be lost, names cannot
    if found is None and not stray:
        return False
    if ledger.owner is not None and ledger.owner.pid != os.getpid():
        _end([ledger.owner])
    namespaces = [Namespace(name) for name in sorted(stray.union(ledger.namespaces))]
    _end([Started.of(pid) for each in namespaces for pid in each.processes()] + list(ledger.processes.values()))
    for each in namespaces:
        _end([Started.of(pid) for pid in each.processes()])  # what was started meanwhile
        each.remove()
    shutil.rmtree(ledger.state_dir, ignore_errors=True)
    shutil.rmtree(run_dir, ignore_errors=True)
    return True


def _end(processes: Iterable[Started]) -> None:
    """End processes for certain, frozen ones too. They get no time for farewells: nothing of the lab shall stay."""
    remaining = list(processes)
    for process in remaining:
        process.signal(signal.SIGKILL)
    deadline = time.monotonic() + _END_TIMEOUT_S
    while remaining := [process for process in remaining if process.alive]:
        if time.monotonic() > deadline:
            numbers = ", ".join(str(process.pid) for process in remaining)
            raise WorldError(f"these processes do not end: {numbers}")
        time.sleep(_POLL_S)
