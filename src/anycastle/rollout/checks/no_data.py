"""PLN015: a check had nothing to look at. No data is not a pass."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity, bounded


def no_data(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give what was not checked, and what would let it be."""
    evidence = seen.evidence
    subject = seen.intent.fleet.name
    lacking = []
    if evidence.validity is None:
        lacking.append("ROAs were not checked: no RPKI data were given (--vrps)")
    if evidence.registered is None and (seen.fresh_prefixes() or seen.approved_mitigations()):
        lacking.append("route objects were not checked: no registry was given (--irr-server, --irr-file)")
    if evidence.foreseen is None:
        lacking.append("capacity was not checked: no graph was given (--graph), so no shift is predicted")
    elif any(pop.load is None for shift in evidence.foreseen for pop in shift.pops):
        lacking.append("capacity was not checked: no offered load was given (--load)")
    if evidence.heard_from is None:
        lacking.append("who would see it from outside was not checked: no catchments were given (--catchments)")
    if seen.extent.capacity is None:
        lacking.append("the share of capacity that a step touches was not checked: not all PoPs state theirs")
    for text in lacking if seen.difference.changes else ():
        yield PlanFinding("PLN015", Severity.NOTICE, subject, text)
    undefined = seen.difference.undefined
    if undefined:
        text = f"checks, floors and the like were not compared: {_agents(undefined)} too old to say theirs"
        yield PlanFinding("PLN015", Severity.NOTICE, subject, text, bounded(list(undefined)))


def _agents(pops: tuple[str, ...]) -> str:
    return f"the agent of {pops[0]} is" if len(pops) == 1 else f"{len(pops)} agents are"
