"""squatting: somebody announces a prefix of ours that nobody is to announce."""

from typing import Final

from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated, foreign_origins, named
from anycastle.watch.table import Concern

NAME: Final = "squatting"
_FOREIGN_SCORE: Final = 70
_OWN_SCORE: Final = 40


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect any route to an unannounced own prefix, or to a part of it."""
    watched, origins = context.watched, context.state.origins
    if watched.announced or context.concerned.concern is Concern.COVERING or not origins:
        return None
    foreign = foreign_origins(context)
    culprits = foreign or origins
    validity, change, reason = annotated(context, culprits[0])
    who = named(culprits) if foreign else f"our own {named(culprits)}"
    first = f"{who} announces {context.concerned.prefix}; nobody is to announce {watched.prefix}"
    score = _FOREIGN_SCORE if foreign else _OWN_SCORE
    return Suspicion(NAME, named(culprits), score + change, (first, reason), validity)


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
