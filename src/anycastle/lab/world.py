"""The demo's topology: five PoPs on five continents, three transits, six client networks and a collector.

The networks and places are invented for the lab; AS numbers and prefixes are those kept for documentation.
"""

from anycastle.lab.topology import LabService, Link, Node, NodeKind, Relation, Timers, Topology
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.prefix import parse_address, parse_prefix
from anycastle.model.service import Floor

_PLACES = {
    "ams": ("Amsterdam", 52.37, 4.90, "europe"),
    "iad": ("Ashburn", 39.04, -77.49, "north-america"),
    "gru": ("São Paulo", -23.55, -46.63, "south-america"),
    "sin": ("Singapore", 1.35, 103.82, "asia"),
    "jnb": ("Johannesburg", -26.20, 28.05, "africa"),
    "transit-west": ("New York", 40.71, -74.01, "north-america"),
    "transit-mid": ("Frankfurt", 50.11, 8.68, "europe"),
    "transit-east": ("Tokyo", 35.68, 139.69, "asia"),
    "berlin": ("Berlin", 52.52, 13.40, "europe"),
    "chicago": ("Chicago", 41.88, -87.63, "north-america"),
    "bogota": ("Bogotá", 4.71, -74.07, "south-america"),
    "mumbai": ("Mumbai", 19.08, 72.88, "asia"),
    "nairobi": ("Nairobi", -1.29, 36.82, "africa"),
    "sydney": ("Sydney", -33.87, 151.21, "oceania"),
    "collector": ("London", 51.51, -0.13, "europe"),
}
_POPS = ("ams", "iad", "gru", "sin", "jnb")
_TRANSITS = ("transit-west", "transit-mid", "transit-east")
_CLIENTS = ("berlin", "chicago", "bogota", "mumbai", "nairobi", "sydney")
_CUSTOMERS = (
    ("ams", "transit-mid"), ("iad", "transit-west"), ("gru", "transit-west"), ("sin", "transit-east"),
    ("jnb", "transit-mid"),
    ("berlin", "transit-mid"), ("chicago", "transit-west"), ("bogota", "transit-west"), ("mumbai", "transit-east"),
    ("nairobi", "transit-mid"), ("sydney", "transit-east"),
)  # fmt: skip
_PEERS = (
    ("transit-west", "transit-mid"), ("transit-mid", "transit-east"), ("transit-west", "transit-east"),
    ("gru", "bogota"), ("jnb", "nairobi"), ("ams", "berlin"),
)  # fmt: skip


def world(timers: Timers = Timers()) -> Topology:
    """Give the demo's topology."""
    nodes = (
        *(_node(name, NodeKind.POP, 64500) for name in _POPS),
        *(_node(name, NodeKind.TRANSIT, 64496 + place) for place, name in enumerate(_TRANSITS)),
        *(_node(name, NodeKind.CLIENT, 65536 + place) for place, name in enumerate(_CLIENTS)),
        _node("collector", NodeKind.COLLECTOR, 64510),
    )
    links = (
        *(Link(first, second, Relation.CUSTOMER) for first, second in _CUSTOMERS),
        *(Link(first, second, Relation.PEER) for first, second in _PEERS),
        *(Link(transit, "collector", Relation.MONITOR) for transit in _TRANSITS),
    )
    service = LabService(
        name="dns",
        prefix=parse_prefix("192.0.2.0/24"),
        address=parse_address("192.0.2.53"),
        pops=("sin", "gru", "jnb", "iad", "ams"),
        floor=Floor(pops=2),
    )
    return Topology("world", ASN(64500), nodes, links, (service,), timers)


def _node(name: str, kind: NodeKind, asn: int) -> Node:
    city, latitude, longitude, region = _PLACES[name]
    return Node(name, kind, ASN(asn), city, Location(latitude, longitude), region)
