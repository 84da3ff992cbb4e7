"""Network namespaces: made, entered by a process or a thread, joined by veth pairs, and taken away."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from anycastle.base.errors import MisuseError, WorldError

NAMESPACES: Final = Path("/run/netns")
"""Where `ip netns` keeps them (ip-netns(8))."""

INTERFACE_NAME_MAX: Final = 15  # IFNAMSIZ of linux/if.h, without the final zero
_CLONE_NEWNET: Final = 0x40000000  # linux/sched.h
_COMMAND_TIMEOUT_S: Final = 60.0

_SEARCH_PATH: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", "/sbin", "/bin"))

_Result = TypeVar("_Result")


def run(*command: str, check: bool = True, text: str | None = None) -> str:
    """Run a command to its end, with `text` as its input; give what it printed. Raises `WorldError` if it fails."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorldError(f"{' '.join(command)}: {error}") from error
    if check and done.returncode != 0:
        raise WorldError(f"{' '.join(command)}: {done.stderr.strip()}{done.stdout.strip()}")
    return done.stdout


def find_program(name: str, folder: str = "") -> str | None:
    """Give a program's path, or None: `folder` is looked at first; the system's folders count where PATH lacks them."""
    return shutil.which(name, path=os.pathsep.join((folder, _SEARCH_PATH)) if folder else _SEARCH_PATH)


def program(name: str, folder: str = "") -> str:
    """Give a program's path. Raises `MisuseError` where it is not there."""
    path = find_program(name, folder)
    if path is None:
        raise MisuseError(f"{name} is not installed")
    return path


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace."""

    name: str

    def run(self, *command: str, check: bool = True, text: str | None = None) -> str:
        """Run a command inside, to its end."""
        return run("ip", "netns", "exec", self.name, *command, check=check, text=text)

    def spawn(self, *command: str, log: Path, **more: object) -> subprocess.Popen[bytes]:
        """Start a command inside; what it prints goes to `log`."""
        with log.open("ab") as output:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                ("ip", "netns", "exec", self.name, *command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **more,
            )

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Call a function in a thread whose sockets are those of this namespace."""
        results: list[_Result] = []
        errors: list[BaseException] = []

        def inside() -> None:
            try:
                handle = os.open(NAMESPACES / self.name, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    if ctypes.CDLL(None, use_errno=True).setns(handle, _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(handle)
                results.append(function())
            except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
                errors.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def make(self) -> None:
        """Make it, with its loopback up. Raises `WorldError` where it is there already."""
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")

    def batch(self, *lines: str) -> None:
        """Run several commands of `ip` inside."""
        run("ip", "-n", self.name, "-batch", "-", text="\n".join([*lines, ""]))

    def remove(self) -> None:
        """Take it away; nothing happens where it is not there."""
        if self.exists:
            run("ip", "netns", "del", self.name, check=False)

    @property
    def exists(self) -> bool:
        """Whether it is there."""
        return (NAMESPACES / self.name).exists()

    def processes(self) -> tuple[int, ...]:
        """Give the processes inside; none where it is not there."""
        return tuple(map(int, run("ip", "netns", "pids", self.name, check=False).split())) if self.exists else ()


def join(first: Namespace, first_interface: str, second: Namespace, second_interface: str) -> None:
    """Put a wire between two namespaces; both ends are still down."""
    ends = ("netns", first.name, "type", "veth", "peer", "name", second_interface, "netns", second.name)
    run("ip", "link", "add", first_interface, *ends)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
