"""PLN007: a router announces what nobody of ours told it. A plan never overwrites a human's edit."""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.difference import Drift, attribute_texts
from anycastle.rollout.finding import PlanFinding, Severity


def human_edit(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the drifts: errors at PoPs and upstreams that the plan changes, warnings elsewhere."""
    changed = {(change.key.pop, change.key.upstream) for change in seen.difference.changes}
    for drift in seen.difference.drifts:
        there = (drift.key.pop, drift.key.upstream) in changed
        severity = Severity.ERROR if there else Severity.WARNING
        advice = "; put it into the files or undo it on the router first" if there else ""
        text = f"the router announces it otherwise than it was told{advice}"
        yield PlanFinding("PLN007", severity, str(drift.key), text, said(drift))


def said(drift: Drift) -> tuple[str, ...]:
    """Give what each voice says of a route that drifted."""
    voices = (("router", drift.exported), ("agent", drift.told), ("files", drift.intended))
    return tuple(
        f"{who}: " + ("not announced" if told is None else ", ".join(f"{name} {text}" for name, text in texts))
        for who, told in voices
        for texts in [() if told is None else attribute_texts(told)]
    )
