"""A claim: what several peers' routes say alike, or what holds of a prefix; how it is counted, and how loud it is.

A route detector says of one route, at one peer, what is suspicious about it; all peers that say the same of one prefix
support one claim. It *stands* while its thresholds of distinct peers, ASNs and collectors are met; it *falls* when the
support is down to less than half of one of them; in between it stays what it was. Detectors of a whole prefix make
claims by a condition of their own.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.fact import Peer
from anycastle.watch.validation import Validity

EVIDENCE_MAX: Final = 8
"""Routes that a claim gives as evidence, the earliest; counts tell of the rest."""

CRITICAL_SCORE: Final = 70
WARNING_SCORE: Final = 40


class Severity(Enum):
    """How loud a finding is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


def severity_of(score: int) -> Severity:
    """Give the severity that goes with a score of 0 to 100."""
    if score >= CRITICAL_SCORE:
        return Severity.CRITICAL
    return Severity.WARNING if score >= WARNING_SCORE else Severity.INFO


@dataclass(frozen=True, slots=True)
class Life:
    """How a kind of finding opens and closes."""

    confirm_s: float = 0.0
    clear_s: float = 60.0
    thresholds: Thresholds | None = None
    """Its own thresholds; None takes the operator's."""


@dataclass(frozen=True, slots=True)
class ClaimKey:
    """What makes two claims the same. `subject` is the culprit, or what is concerned where there is none."""

    kind: str
    subject: str
    prefix: Prefix


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a detector finds suspicious about one route."""

    kind: str
    subject: str
    score: int
    """0 to 100."""
    reasons: tuple[str, ...]
    validity: Validity = Validity.UNKNOWN


@dataclass(frozen=True, slots=True)
class Support:
    """One peer's route that supports a claim."""

    at: Timestamp
    path: str
    suspicion: Suspicion


@dataclass(frozen=True, slots=True)
class Condition:
    """What a detector holds of a whole prefix now. `holds` is None in the zone between open and clear."""

    kind: str
    subject: str
    prefix: Prefix
    holds: bool | None
    score: int = 0
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    peers: int = 0
    asns: int = 0
    collectors: int = 0
    validity: Validity = Validity.UNKNOWN


class RouteClaim:
    """A claim that peers' routes support."""

    __slots__ = ("_asns", "_collectors", "_sessions", "key", "life", "score", "support", "thresholds")

    def __init__(self, key: ClaimKey, life: Life, thresholds: Thresholds) -> None:
        self.key = key
        self.life = life
        self.thresholds = life.thresholds or thresholds
        self.support: dict[Peer, Support] = {}
        self.score = 0
        """The highest of any suspicion so far."""
        self._asns: dict[ASN, int] = {}
        self._collectors: dict[str, int] = {}
        self._sessions: dict[Peer, int] = {}
        """A router that tells the same by two paths is still one peer."""

    def add(self, peer: Peer, support: Support) -> None:
        """Count a peer in, or take its newer route."""
        self.score = max(self.score, support.suspicion.score)
        before = self.support.get(peer)
        if before is None:
            self._asns[peer.asn] = self._asns.get(peer.asn, 0) + 1
            self._collectors[peer.collector] = self._collectors.get(peer.collector, 0) + 1
            self._sessions[peer.session] = self._sessions.get(peer.session, 0) + 1
            self.support[peer] = support
        else:
            self.support[peer] = replace(support, at=before.at)

    def remove(self, peer: Peer) -> None:
        """Count a peer out."""
        if self.support.pop(peer, None) is not None:
            _lower(self._asns, peer.asn)
            _lower(self._collectors, peer.collector)
            _lower(self._sessions, peer.session)

    def holds(self, collectors_up: int) -> bool | None:
        """Tell whether the thresholds are met (True), support is below half of one of them (False), or neither."""
        need = self.thresholds
        collectors = max(1, min(need.collectors, collectors_up))
        counts = ((len(self._sessions), need.peers), (len(self._asns), need.asns), (len(self._collectors), collectors))
        if all(count >= needed for count, needed in counts):
            return True
        return False if any(2 * count < needed for count, needed in counts) or not self.support else None

    @property
    def peers(self) -> int:
        """Peers that support it."""
        return len(self._sessions)

    def condition(self) -> Condition:
        """Give the claim as it stands, with its strongest suspicion, and its earliest routes as evidence."""
        strongest = max((each.suspicion for each in self.support.values()), key=lambda each: each.score, default=None)
        shown = sorted(self.support.items(), key=lambda each: (each[1].at, each[0]))[:EVIDENCE_MAX]
        return Condition(
            kind=self.key.kind,
            subject=self.key.subject,
            prefix=self.key.prefix,
            holds=True,
            score=self.score,
            reasons=strongest.reasons if strongest else (),
            evidence=tuple(f"{each.at:.3f} {self.key.prefix} {peer} path {each.path}" for peer, each in shown),
            peers=len(self._sessions),
            asns=len(self._asns),
            collectors=len(self._collectors),
            validity=strongest.validity if strongest else Validity.UNKNOWN,
        )


def _lower(counts: dict, key: object) -> None:  # type: ignore[type-arg]
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
