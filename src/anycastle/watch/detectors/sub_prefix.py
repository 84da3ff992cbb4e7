"""sub_prefix: a more-specific of our prefix that nobody meant; it takes the traffic wherever it is heard."""

from typing import Final

from anycastle.model.watch import MoreSpecificRule
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.detectors.origin_change import annotated, foreign_origins, named
from anycastle.watch.table import Concern

NAME: Final = "sub_prefix"
_FOREIGN_SCORE: Final = 80
_OWN_SCORE: Final = 55


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect a more-specific that no rule allows, by whomever; one of our own is less grave, and no secret."""
    watched, prefix = context.watched, context.concerned.prefix
    if context.concerned.concern is not Concern.MORE_SPECIFIC or not watched.announced or not context.state.origins:
        return None
    if any(allows(rule, context) for rule in watched.more_specifics):
        return None
    foreign = foreign_origins(context)
    culprits = foreign or context.state.origins
    validity, change, reason = annotated(context, culprits[0])
    where = f"{prefix}, within {watched.prefix}"
    if foreign:
        first, score = (
            f"{named(foreign)} originates {where}, and takes its traffic wherever it is heard",
            _FOREIGN_SCORE,
        )
    else:
        first, score = f"our own {named(culprits)} originates {where}, and no rule of the fleet means it", _OWN_SCORE
    reasons = [first]
    if prefix.length > prefix.family.longest_announced:
        reasons.append(f"/{prefix.length} is longer than most networks carry: it will not spread far")
        score -= 10
    return Suspicion(NAME, named(culprits), score + change, (*reasons, reason), validity)


def allows(rule: MoreSpecificRule, context: RouteContext) -> bool:
    """Tell whether a rule means this more-specific: by its length, its origin and the path."""
    prefix, state = context.concerned.prefix, context.state
    origins = rule.origins or context.watched.origins
    return (
        rule.prefix.contains(prefix)
        and prefix.length <= rule.longest
        and all(origin in origins for origin in state.origins)
        and (not rule.through or any(asn in state.hops for asn in rule.through))
    )


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
