"""Which network a client is of: what shares fate, and so counts as one where intervals are worked out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from anycastle.base.errors import MisuseError

LENGTH_V4: Final = 24
LENGTH_V6: Final = 48
"""What is commonly given to one site, and routed on its own: the network of a client that no table names."""

UNKNOWN: Final = "unknown"


class Place(NamedTuple):
    """A network's name, and its region; '' where none is told."""

    network: str
    region: str


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """A prefix, the network that it is of (an AS, say), and where its users are."""

    prefix: str
    network: str
    region: str = ""


class Networks:
    """Looks clients up; the longest prefix of the table wins. Raises `MisuseError` for what is no prefix."""

    def __init__(self, entries: Iterable[NetworkEntry] = ()) -> None:
        self._by_length: dict[tuple[int, int], dict[int, Place]] = {}
        for entry in entries:
            try:
                prefix = ip_network(entry.prefix)
            except ValueError as error:
                raise MisuseError(f"{entry.prefix} is no prefix: {error}") from error
            key = (prefix.version, prefix.prefixlen)
            first = int(prefix.network_address) >> (prefix.max_prefixlen - prefix.prefixlen)
            self._by_length.setdefault(key, {})[first] = Place(entry.network, entry.region)
        self._lengths: Mapping[int, list[int]] = {
            version: sorted((length for each, length in self._by_length if each == version), reverse=True)
            for version in (4, 6)
        }

    def of(self, client: str) -> Place:
        """Give a client's network: of the table, else its /24 or /48; `unknown` for what is no address."""
        try:
            address = ip_address(client)
        except ValueError:
            return Place(UNKNOWN, "")
        bits, value = address.max_prefixlen, int(address)
        for length in self._lengths[address.version]:
            found = self._by_length[address.version, length].get(value >> (bits - length))
            if found is not None:
                return found
        length = LENGTH_V4 if address.version == 4 else LENGTH_V6
        return Place(str(ip_network((address, length), strict=False)), "")
