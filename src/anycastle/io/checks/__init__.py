"""Health checks: one module per kind, each of which runs a target once and gives a `CheckResult`."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

from anycastle.model.check import CheckResult, CheckTarget

Run = Callable[[Any, float], Awaitable[CheckResult]]

CHECKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "http": "anycastle.io.checks.http",
        "tcp": "anycastle.io.checks.tcp",
        "tls": "anycastle.io.checks.tls",
        "dns": "anycastle.io.checks.dns",
        "icmp": "anycastle.io.checks.icmp",
        "exec": "anycastle.io.checks.exec",
        "file": "anycastle.io.checks.file",
        "systemd": "anycastle.io.checks.systemd",
        "prometheus": "anycastle.io.checks.prometheus",
    }
)
"""Kind -> the module whose `run` does it; imported at first use, since an agent of TCP checks needs no DNS library."""


def runner(kind: str) -> Run:
    """Give the `run(target, timeout_s)` of a kind; look it up once per check, not once per run."""
    return cast("Run", import_module(CHECKS[kind]).run)


async def run(target: CheckTarget, timeout_s: float) -> CheckResult:
    """Run a target of any kind once. Never raises for what the target or the world did; cancellation passes through."""
    return await runner(target.kind)(target, timeout_s)
