"""Plans for people: `+ ~ -` lines, what health explains, drift, the shift, the checks, the steps."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from anycastle.cli.output import counted, styled
from anycastle.rollout.checks.human_edit import said
from anycastle.rollout.difference import Change, ChangeKind, Difference, attribute_texts
from anycastle.rollout.finding import PlanFinding
from anycastle.rollout.foreseen import ForeseenShift
from anycastle.rollout.staging import Step

if TYPE_CHECKING:
    from anycastle.model.announcement import RouteAttributes
    from anycastle.rollout.plan import Plan

_COLOURS: Final = {ChangeKind.ADDED: "green", ChangeKind.CHANGED: "yellow", ChangeKind.WITHDRAWN: "red"}
_DONE: Final = {ChangeKind.ADDED: "to add", ChangeKind.CHANGED: "to change", ChangeKind.WITHDRAWN: "to withdraw"}
_GRAVE: Final = {"error": "red", "warning": "yellow", "notice": None}


def plan_lines(plan: "Plan") -> Iterator[str]:
    """Give a plan as lines."""
    folder = plan.basis.folder
    git = (
        "no git revision" if folder.commit is None else f"git {folder.commit[:12]}{' and more' if folder.dirty else ''}"
    )
    yield f"plan for {plan.fleet}: files {folder.digest} ({git}), live {plan.basis.live}"
    yield from difference_lines(plan.difference)
    yield from drift_lines(plan.difference)
    if plan.difference.changes:
        yield from _shift_lines(plan.foreseen)
    yield from _finding_lines(plan.findings)
    yield from _step_lines(plan.steps)
    yield ""
    yield verdict(plan)


def verdict(plan: "Plan") -> str:
    """Give the line that says how many routes change, and whether a check refuses it."""
    changed = Counter(change.kind for change in plan.difference.changes)
    parts = [f"{changed[kind]} {words}" for kind, words in _DONE.items()] if changed else []
    if plan.difference.definitions:
        parts.append(f"{counted(len(plan.difference.definitions), 'definition')} to change")
    what = ", ".join(parts) or "nothing to change"
    errors = sum(finding.severity.value == "error" for finding in plan.findings)
    if errors:
        return styled(f"{what}: refused, {counted(errors, 'error')}", bold=True)
    return styled(f"{what}, in {counted(len(plan.steps), 'step')}" if parts else what, bold=True)


def difference_lines(difference: Difference) -> Iterator[str]:
    """Give what changes, and what health explains."""
    if not difference.empty:
        yield ""
    for change in difference.changes:
        yield styled(_change_line(change), fg=_COLOURS[change.kind])
    for each in difference.definitions:
        line = f"{ChangeKind.CHANGED.value} {each.service} {each.pop}: its {', '.join(each.parts)}"
        yield styled(line, fg=_COLOURS[ChangeKind.CHANGED])
    explained = Counter((each.service, each.key.pop, each.why) for each in difference.explained)
    if explained:
        yield from ("", "not as usual, and explained by health:")
    for (service, pop, why), count in explained.items():
        yield f"  {service} at {pop}: {why} ({_routes(count)})"


def drift_lines(difference: Difference) -> Iterator[str]:
    """Give what routers announce that nobody of ours told them."""
    if difference.drifts:
        yield from ("", "drift, announced otherwise than the agent told the router:")
    for drift in difference.drifts:
        yield f"  {drift.service} {drift.key}"
        yield from (f"    {line}" for line in said(drift))


def _change_line(change: Change) -> str:
    line = f"{change.kind.value} {change.service} {change.key}"
    if change.kind is ChangeKind.CHANGED:
        told = ", ".join(f"{each.name} {each.before} -> {each.after}" for each in change.attributes)
    else:
        told = _set(change.after or change.before)
    return f"{line}: {told}" if told else line


def _set(attributes: "RouteAttributes | None") -> str:
    """Give the attributes that are set."""
    listed = () if attributes is None else attribute_texts(attributes)
    return ", ".join(f"{name} {text}" for name, text in listed if text not in ("0", "-"))


def _shift_lines(foreseen: tuple[ForeseenShift, ...] | None) -> Iterator[str]:
    yield ""
    if foreseen is None:
        yield "predicted shift: not known, no --graph was given"
    elif not foreseen:
        yield "predicted shift: none could be predicted"
    for shift in foreseen or ():
        yield f"predicted shift of {shift.service} {shift.prefix}, {shift.graph}:"
        yield from (f"  {line}" for line in _shift_table(shift))
        yield (
            f"  {_percent(shift.moved)} of users move, {_percent(shift.moved_though_kept)} though both their PoPs "
            f"announce as before ({shift.ases_moved_though_kept:,.0f} ASes); in doubt {_percent(shift.doubt)}"
        )


def _shift_table(shift: ForeseenShift) -> Iterator[str]:
    from anycastle.cli.twin_fleet_input import amount

    loaded = any(pop.load is not None for pop in shift.pops)
    rows = [("POP", "NOW", "AFTER", "CHANGE", *(("LOAD",) if loaded else ()), "CAPACITY")]
    for pop in shift.pops:
        change = f"{100 * (pop.after - pop.now):+.1f}"
        cells = (pop.name, _percent(pop.now), _percent(pop.after), "0.0" if change in ("+0.0", "-0.0") else change)
        rows.append((*cells, *((amount(pop.load),) if loaded else ()), amount(pop.capacity)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _finding_lines(findings: Iterable[PlanFinding]) -> Iterator[str]:
    listed = tuple(findings)
    if listed:
        yield from ("", "checks:")
    for finding in listed:
        word = finding.severity.value
        yield f"  {styled(word, fg=_GRAVE[word])} {finding.code} {finding.subject}: {finding.text}"


def _step_lines(steps: Iterable[Step]) -> Iterator[str]:
    listed = tuple(steps)
    if listed:
        yield from ("", "steps:")
    for step in listed:
        via = f" via {', '.join(step.upstreams)}" if step.upstreams else ""
        counts = [_routes(len(step.changes))] if step.changes else []
        counts += [counted(len(step.definitions), "definition")] if step.definitions else []
        yield f"  {step.number} {step.kind.value}: {', '.join(step.pops)}{via} ({', '.join(counts)})"


def _routes(count: int) -> str:
    return "1 route" if count == 1 else f"{count} routes"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
