"""PLN009: every announcement of the plan, and every mitigation that it approves, is valid by the RPKI."""

from collections.abc import Iterator

from anycastle.model.rpki import Validity
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.difference import ChangeKind
from anycastle.rollout.finding import PlanFinding, Severity


def roa(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the prefixes that the files announce and no ROA, or another's, covers; and so of mitigations."""
    validity = seen.evidence.validity
    if validity is None:
        return
    fresh = {change.key.prefix for change in seen.difference.changes if change.kind is ChangeKind.ADDED}
    origin = f"AS{seen.intent.fleet.asn}"
    for prefix in sorted({key.prefix for key in seen.intent.routes}):
        found = validity.get(prefix)
        if found is Validity.INVALID:
            severity = Severity.ERROR if prefix in fresh else Severity.WARNING
            text = f"from {origin} it is invalid by the RPKI: networks that validate drop it"
            yield PlanFinding("PLN009", severity, str(prefix), text)
        elif found is Validity.NOT_FOUND and prefix in fresh:
            yield PlanFinding("PLN009", Severity.WARNING, str(prefix), f"from {origin} it is covered by no ROA")
    for prefix in sorted({each for service in seen.changed() for each in service.mitigations}):
        if validity.get(prefix) is not Validity.VALID:
            text = f"no ROA makes it valid from {origin}: it could not be announced against a hijack"
            yield PlanFinding("PLN009", Severity.WARNING, str(prefix), text)
