"""Word to systemd: ready, reloading, stopping, and the watchdog's food (sd_notify(3))."""

import asyncio
import os
import socket
import time


def notify(*lines: str) -> bool:
    """Send assignments such as `READY=1` to the service manager; tell whether there is one."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False  # a service manager that is away is no reason to stop serving
    return True


def reloading() -> bool:
    """Say that a reload begins; `Type=notify-reload` wants the monotonic time with it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_interval_s() -> float | None:
    """Give how often systemd wants to hear from this process: half of `WatchdogSec`; None when it does not."""
    pid = os.environ.get("WATCHDOG_PID")
    usec = os.environ.get("WATCHDOG_USEC")
    if not usec or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2_000_000


class Feeding:
    """Feeds systemd's watchdog from the loop that serves: a loop that hangs goes hungry."""

    def __init__(self) -> None:
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Feed from now on, where systemd wants it."""
        interval_s = watchdog_interval_s()
        if interval_s is not None:
            notify("WATCHDOG=1")
            self._next = asyncio.get_running_loop().call_later(interval_s, self.start)

    def stop(self) -> None:
        """Feed no more."""
        if self._next is not None:
            self._next.cancel()
