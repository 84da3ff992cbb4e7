"""A rollout as an operator reads it: where it is, since when, what it waits for, and what can be done about it.

A rollout is given as the controller's status tells it (`io.controller_json.rollout_plain`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from anycastle.cli.output import Table, counted, one_line
from anycastle.cli.when import moment, span

Told = Mapping[str, Any]

ENDED: Final = frozenset({"finished", "rolled back", "aborted"})

POPS_SHOWN: Final = 8
"""PoPs of a step that are named in a table; `-o json` has them all."""


def state_of(rollout: Told) -> str:
    """Give the state, and who holds it."""
    return f"{rollout['state']}, paused by {rollout['paused_by']}" if rollout["paused_by"] else str(rollout["state"])


def step_of(rollout: Told) -> str:
    """Give the step of all steps; steps count from 1, and 0 is before the first."""
    return f"{rollout['step']} of {len(rollout['steps'])}"


def cause_of(rollout: Told) -> str:
    """Give what it waits for, or else why it is where it is."""
    return one_line(f"waits for {rollout['waits_for']}" if rollout["waits_for"] else rollout["why"])


def list_table(rollouts: Sequence[Told]) -> Table:
    """Give all rollouts, the newest last: it is the nearest to the prompt."""
    rows = [
        (
            str(each["number"]), state_of(each), step_of(each), moment(each["since"]), one_line(each["who"]),
            one_line(each["reason"]), cause_of(each),
        )
        for each in rollouts
    ]  # fmt: skip
    return Table(("rollout", "state", "step", "since", "who", "reason", "waits for, or why"), rows)


def heading(rollout: Told, wall: float) -> Iterator[str]:
    """Give the lines above a rollout's steps; `wall` is the present time."""
    for_long = "" if rollout["state"] in ENDED else f", for {span(wall - rollout['since'])}"
    yield f"rollout {rollout['number']}: {state_of(rollout)}, step {step_of(rollout)}"
    yield f"  since      {moment(rollout['since'])}{for_long}"
    if rollout["waits_for"]:
        yield f"  waits for  {one_line(rollout['waits_for'])}"
    if rollout["why"]:
        yield f"  why        {one_line(rollout['why'])}"
    approved = f", approved by {rollout['approved_by']}" if rollout["approved_by"] else ""
    yield f"  ordered    by {one_line(rollout['who'] + approved)}: {one_line(rollout['reason'])}"
    yield f"  revision   {rollout['revision']}"
    yield f"  changes    {', '.join(rollout['prefixes']) or 'no prefix'}"
    policy = rollout["policy"]
    gates = ", ".join(policy["gates"]) or "none"
    yield f"  policy     bakes {span(policy['bake_s'])}, patience {span(policy['patience_s'])}, gates: {gates}"
    yield ""


def steps_table(rollout: Told) -> Table:
    """Give the steps, how each stands, and its PoPs."""
    rows = [
        (str(step["number"]), stand_of(rollout, step["number"]), counted(step["units"], "unit"), _some(step["pops"]))
        for step in rollout["steps"]
    ]
    return Table(("step", "stands", "changes", "pops"), rows)


def stand_of(rollout: Told, number: int) -> str:
    """Give how one step stands."""
    state, entered = rollout["state"], number <= rollout["step"]
    match state:
        case "applying" | "baking" if number == rollout["step"]:
            return str(state)
        case "rolling back":
            return "goes back next" if number == rollout["step"] else "to go back" if entered else "is as before"
        case "rolled back" | "aborted":
            return "is as before"
        case _:
            return "done" if entered else "to come"


def ways_on(rollout: Told) -> str:
    """Give the commands that make sense now; none once it has ended."""
    number, state = rollout["number"], rollout["state"]
    if state in ENDED:
        return ""
    ways = ["resume" if rollout["paused_by"] else "pause"]
    if state == "waiting" and rollout["marks"] and not rollout["approved_by"]:
        ways.insert(0, "approve")
    if state == "baking":
        ways.append("promote")
    if state != "rolling back":
        ways.append("abort")
    return "next: " + ", ".join(f"anycastle rollout {way} {number}" for way in ways)


def _some(pops: Sequence[str]) -> str:
    more = len(pops) - POPS_SHOWN
    return ", ".join(pops[:POPS_SHOWN]) + (f" and {more} more" if more > 0 else "")
