"""roa_expiry: the ROA that makes our announcement valid ends soon, and nobody has renewed it.

A VRP ends with the first of the objects that it rests on, mostly a manifest that lasts a day and is made anew each
hour: so hours are what counts here, not days (`watch.roas.EXPIRY_WARNING_S`). Validators' caches do not tell (RFC 8210
has no such field); exports of rpki-client and Routinator do.
"""

from collections.abc import Iterable
from typing import Final

from anycastle.model.asn import ASN
from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.roas import EXPIRY_WARNING_S
from anycastle.watch.validation import Validity

NAME: Final = "roa_expiry"
_RENEWED_S: Final = 2 * EXPIRY_WARNING_S
_CRITICAL_S: Final = 3600.0
"""No VRP of the real export that `EXPIRY_WARNING_S` names was that near its end."""
_SOON_SCORE: Final = 45
_CRITICAL_SCORE: Final = 75


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Look when what makes each allowed origin valid ends; what is not known opens and closes nothing."""
    if not context.watched.announced:
        return
    for origin in sorted(context.watched.origins):
        yield _judge(context, origin)


def _judge(context: PrefixContext, origin: ASN) -> Condition:
    end = context.validation.expiry(context.prefix, origin)
    validity = context.validation.validity(context.prefix, origin)
    left_s = float("inf") if end is None else end - context.now
    if end is None:
        holds = None if validity in (Validity.VALID, Validity.UNKNOWN) else False
    elif left_s < EXPIRY_WARNING_S:
        holds = True
    else:
        holds = False if left_s >= _RENEWED_S else None
    minutes = 0.0 if end is None else left_s / 60
    text = f"expires in {minutes:.0f} min" if minutes > 0 else f"expired {-minutes:.0f} min ago"
    return Condition(
        kind=NAME,
        subject=f"AS{origin}",
        prefix=context.prefix,
        holds=holds,
        score=_CRITICAL_SCORE if left_s < _CRITICAL_S else _SOON_SCORE,
        reasons=(f"the last ROA that makes {context.prefix} from AS{origin} valid {text}, and was not renewed",),
        validity=validity,
    )


DETECTOR: Final = PrefixDetector(NAME, assess, {NAME: Life(clear_s=0.0)})
