"""IRR012: route objects and the RPKI say the same.

Registries that run IRRd with RPKI validation hide objects that are invalid: an announcement then has no object any
more, for those who ask there.
"""

from collections.abc import Iterator

from anycastle.model.rpki import Validity
from anycastle.watch.irr.finding import AuditInput, IRRFinding, own_space


def rpki(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give the objects within our space that the VRPs make invalid."""
    if seen.vrps is None:
        return
    announced = {(route.prefix, route.origin) for route in seen.planned if route.announced}
    space = own_space(seen.fleet)
    for each in seen.view.routes:
        if not any(prefix.contains(each.prefix) for prefix in space):
            continue
        if seen.vrps.validity(each.prefix, each.origin) is Validity.INVALID:
            against = tuple(map(str, seen.vrps.covering(each.prefix)))
            severity = "error" if (each.prefix, each.origin) in announced else "warning"
            text = f"{each} is invalid against {', '.join(against[:3])}"
            yield IRRFinding("IRR012", severity, str(each.prefix), text, against)
