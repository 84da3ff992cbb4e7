"""origin_change: a network that may not originate our prefix does."""

from typing import Final

from anycastle.model.asn import ASN
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.table import Concern
from anycastle.watch.validation import Validity

NAME: Final = "origin_change"
_SCORE: Final = 70


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect an exact route whose origin, or a member of whose origin set, is not allowed."""
    watched = context.watched
    if context.concerned.concern is not Concern.EXACT or not watched.announced:
        return None
    foreign = foreign_origins(context)
    if not foreign:
        return None
    expected = ", ".join(f"AS{asn}" for asn in sorted(watched.origins))
    reasons = [f"{named(foreign)} originates {watched.prefix}; only {expected} may"]
    if len(context.state.origins) > 1:
        reasons.append("the path ends in a set, which no current router makes (RFC 9774)")
    validity, change, reason = annotated(context, foreign[0])
    return Suspicion(NAME, named(foreign), _SCORE + change, (*reasons, reason), validity)


def foreign_origins(context: RouteContext) -> tuple[ASN, ...]:
    """Give the origins of the route that are not allowed."""
    return tuple(asn for asn in context.state.origins if asn not in context.watched.origins)


def named(asns: tuple[ASN, ...]) -> str:
    """Give ASNs as a subject: `AS64666`, or several with `+`."""
    return "+".join(f"AS{asn}" for asn in asns)


def annotated(context: RouteContext, origin: ASN) -> tuple[Validity, int, str]:
    """Give what RPKI says of the route, what that adds to a score, and as a reason. It never keeps one back."""
    validity = context.validation.validity(context.concerned.prefix, origin)
    change, text = _ANNOTATIONS[validity]
    return validity, change, text


_ANNOTATIONS: Final = {
    Validity.INVALID: (20, "RPKI: invalid, the ROAs forbid it"),
    Validity.VALID: (-25, "RPKI: valid, a ROA allows it; is the fleet's list of origins complete?"),
    Validity.NOT_FOUND: (0, "RPKI: no ROA covers it"),
    Validity.UNKNOWN: (0, "RPKI: unknown, there are no current VRPs"),
}

DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
