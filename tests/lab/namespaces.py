"""Network namespaces for tests: made, joined by veth pairs, entered by a thread, and taken down whatever happens."""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

_CLONE_NEWNET = 0x40000000
_Result = TypeVar("_Result")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root: run `sudo make lab`")


def run(*command: str, check: bool = True) -> str:
    """Run a command to its end; give what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace."""

    name: str

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command inside, to its end."""
        return run("ip", "netns", "exec", self.name, *command, check=check)

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
                handle = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
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


@contextmanager
def joined(prefix: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a veth pair `eth` between them: 10.99.0.1 and .2, 2001:db8:99::1 and ::2."""
    pair = Namespace(f"{prefix}-a"), Namespace(f"{prefix}-b")
    try:
        for each in pair:
            run("ip", "netns", "del", each.name, check=False)
            run("ip", "netns", "add", each.name)
            each.run("ip", "link", "set", "lo", "up")
        left, right = pair
        run("ip", "link", "add", "eth", "netns", left.name, "type", "veth", "peer", "name", "eth", "netns", right.name)
        for number, each in enumerate(pair, 1):
            each.run("ip", "addr", "add", f"10.99.0.{number}/24", "dev", "eth")
            each.run("ip", "addr", "add", f"2001:db8:99::{number}/64", "dev", "eth", "nodad")
            each.run("ip", "link", "set", "eth", "up")
        yield pair
    finally:
        for each in pair:
            run("ip", "netns", "del", each.name, check=False)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
