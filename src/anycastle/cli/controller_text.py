"""How a controller stands, as an operator reads it: who leads, what holds, what is open, which PoPs are there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from anycastle.cli.output import Table, one_line
from anycastle.cli.rollout_text import ENDED, cause_of, state_of, step_of
from anycastle.cli.when import moment, span

Told = Mapping[str, Any]

ANSWERED_SHOWN: Final = 20
"""Orders that were answered, in the table; `-o json` has all that are kept."""


def summary(told: Told, wall: float) -> Iterator[str]:
    """Give the lines above the tables; `wall` is the present time."""
    leads = f"leads by term {told['term']}" if told["leads"] else "does not lead"
    yield f"{told['address']} {leads}; desired: {told['desired']['revision'] or 'nothing yet'}"
    frozen, glass = told["frozen"], told["break_glass"]
    if frozen is not None:
        yield f"frozen since {moment(frozen['since'])} by {one_line(frozen['who'])}: {one_line(frozen['reason'])}"
    if glass is not None and glass["approved_by"] is None:
        yield f"{one_line(glass['who'])} asks to break the glass: {one_line(glass['reason'])}"
    elif glass is not None and glass["until"] > wall:
        people = one_line(f"{glass['who']} and {glass['approved_by']}")
        yield f"the glass is broken until {moment(glass['until'])} by {people}: {one_line(glass['reason'])}"
    for each in told["rollouts"]:
        if each["state"] not in ENDED:
            cause = cause_of(each)
            since = span(wall - each["since"])
            yield f"rollout {each['number']}: {state_of(each)} for {since}, step {step_of(each)}" + (
                f", {cause}" if cause else ""
            )


def agents_table(agents: Mapping[str, Told]) -> Table:
    """Give the PoPs with what is known of their agents."""
    rows = [
        (
            pop,
            "connected" if seen["connected"] else "away",
            moment(seen["since"]),
            (seen["assignment"] or "its files")[:12],
            one_line(seen["refused"] or seen["unsettled"] or ""),
        )
        for pop, seen in agents.items()
    ]
    return Table(("pop", "agent", "since", "lives by", "trouble"), rows)


def orders_table(orders: Sequence[Told]) -> Table:
    """Give the orders that wait for an answer, and the last that were answered."""
    answered = [each["number"] for each in orders if each["answer"] is not None][-ANSWERED_SHOWN:]
    rows = [
        (
            str(each["number"]), each["pop"], f"{each['kind']} {' '.join(each['services'])}", one_line(each["who"]),
            one_line(each["reason"]), answer_of(each),
        )
        for each in orders
        if each["answer"] is None or each["number"] in answered
    ]  # fmt: skip
    return Table(("order", "pop", "what", "who", "reason", "answer"), rows)


def answer_of(order: Told) -> str:
    """Give what a PoP said to an order."""
    match order["answer"]:
        case None:
            return "not answered yet"
        case "":
            return "done"
        case refusal:
            return f"refused: {one_line(refusal)}"
