"""A small Internet that says what a test lets it say: numbered peers at numbered collectors."""

from collections.abc import Iterable

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.event import Event, FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import (
    Fact,
    OwnAction,
    OwnChange,
    Peer,
    PeerDown,
    PeerUp,
    RouteGone,
    RouteSeen,
    SeedEnd,
    TableSize,
)
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.relation import Relations
from anycastle.watch.validation import Validation
from anycastle.wire.bgp.as_path import ASPath

OWN = ASN(64500)
UPSTREAMS = (ASN(64496), ASN(64497))
OURS = parse_prefix("192.0.2.0/24")
OURS_6 = parse_prefix("2001:db8:53::/48")
START = 1_700_000_000.0
TABLE = 900_000


def watched(prefix: Prefix = OURS, **more: object) -> WatchedPrefix:
    settings: dict[str, object] = {"origins": frozenset({OWN}), "neighbours": frozenset(UPSTREAMS), "pops": ("fra1",)}
    return WatchedPrefix(prefix, **(settings | more))  # type: ignore[arg-type]


def peer(number: int) -> Peer:
    """Give peer `number`, one AS each, three to a collector."""
    return Peer(f"rrc{number // 3:02}", ASN(1000 + number), f"203.0.113.{number}")


class Scene:
    """An engine, the time, and all that it said."""

    def __init__(
        self,
        *prefixes: WatchedPrefix,
        validation: Validation | None = None,
        relations: Relations | None = None,
        thresholds: Thresholds = Thresholds(),
        **intent: object,
    ) -> None:
        meant = Intent(prefixes or (watched(),), frozenset({OWN}), thresholds=thresholds, **intent)  # type: ignore[arg-type]
        self.engine = WatchEngine(meant, validation, relations)
        self.at = START
        self.events: list[Event] = []

    def take(self, fact: Fact) -> list[Event]:
        events = self.engine.take(fact)
        self.events += events
        return events

    def now(self) -> Timestamp:
        return Timestamp(self.at)

    def wait(self, seconds: float) -> list[Event]:
        self.at += seconds
        events = self.engine.advance(self.now())
        self.events += events
        return events

    def see(
        self,
        peers: Iterable[int],
        *path: int,
        prefix: Prefix = OURS,
        communities: Iterable[Community] = (),
        otc: int | None = None,
        seeded: bool = False,
    ) -> list[Event]:
        """Let peers hold a route whose path is their own ASN and then `path`."""
        events = []
        for number in peers:
            who = peer(number)
            mark = None if otc is None else ASN(otc)
            route = ASPath.sequence(who.asn, *path)
            events += self.take(RouteSeen(self.now(), who, prefix, route, frozenset(communities), mark, seeded))
        return events

    def lose(self, peers: Iterable[int], prefix: Prefix = OURS) -> list[Event]:
        return [event for number in peers for event in self.take(RouteGone(self.now(), peer(number), prefix))]

    def down(self, number: int) -> list[Event]:
        return self.take(PeerDown(self.now(), peer(number)))

    def up(self, number: int) -> list[Event]:
        return self.take(PeerUp(self.now(), peer(number)))

    def own(self, action: OwnAction, pop: str = "fra1", upstream: str = "", prefix: Prefix = OURS) -> list[Event]:
        return self.take(OwnChange(self.now(), prefix, action, pop, upstream))

    def seed(self, count: int = 10, prefixes: Iterable[Prefix] = (OURS,), missing: Iterable[int] = ()) -> None:
        """Read the tables of `count` full-feed peers, all with the usual route."""
        absent = set(missing)
        for prefix in prefixes:
            self.see((n for n in range(count) if n not in absent), 3356, UPSTREAMS[0], OWN, prefix=prefix, seeded=True)
        for number in range(count):
            for family in {prefix.family for prefix in prefixes}:
                self.take(TableSize(self.now(), peer(number), family, TABLE))
        self.take(SeedEnd(self.now()))

    def opened(self, kind: str | None = None) -> list[FindingOpened]:
        return self._of(FindingOpened, kind)  # type: ignore[return-value]

    def updated(self, kind: str | None = None) -> list[FindingUpdated]:
        return self._of(FindingUpdated, kind)  # type: ignore[return-value]

    def cleared(self, kind: str | None = None) -> list[FindingCleared]:
        return self._of(FindingCleared, kind)  # type: ignore[return-value]

    def _of(self, what: type, kind: str | None) -> list[object]:
        bodies = [event.body for event in self.events if isinstance(event.body, what)]
        return [body for body in bodies if kind is None or body.finding_kind == kind]  # type: ignore[union-attr]
