"""forged_path: our own origin at the end of a path, behind a network that it is not connected to."""

from typing import Final

from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated, foreign_origins
from anycastle.watch.path import neighbour_of_origin
from anycastle.watch.table import Concern

NAME: Final = "forged_path"
_SCORE: Final = 65


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect an allowed origin next to an AS that is neither an upstream nor named in the fleet.

    RPKI says `valid` to such a path, as it looks at the origin alone.
    """
    watched, origins = context.watched, context.state.origins
    if context.concerned.concern is Concern.COVERING or not watched.announced or not watched.neighbours:
        return None
    if len(origins) != 1 or foreign_origins(context):
        return None
    neighbour = neighbour_of_origin(context.state.path) if context.state.path else None
    if neighbour is None or neighbour in watched.neighbours or neighbour in context.intent.own_asns:
        return None
    validity, _, _ = annotated(context, origins[0])
    known = ", ".join(f"AS{asn}" for asn in sorted(watched.neighbours)[:8])
    reasons = (
        f"AS{neighbour} has {context.concerned.prefix} from AS{origins[0]}, which it is not connected to",
        f"the neighbours of the origin are {known}",
        f"RPKI: {validity.value}, which says nothing of the path",
    )
    return Suspicion(NAME, f"AS{neighbour}", _SCORE, reasons, validity)


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
