"""Six PoPs of two services in three regions, and what engines say when one of them dies or is drained."""

from anycastle.base.ports import Timestamp
from anycastle.response import follows
from anycastle.response.signal import Place, Signal, Subject, Topology, Urgency

DNS, WEB = "192.0.2.0/24", "198.51.100.0/24"
BOTH = Place("eu", frozenset({"dns", "web"}), frozenset({DNS, WEB}))
TOPOLOGY = Topology(
    {
        "fra1": BOTH,
        "ams1": BOTH,
        "iad1": Place("na", frozenset({"dns", "web"}), frozenset({DNS, WEB})),
        "sjc1": Place("na", frozenset({"dns"}), frozenset({DNS})),
        "gru1": Place("sa", frozenset({"dns", "web"}), frozenset({DNS, WEB})),
        "nrt1": Place("ap", frozenset({"web"}), frozenset({WEB})),
    }
)


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds)


def signal(name: str, *, firing: bool = True, page: bool = False, summary: str = "", **subject: str) -> Signal:
    urgency = Urgency.PAGE if page else Urgency.TICKET
    return Signal(name, Subject(**subject), urgency, firing, summary or f"{name} {' '.join(subject.values())}")


def death(pop: str, *, firing: bool = True) -> list[Signal]:
    """Give the nine alerts of a PoP's death, as nine engines would say them."""
    region = TOPOLOGY.region_of(pop)
    service = min(TOPOLOGY.pops[pop].services)
    prefix = DNS if service == "dns" else WEB
    return [
        signal(follows.POP_DOWN, firing=firing, page=True, pop=pop),
        signal(follows.UNREACHABLE, firing=firing, page=True, pop=pop, service=service),
        signal(follows.SERVICE_DOWN, firing=firing, page=True, pop=pop, service=service),
        signal(follows.SESSION_DOWN, firing=firing, pop=pop),
        signal(follows.WITHDRAWN, firing=firing, pop=pop, prefix=prefix),
        signal(follows.VISIBILITY, firing=firing, prefix=prefix),
        signal(follows.BURN, firing=firing, page=True, service=service, region=region),
        signal(follows.BURN, firing=firing, page=True, service=service),
        signal(follows.MOVED, firing=firing, prefix=prefix),
    ]


def drained(pop: str, *, firing: bool = True) -> list[Signal]:
    """Give what a drain shows as, with nobody's mistake."""
    prefix = min(TOPOLOGY.pops[pop].prefixes)
    return [
        signal(follows.WITHDRAWN, firing=firing, page=True, pop=pop, prefix=prefix),
        signal(follows.UNREACHABLE, firing=firing, page=True, pop=pop),
        signal(follows.MOVED, firing=firing, page=True, prefix=prefix),
        signal(follows.CACHE, firing=firing, prefix=prefix),
    ]
