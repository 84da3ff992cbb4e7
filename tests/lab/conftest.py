"""The lab's tests run as root on a machine with the daemons; elsewhere one line says what is missing."""

import os
import shutil
import subprocess
from collections import Counter
from functools import cache

import pytest

PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr"
PROGRAMS = {
    "bird": "bird2",
    "ip": "iproute2",
    "nsd": "nsd",
    "nft": "nftables",
    "bgpd": "frr",
    "gobgpd": "gobgpd",
    "bgpctl": "openbgpd",
}
"""Program -> the Debian package that holds it."""


@cache
def missing() -> str | None:
    """What keeps all of the lab from running, and how to get it; None where nothing does."""
    packages = [package for program, package in PROGRAMS.items() if shutil.which(program, path=PATH) is None]
    if os.geteuid() != 0:
        beside = f" and the Debian packages {' '.join(packages)}" if packages else ""
        return f"the lab needs root{beside}: run `sudo make lab`"
    if not _can_make_namespaces():
        return (
            "the lab needs network namespaces, which this machine does not let root make (in a container: --privileged)"
        )
    return None


def _can_make_namespaces() -> bool:
    if shutil.which("ip", path=PATH) is None:
        return False
    name = f"acprobe{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return made


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") and (reason := missing()):
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say each reason once, with how many tests it skipped."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        if "tests/lab/" in report.nodeid and isinstance(report.longrepr, tuple):
            reasons[report.longrepr[2].removeprefix("Skipped: ")] += 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} lab test{'s' * (count != 1)} skipped: {reason}")
