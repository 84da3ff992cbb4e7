"""Address family identifiers as BGP writes them: an AFI and a SAFI."""

from typing import Final

from anycastle.model.prefix import Family

AFISAFI = tuple[int, int]
"""Address family and subsequent address family (RFC 4760 §3, IANA registries of both)."""

SAFI_UNICAST: Final = 1
SAFI_FLOWSPEC: Final = 133  # RFC 8955 §4
IPV4_UNICAST: Final[AFISAFI] = (1, SAFI_UNICAST)
IPV6_UNICAST: Final[AFISAFI] = (2, SAFI_UNICAST)
IPV4_FLOWSPEC: Final[AFISAFI] = (1, SAFI_FLOWSPEC)
IPV6_FLOWSPEC: Final[AFISAFI] = (2, SAFI_FLOWSPEC)

_UNICAST: Final = {IPV4_UNICAST: Family.IPV4, IPV6_UNICAST: Family.IPV6}
_NAMES: Final = {
    IPV4_UNICAST: "ipv4 unicast",
    IPV6_UNICAST: "ipv6 unicast",
    IPV4_FLOWSPEC: "ipv4 flowspec",
    IPV6_FLOWSPEC: "ipv6 flowspec",
}


def unicast_family(afi: int, safi: int) -> Family | None:
    """Give the family whose unicast routes the pair stands for, or None."""
    return _UNICAST.get((afi, safi))


def format_family(afi: int, safi: int) -> str:
    """Format the pair for people: `ipv6 unicast`, or `afi 25 safi 70` for one that is not known here."""
    return _NAMES.get((afi, safi), f"afi {afi} safi {safi}")
