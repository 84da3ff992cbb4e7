"""How the agents of a fleet reach its controllers."""

from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import ParseError

PORT: Final = 9479
"""Where a controller listens, unless it is said otherwise."""

POP_WORD: Final = "{pop}"
"""Stands in a path for the name of the PoP."""


@dataclass(frozen=True, slots=True)
class ControllerAccess:
    """Where controllers are, and the files that a PoP shows them and trusts; these are on the PoP."""

    addresses: tuple[str, ...]
    """Each `HOST` or `HOST:PORT`."""
    ca: str = "/etc/anycastle/bundle.pem"
    """Authorities that are trusted."""
    certificate: str = "/etc/anycastle/{pop}.pem"
    key: str = "/etc/anycastle/{pop}.key"

    def paths(self, pop: str) -> tuple[str, str, str]:
        """Give the paths of authorities, certificate and key of a PoP."""
        ca, certificate, key = (path.replace(POP_WORD, pop) for path in (self.ca, self.certificate, self.key))
        return ca, certificate, key


def host_and_port(address: str) -> tuple[str, int]:
    """Parse `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`. Raises `ParseError`."""
    host, separator, port = address.rpartition(":")
    if not separator or address.endswith("]"):
        host, port = address, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ParseError(f"{address!r} is not HOST or HOST:PORT")
    return host, int(port)
