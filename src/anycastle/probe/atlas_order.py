"""A measurement that RIPE Atlas is to make: what is asked, by which probes, how often; and what it will cost.

Cost is in credits. Each result has a unit cost by its kind; a result of a one-off measurement costs twice as much. It
does not matter whether one probe measures each minute or ten do each ten minutes: results are paid.

Source: RIPE Atlas, Credits, "Measurement Cost Model" (atlas.ripe.net/docs/getting-started/credits): ping
`N * (int(S / 1500) + 1)`, traceroute `10 * N * (int(S / 1500) + 1)`, DNS 10 over UDP and 20 over TCP, SSLCert 10, with
*N* packets of *S* octets.
Source: RIPE Atlas, REST API Manual, "Creating Measurements", for the request's shape.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.probe.kinds.dns import IDENTITIES

KINDS: Final = ("ping", "traceroute", "dns", "sslcert")
"""Kinds whose cost is documented."""

SELECTIONS: Final = ("area", "country", "asn", "prefix", "probes", "msm")
"""Ways to choose probes."""

PACKETS_DEFAULT: Final = 3
SIZES_DEFAULT: Final = MappingProxyType({"ping": 48, "traceroute": 40})
ONE_OFF_FACTOR: Final = 2
_MTU: Final = 1500
_DAY_S: Final = 86_400
_DNS: Final = MappingProxyType({"udp": 10, "tcp": 20})
_SSLCERT: Final = 10
_TRACEROUTE_FACTOR: Final = 10

PROBES_MAX: Final = 10_000
PACKETS_MAX: Final = 16
INTERVAL_S_MIN: Final = 60


@dataclass(frozen=True, slots=True)
class Question:
    """What DNS is asked. By default the server's name, which tells the PoP."""

    name: str = "id.server"
    record_type: str = "TXT"
    transport: str = "udp"
    nsid: bool = True
    recursion: bool = False

    @property
    def klass(self) -> str:
        """Give CHAOS for the names by which servers tell themselves apart (RFC 4892), else IN."""
        return "CHAOS" if self.name.rstrip(".").lower() in IDENTITIES else "IN"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A measurement that goes on. Without an end it would spend until nothing is left, so it has one."""

    interval_s: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class AtlasOrder:
    """One measurement."""

    kind: str
    target: str
    version: int
    """Of IP."""
    probes: int
    """How many are asked for."""
    selection: str = "area"
    """Of `SELECTIONS`."""
    value: str = "WW"
    """Such as `WW`, `DE`, `64500`, `1,2,3`."""
    repeat: Repeat | None = None
    """None: once."""
    packets: int = PACKETS_DEFAULT
    size: int | None = None
    """Octets of a packet; None: the kind's default."""
    question: Question = Question()
    port: int = 443
    """Of sslcert."""
    description: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.selection not in SELECTIONS or self.version not in (4, 6):
            raise MisuseError(f"there is no {self.kind} over IPv{self.version} by {self.selection}")
        if not 0 < self.probes <= PROBES_MAX or not 0 < self.packets <= PACKETS_MAX:
            raise MisuseError(f"1 to {PROBES_MAX:,} probes and 1 to {PACKETS_MAX} packets")
        if self.repeat is not None and not INTERVAL_S_MIN <= self.repeat.interval_s <= self.repeat.duration_s:
            raise MisuseError(f"an interval is {INTERVAL_S_MIN} s or more, and not longer than the whole")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an order will cost, if every probe delivers every result; some never do."""

    unit: int
    """Credits of one result."""
    results: int

    @property
    def credits(self) -> int:
        """Give the whole."""
        return self.unit * self.results


def estimate(order: AtlasOrder) -> Estimate:
    """Give the cost of an order."""
    if order.repeat is None:
        return Estimate(ONE_OFF_FACTOR * _unit(order), order.probes)
    rounds = -(-order.repeat.duration_s // order.repeat.interval_s)
    return Estimate(_unit(order), order.probes * rounds)


def credits_a_day(order: AtlasOrder) -> int | None:
    """Give what a measurement that goes on costs a day; None of a one-off."""
    return None if order.repeat is None else _unit(order) * order.probes * -(-_DAY_S // order.repeat.interval_s)


def _unit(order: AtlasOrder) -> int:
    match order.kind:
        case "dns":
            return _DNS[order.question.transport]
        case "sslcert":
            return _SSLCERT
        case _:
            size = SIZES_DEFAULT[order.kind] if order.size is None else order.size
            unit = order.packets * (size // _MTU + 1)
            return unit * _TRACEROUTE_FACTOR if order.kind == "traceroute" else unit


def body(order: AtlasOrder, now: Timestamp) -> dict[str, Any]:
    """Give the request."""
    asked: dict[str, Any] = {
        "definitions": [_definition(order)],
        "probes": [{"requested": order.probes, "type": order.selection, "value": order.value}],
        "is_oneoff": order.repeat is None,
    }
    if order.repeat is not None:
        asked["definitions"][0]["interval"] = order.repeat.interval_s
        asked["stop_time"] = int(now) + order.repeat.duration_s
    return asked


def _definition(order: AtlasOrder) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": order.kind,
        "af": order.version,
        "target": order.target,
        "description": order.description or f"{order.kind} of {order.target}",
    }
    if order.tags:
        found["tags"] = list(order.tags)
    match order.kind:
        case "dns":
            asked = order.question
            return found | {
                "query_class": asked.klass,
                "query_type": asked.record_type,
                "query_argument": asked.name,
                "protocol": asked.transport.upper(),
                "use_probe_resolver": False,
                "set_nsid_bit": asked.nsid,
                "set_rd_bit": asked.recursion,
            }
        case "sslcert":
            return found | {"port": order.port}
        case "traceroute":
            found |= {"protocol": "ICMP"}
    return found | {"packets": order.packets} | ({} if order.size is None else {"size": order.size})
