"""locked_asn: our route behind a locked network, heard through a network that it does not hand routes to."""

from itertools import pairwise
from typing import Final

from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated, foreign_origins
from anycastle.watch.table import Concern

NAME: Final = "locked_asn"
_SCORE: Final = 70


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect an AS that stands before a locked one without being among those that may.

    An attacker who forges origin and neighbour puts its own ASN before a network that never gave it the route.
    """
    if context.concerned.concern is Concern.COVERING or not context.watched.announced or foreign_origins(context):
        return None
    hops = context.state.hops
    for before, locked in pairwise(hops):
        allowed = context.intent.locked.get(locked)
        if not allowed or before in allowed or before in context.intent.own_asns:
            continue
        validity, _, _ = annotated(context, hops[-1])
        reasons = (
            f"AS{before} hands on {context.concerned.prefix} as heard from AS{locked}, which is locked",
            f"only {', '.join(f'AS{asn}' for asn in sorted(allowed))} hear our routes from AS{locked}",
        )
        return Suspicion(NAME, f"AS{before}", _SCORE, reasons, validity)
    return None


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
