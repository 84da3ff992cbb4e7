"""private_asn: an ASN that no network on the Internet has stands in the path of our route."""

from typing import Final

from anycastle.model.asn import AS_TRANS, ASN, is_private, is_reserved
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.table import Concern

NAME: Final = "private_asn"
_SCORE: Final = 45
_LOWEST: Final = 64512
"""Below the first private ASN only 0 and AS_TRANS are reserved."""


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect a path with a private or reserved ASN that is not one of our own origins (RFC 6996, RFC 7607)."""
    if context.concerned.concern is Concern.COVERING or not context.watched.announced or context.state.path is None:
        return None
    own = context.intent.own_asns | context.watched.origins
    asns = context.state.path.asns
    leaked = [asn for asn in dict.fromkeys(asns) if _nobodys(asn) and asn not in own]
    if not leaked:
        return None
    keeper = _next_outward(asns, leaked[-1])
    text = ", ".join(f"AS{asn}" for asn in leaked)
    reasons = [f"{text} is for private use or reserved, and stands in the path of {context.concerned.prefix}"]
    if keeper is not None:
        reasons.append(f"AS{keeper} did not remove it; networks that filter such paths do not take the route")
    subject = leaked[-1] if keeper is None else keeper
    return Suspicion(NAME, f"AS{subject}", _SCORE, tuple(reasons))


def _nobodys(asn: ASN) -> bool:
    """Tell whether no network has the ASN; AS_TRANS only says that an old router wrote the path."""
    if 0 < asn < _LOWEST:
        return False
    return is_private(asn) or (is_reserved(asn) and asn != AS_TRANS)


def _next_outward(asns: tuple[ASN, ...], leaked: ASN) -> ASN | None:
    """Give the first public AS on the collector's side of the leaked one."""
    position = len(asns) - 1 - asns[::-1].index(leaked)
    return next((asn for asn in reversed(asns[:position]) if not _nobodys(asn)), None)


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
