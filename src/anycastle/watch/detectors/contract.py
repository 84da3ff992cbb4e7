"""What a detector is given, and what it answers with.

A route detector looks at one route of one peer, as it comes, and says what is suspicious about it. A prefix detector
looks at a whole prefix, all peers together, some seconds after something changed and then each minute, and says
which conditions hold. Neither keeps anything: what a prefix detector has to remember is in `PrefixMemory`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.claim import Condition, Life, Suspicion
from anycastle.watch.fact import Peer
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.relation import Relations
from anycastle.watch.table import Concerned
from anycastle.watch.validation import Validation, Validity
from anycastle.watch.view import RouteState, Survey


@dataclass(slots=True)
class PrefixMemory:
    """What is usual for one prefix, and since when it is otherwise. Detectors read it and the ones named write it."""

    seeded: bool = False
    """A table was read: a peer that says nothing of the prefix does not hold it."""
    usual_share: float | None = None
    """visibility: the share that usually sees it, as it was at `usual_at`."""
    usual_at: Timestamp | None = None
    usual_by_region: dict[str, float] = field(default_factory=dict)
    """visibility: the same for each region of peers."""
    gone_since: Timestamp | None = None
    """stuck_route: since when nearly nobody is to hold it."""
    transit: dict[ASN, float] | None = None
    """path_change: share of ASes behind each neighbour of our origin."""
    transit_since: Timestamp | None = None
    length: float | None = None
    """path_change: usual median of path lengths."""
    length_since: Timestamp | None = None
    adjacent: dict[tuple[ASN, ASN], Timestamp] = field(default_factory=dict)
    """route_leak: (neighbour of our origin, the AS behind it) -> when it was first seen."""
    learning_until: Timestamp | None = None
    validity: dict[ASN, Validity] = field(default_factory=dict)
    """rpki_change: last known validity of each origin, UNKNOWN left out."""


@dataclass(slots=True)
class OwnRecord:
    """What our own routers did with a prefix lately, as far as the engine was told."""

    announced_at: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(PoP, upstream) -> whether it announces; the upstream is empty where all of a PoP's were meant."""
    last_change: Timestamp | None = None
    last_withdrawal: Timestamp | None = None
    last_text: str = ""
    draining: dict[str, tuple[Timestamp, str]] = field(default_factory=dict)
    """PoP -> since when and why it is drained."""

    def announces(self, pop: str) -> bool | None:
        """Tell whether a PoP announces it to anybody; None where it was never heard of."""
        told = [announced for (name, _), announced in self.announced_at.items() if name == pop]
        return any(told) if told else None


@dataclass(frozen=True, slots=True)
class RouteContext:
    """One route at one peer."""

    concerned: Concerned
    peer: Peer
    state: RouteState
    at: Timestamp
    intent: Intent
    memory: PrefixMemory
    validation: Validation
    relations: Relations

    @property
    def watched(self) -> WatchedPrefix:
        """The watched prefix that the route concerns."""
        return self.concerned.watched


@dataclass(frozen=True, slots=True)
class PrefixContext:
    """One watched prefix at all peers."""

    watched: WatchedPrefix
    now: Timestamp
    survey: Survey
    memory: PrefixMemory
    own: OwnRecord
    intent: Intent
    validation: Validation
    is_open: Callable[[str, str], bool]
    """(kind, subject) -> whether that claim of this prefix is open."""

    @property
    def prefix(self) -> Prefix:
        """The prefix."""
        return self.watched.prefix

    @property
    def needed(self) -> Thresholds:
        """How many observers it takes."""
        return self.intent.thresholds

    @property
    def learning(self) -> bool:
        """Whether it is still to be learnt what is usual."""
        until = self.memory.learning_until
        return until is None or self.now < until

    @property
    def withdrawn_everywhere(self) -> bool:
        """Every PoP that serves it has told that it withdrew it."""
        pops = self.watched.pops
        return bool(pops) and all(self.own.announces(pop) is False for pop in pops)

    def own_doing(self) -> str | None:
        """Say which acts of our own explain an absence now, or None.

        All of it where no PoP is to announce: each has withdrawn, is drained or in maintenance. Otherwise our acts
        explain what is seen for `OWN_CHANGE_S` after they began, while the Internet finds its other ways.
        """
        windows = self.intent.planned(self.prefix, self.now)
        acts = [(window.start, f"maintenance of {', '.join(window.pops)}: {window.reason}") for window in windows]
        acts += [(since, f"drain of {pop}: {reason}") for pop, (since, reason) in self.own.draining.items()]
        if self.own.last_withdrawal is not None:
            acts.append((self.own.last_withdrawal, f"we withdrew it ourselves: {self.own.last_text}"))
        away = {pop for window in windows for pop in window.pops} | self.own.draining.keys()
        away |= {pop for pop in self.watched.pops if self.own.announces(pop) is False}
        nowhere = bool(self.watched.pops) and away.issuperset(self.watched.pops)
        told = [text for since, text in acts if nowhere or self.now - since <= OWN_CHANGE_S]
        return "; ".join(told) or None


OWN_CHANGE_S = 300.0
"""How long a change of our own explains what is seen; path hunting after a withdrawal lasts minutes (practice, M2)."""


@dataclass(frozen=True, slots=True)
class RouteDetector:
    """Looks at one route."""

    name: str
    suspect: Callable[[RouteContext], Suspicion | None]
    life: Life


@dataclass(frozen=True, slots=True)
class PrefixDetector:
    """Looks at one prefix; `lives` has a line for each kind that it raises."""

    name: str
    assess: Callable[[PrefixContext], Iterable[Condition]]
    lives: dict[str, Life]
