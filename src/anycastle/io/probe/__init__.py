"""Sockets of probes: one module a kind, each of which runs one probe; and what carries their results away."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address
from anycastle.probe.result import Observation
from anycastle.probe.target import ProbeTarget

Run = Callable[[ProbeTarget, Any, Address, Course], Awaitable[Observation]]
"""Target, what is asked, where to, and the course that it notes its phases in."""

KINDS: Final = MappingProxyType(
    {
        "icmp": "anycastle.io.probe.icmp",
        "udp": "anycastle.io.probe.udp",
        "tcp": "anycastle.io.probe.tcp",
        "tls": "anycastle.io.probe.tls",
        "http": "anycastle.io.probe.http",
        "dns": "anycastle.io.probe.dns",
        "zone": "anycastle.io.probe.zone",
        "traceroute": "anycastle.io.probe.traceroute",
        "mtu": "anycastle.io.probe.mtu",
        "large_body": "anycastle.io.probe.large_body",
        "session": "anycastle.io.probe.session",
    }
)
"""Kind -> the module whose `run` does it; imported at first use."""

_FOUND: dict[str, Run] = {}


def runner(kind: str) -> Run:
    """Give the `run` of a kind."""
    found = _FOUND.get(kind)
    if found is None:
        found = _FOUND[kind] = cast("Run", import_module(KINDS[kind]).run)
    return found
