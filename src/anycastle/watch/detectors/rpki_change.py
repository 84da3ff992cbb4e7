"""rpki_change: our own announcement is invalid, or has lost the ROA that made it valid."""

from collections.abc import Iterable
from typing import Final

from anycastle.model.asn import ASN
from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.validation import Validity

NAME: Final = "rpki_change"
_INVALID_SCORE: Final = 85
_LOST_SCORE: Final = 50


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Validate each allowed origin that peers see; what is unknown changes nothing."""
    seen: dict[ASN, int] = {}
    for _, state in context.survey.holders:
        for origin in state.origins:
            if origin in context.watched.origins:
                seen[origin] = seen.get(origin, 0) + 1
    for origin in sorted(seen.keys() | context.memory.validity.keys()):
        yield _judge(context, origin, seen.get(origin, 0))


def _judge(context: PrefixContext, origin: ASN, peers: int) -> Condition:
    before = context.memory.validity.get(origin)
    validity = context.validation.validity(context.prefix, origin)
    lost = validity is Validity.NOT_FOUND and before is Validity.VALID
    match validity:
        case Validity.UNKNOWN:
            holds = None
        case Validity.INVALID:
            holds = True
        case _:
            holds = lost
    if validity in (Validity.VALID, Validity.INVALID) or (validity is Validity.NOT_FOUND and not lost):
        context.memory.validity[origin] = validity
    if validity is Validity.INVALID:
        reason = f"the ROAs forbid AS{origin} to originate {context.prefix}: networks that validate drop our route"
    else:
        reason = f"no ROA covers {context.prefix} from AS{origin} any more; one did"
    return Condition(
        kind=NAME,
        subject=f"AS{origin}",
        prefix=context.prefix,
        holds=holds,
        score=_INVALID_SCORE if validity is Validity.INVALID else _LOST_SCORE,
        reasons=(reason,),
        peers=peers,
        asns=peers,
        validity=validity,
    )


DETECTOR: Final = PrefixDetector(NAME, assess, {NAME: Life(clear_s=0.0)})
