"""PLN017: every prefix that is new, and every mitigation that it approves, has a route object of our own.

Upstreams build their filters of registries' objects, most of them once a day: one that is made after the announcement
comes a day too late, and one for a mitigation after the hijack.
"""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity


def irr(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the prefixes that upstreams which filter by registries would drop."""
    registered = seen.evidence.registered
    if registered is None:
        return
    origin = f"AS{seen.intent.fleet.asn}"
    for prefix in sorted(seen.fresh_prefixes() - registered):
        text = f"no registry has a route object from {origin}: upstreams that filter by registries drop it"
        yield PlanFinding("PLN017", Severity.WARNING, str(prefix), text)
    for prefix in sorted(seen.approved_mitigations() - registered):
        text = f"no registry has a route object from {origin}: upstreams may drop it in the hijack that it is for"
        yield PlanFinding("PLN017", Severity.WARNING, str(prefix), text)
