"""route_leak: a network hands our route on to whom it should not, and draws our traffic through itself.

Theory of operation. No single sign is proof, so each adds to a score, and from `_SUSPECT_FROM` on the route is
suspicious. Read from the origin outward, a route climbs to providers, crosses to at most one peer, and then only goes
down to customers (Gao-Rexford). The signs:

- the AS graph, where it knows both relations, shows a climb or a crossing after a crossing or a descent;
- OTC (RFC 9234): whoever marked the route allowed it downward only, and beyond the mark it climbs or crosses, or
  enters a locked network, which is nobody's customer;
- ASPA (`watch.aspa`): what networks say of their own providers leaves no AS at which the route could have turned;
- Peerlock: an AS stands between two locked networks, though neither buys from it;
- the neighbours that are usual for this prefix: the AS behind our upstream was never seen there before;
- the path is longer than usual.

The culprit is the AS that handed the route on against the rules. The last two signs alone are not enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.watch import Thresholds
from anycastle.watch.aspa import PathValidity, downstream
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated, foreign_origins
from anycastle.watch.relation import Relation
from anycastle.watch.table import Concern

NAME: Final = "route_leak"
_SUSPECT_FROM: Final = 45
_SCORE_MAX: Final = 95
_VALLEY: Final = 50
_ONLY_TO_CUSTOMER: Final = 60
_ASPA: Final = 60
_PEERLOCK: Final = 50
_UNUSUAL_NEIGHBOUR: Final = 15
_LONGER: Final = 10
_LONGER_BY: Final = 2.0
_NEW_S: Final = 86_400.0
"""How long an adjacency is called new."""


ADJACENT_MAX: Final = 4096
"""Pairs of networks next to our origin that are remembered of a prefix; a handful of upstreams has some hundred."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a leak: what it adds, whom it points at (None: nobody), and why."""

    score: int
    culprit: ASN | None
    reason: str


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect a route of ours that went where it should not."""
    if context.concerned.concern is Concern.COVERING or not context.watched.announced or foreign_origins(context):
        return None
    outward = context.state.hops[::-1]
    if len(outward) < 3:
        return None
    unusual = list(_unusual(context, outward))
    signs = [
        *_valley(context, outward),
        *_marked(context, outward),
        *_unauthorised(context, outward),
        *_between_locked(context, outward),
    ]
    culprit = next((sign.culprit for sign in signs if sign.culprit is not None), None)
    score = min(_SCORE_MAX, sum(sign.score for sign in (*signs, *unusual)))
    if culprit is None or score < _SUSPECT_FROM:
        return None
    validity, _, _ = annotated(context, outward[0])
    reasons = tuple(sign.reason for sign in (*signs, *unusual))
    return Suspicion(NAME, f"AS{culprit}", score, reasons, validity)


def _valley(context: RouteContext, outward: tuple[ASN, ...]) -> Iterator[Sign]:
    """Find the first climb or crossing after the route crossed or went down."""
    turned: str | None = None
    for giver, taker in pairwise(outward):
        relation = context.relations.relation(giver, taker)
        if relation in (Relation.PROVIDER, Relation.PEER) and turned is not None:
            reason = f"AS{giver} hands it on to its {relation.value} AS{taker}, though {turned}"
            yield Sign(_VALLEY, giver, reason)
            return
        if relation is Relation.PEER:
            turned = f"AS{taker} had it from its peer AS{giver}"
        elif relation is Relation.CUSTOMER:
            turned = f"AS{taker} had it from its provider AS{giver}"


def _marked(context: RouteContext, outward: tuple[ASN, ...]) -> Iterator[Sign]:
    """Find who handed a route on upward or sideways that was marked as for customers only (RFC 9234 §5)."""
    mark = context.state.only_to_customer
    if mark is None or mark not in outward:
        return
    at = outward.index(mark)
    beyond = outward[at + 1 :]  # the first of them may be a peer of the one that marked it
    for giver, taker in pairwise(beyond):
        relation = context.relations.relation(giver, taker)
        if relation in (Relation.PROVIDER, Relation.PEER) or (relation is None and taker in context.intent.locked):
            reason = f"AS{mark} marked it Only to Customer (RFC 9234), and AS{giver} handed it on to AS{taker}"
            yield Sign(_ONLY_TO_CUSTOMER, giver, reason)
            return


def _unauthorised(context: RouteContext, outward: tuple[ASN, ...]) -> Iterator[Sign]:
    """Find a leak by what the networks of the path say of their providers (ASPA)."""
    verdict = downstream(outward, context.validation.providers)
    if verdict.path is PathValidity.INVALID and verdict.turns is not None:
        first, last = verdict.turns
        between = "" if first + 1 == last - 1 else f" or one behind it down to AS{outward[first + 1]}"
        reason = (
            f"AS{outward[last - 1]}{between} leaks it: AS{outward[first + 1]} is no provider of AS{outward[first]}, "
            f"and AS{outward[last - 1]} none of AS{outward[last]}, by their ASPAs"
        )
        yield Sign(_ASPA, outward[last - 1], reason)


def _between_locked(context: RouteContext, outward: tuple[ASN, ...]) -> Iterator[Sign]:
    """Find an AS that carried the route from one locked network to another."""
    locked = context.intent.locked
    last: int | None = None
    for position, asn in enumerate(outward):
        if asn not in locked:
            continue
        if last is not None and position > last + 1:
            carrier = outward[position - 1]
            reason = f"AS{carrier} carries it from AS{outward[last]} to AS{asn}, both locked: nobody's customers"
            yield Sign(_PEERLOCK, carrier, reason)
            return
        last = position


def _unusual(context: RouteContext, outward: tuple[ASN, ...]) -> Iterator[Sign]:
    """Find what the prefix never showed before: who stands behind our upstream, and how long the path is."""
    memory = context.memory
    pair = (outward[1], outward[2])
    first_seen = memory.adjacent.get(pair, context.at)
    if pair not in memory.adjacent and len(memory.adjacent) < ADJACENT_MAX:
        memory.adjacent[pair] = context.at
    learning = memory.learning_until is None or context.at < memory.learning_until
    if not learning and context.at - first_seen < _NEW_S and first_seen >= (memory.learning_until or context.at):
        yield Sign(_UNUSUAL_NEIGHBOUR, None, f"AS{pair[1]} was not seen behind AS{pair[0]} before")
    if memory.length is not None and len(outward) >= memory.length + _LONGER_BY:
        yield Sign(_LONGER, None, f"the path has {len(outward)} networks; {memory.length:g} are usual")


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=120.0, thresholds=Thresholds(3, 3, 2)))
"""Three peers at two collectors, as a leak that matters is seen widely (practice, F1)."""
