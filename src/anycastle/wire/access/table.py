"""All formats in one table, by the server's name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from anycastle.wire.access import haproxy, nginx, varnish
from anycastle.wire.access.record import AccessRecord

FORMATS: Final[Mapping[str, Callable[[str], AccessRecord]]] = MappingProxyType(
    {"nginx": nginx.parse, "haproxy": haproxy.parse, "varnish": varnish.parse}
)
"""Server -> what reads a line of its log; raises `LineError`."""
