"""Where ASes and PoPs are, as coarse as it is known: six regions.

Countries are put into regions as network operators do by trade: the Middle East and Russia stand where their networks
are mostly connected (asia, europe), Mexico with north-america, Central America and the Caribbean with south-america.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.model.pop import Location
from anycastle.twin.graph import ASGraph
from anycastle.twin.rtt import great_circle_km
from anycastle.twin.synthetic import REGIONS

MIDDLE: Final = MappingProxyType(
    {
        "europe": Location(50, 10),
        "north-america": Location(40, -95),
        "south-america": Location(-15, -60),
        "asia": Location(25, 105),
        "oceania": Location(-27, 145),
        "africa": Location(5, 20),
    }
)
"""About the middle of each region's networks."""

_COUNTRIES: Final = {
    "europe": (
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES EU FI FO FR GB GG GI GL GR HR HU IE IM IS IT JE LI LT "
        "LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA UK VA XK"
    ),
    "north-america": ("BM CA MX PM UM US"),
    "south-america": (
        "AG AI AR AW BB BL BO BQ BR BS BZ CL CO CR CU CW DM DO EC FK GD GF GP GS GT GY HN HT JM KN KY LC MF "
        "MQ MS NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI"
    ),
    "asia": (
        "AE AF AM AZ BD BH BN BT CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY "
        "NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"
    ),
    "oceania": ("AS AU CC CK CX FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV VU WF WS"),
    "africa": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU "
        "MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"
    ),
}
REGION_OF_COUNTRY: Final = MappingProxyType(
    {country: region for region, countries in _COUNTRIES.items() for country in countries.split()}
)
"""ISO 3166-1 code, as registries of addresses use it -> region."""


def region_of_label(label: str) -> str:
    """Give the region of a country's code or of a region's own name; '' for any other label."""
    return REGION_OF_COUNTRY.get(label.upper(), label if label in REGIONS else "")


def region_of_pop(name: str, location: Location) -> str:
    """Give the region of a PoP: the fleet's word where it is one of `REGIONS`, else that whose middle is nearest."""
    if name in REGIONS:
        return name
    return REGIONS[int(from_middles_km([location])[:, 0].argmin())]


def from_middles_km(locations: Sequence[Location]) -> NDArray[np.float64]:
    """Give the great-circle distance of each location from the middle of each region, float64[region, location]."""
    middles, points = (
        np.array([(each.latitude, each.longitude) for each in some], np.float64).reshape(-1, 2)
        for some in ([MIDDLE[region] for region in REGIONS], locations)
    )
    return great_circle_km(middles, points)


def regions_of_nodes(graph: ASGraph, labels: Mapping[int, str]) -> NDArray[np.int8]:
    """Give the place of each node's region in `REGIONS`, int8[node]; -1 where it is not known."""
    place = {name: at for at, name in enumerate(REGIONS)}
    found = [place.get(region_of_label(labels.get(asn, "")), -1) for asn in graph.asn.tolist()]
    return np.array(found, np.int8)
