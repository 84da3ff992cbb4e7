"""path_poisoning: our ASN stands around other networks in the path, to keep those from taking the route."""

from typing import Final

from anycastle.model.asn import ASN
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated
from anycastle.watch.table import Concern

NAME: Final = "path_poisoning"
_OWN_SCORE: Final = 50
_FOREIGN_SCORE: Final = 60


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect a path in which a network comes twice with others in between: no router makes such a loop by itself.

    Around our own ASN the ones in between are poisoned in our name; around another's, that one poisons.
    """
    hops = context.state.hops
    if context.concerned.concern is Concern.COVERING or len(set(hops)) == len(hops):
        return None
    twice = _repeated(hops)
    between = sandwiched(hops, twice)
    validity, _, _ = annotated(context, hops[-1])
    who = " ".join(f"AS{asn}" for asn in between)
    if twice in context.intent.own_asns:
        reason = f"{who} stands between two of our own AS{twice}: it drops the route as a loop (RFC 4271 §9.1.2)"
        return Suspicion(
            NAME, f"AS{between[0]}", _OWN_SCORE, (reason, "a path of ours that nobody is to make"), validity
        )
    reason = f"{who} stands between two AS{twice}: the path was made by hand"
    return Suspicion(NAME, f"AS{twice}", _FOREIGN_SCORE, (reason,), validity)


def _repeated(hops: tuple[ASN, ...]) -> ASN:
    """Give the network nearest the origin that comes twice."""
    return next(asn for asn in reversed(hops) if hops.count(asn) > 1)


def sandwiched(hops: tuple[ASN, ...], twice: ASN) -> tuple[ASN, ...]:
    """Give the networks between the last two places of one."""
    last = len(hops) - 1 - hops[::-1].index(twice)
    before = last - 1 - hops[:last][::-1].index(twice)
    return hops[before + 1 : last]


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
