"""What the interoperability test asks of a routing daemon."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.lab.namespaces import Namespace

OUR_V4, OUR_V6 = "10.99.0.1", "2001:db8:99::1"
THEIR_V4, THEIR_V6 = "10.99.0.2", "2001:db8:99::2"
ORIGINATED = ("203.0.113.0/24", "2001:db8:203::/48")
"""What the daemon announces to us."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the daemon is set up towards us."""

    own_asn: int = 64501
    peer_asn: int = 64500
    password: str | None = None
    gtsm: bool = False
    role: str | None = None
    """The daemon's role (RFC 9234): `provider`, `customer` or `peer`."""
    hold_time_s: int = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """A route as the daemon shows it."""

    as_path: tuple[int, ...]
    med: int | None = None
    communities: frozenset[str] = field(default_factory=frozenset)
    """Standard and large ones as `1:2` and `1:2:3`, extended ones as `rt:1:2`."""
    only_to_customer: int | None = None


class Daemon(Protocol):
    """A routing daemon in a namespace."""

    def start(self, where: Namespace, folder: Path, setting: Setting) -> subprocess.Popen[bytes]:
        """Start it; the caller ends it."""
        ...

    def routes(self) -> dict[str, Seen]:
        """Give what it learnt from us, as it shows it itself; empty while it does not answer."""
        ...
