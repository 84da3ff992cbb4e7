"""Which part of the Internet a peer stands for."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.watch import Region
from anycastle.watch.fact import Peer

RIS_REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("rrc01", "rrc03", "rrc04", "rrc05", "rrc07", "rrc10", "rrc12", "rrc13"), "europe"),
        **dict.fromkeys(("rrc18", "rrc20", "rrc21", "rrc22"), "europe"),
        **dict.fromkeys(("rrc11", "rrc14", "rrc16"), "north-america"),
        **dict.fromkeys(("rrc15", "rrc24"), "south-america"),
        **dict.fromkeys(("rrc06", "rrc23"), "asia"),
        "rrc19": "africa",
        "rrc26": "middle-east",
    }
)
"""RIPE RIS's collectors by where their exchanges are (ris.ripe.net/docs). rrc00 and rrc25 peer with the whole world
over many hops, and so stand for no part of it."""


class RegionMap:
    """Peer -> region."""

    def __init__(self, regions: Iterable[Region] = ()) -> None:
        """Without regions, RIPE RIS's collectors count for theirs."""
        given = tuple(regions)
        self._collectors = {name: each.name for each in given for name in each.collectors} if given else RIS_REGIONS
        self._asns: dict[ASN, str] = {asn: each.name for each in given for asn in each.asns}

    def of(self, peer: Peer) -> str | None:
        """Give the region of a peer: what is said of its AS, else of its collector; None where neither is said."""
        region = self._asns.get(peer.asn)
        return self._collectors.get(peer.collector) if region is None else region
