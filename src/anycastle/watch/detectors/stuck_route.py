"""stuck_route: some still hold a route that is gone; traffic there goes nowhere. After 90 minutes it is a zombie."""

from collections.abc import Iterable
from typing import Final

from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.detectors.flap import common_hop

NAME: Final = "stuck_route"
STUCK_S: Final = 900.0
"""Path hunting is over by then, everywhere (practice, F3)."""
ZOMBIE_S: Final = 5400.0
"""The age from which research calls a route a zombie (practice, M2)."""
_GONE_BELOW: Final = 0.10
_BACK_FROM: Final = 0.50


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Look for holders of a prefix that we withdrew everywhere, or that nearly all ASes have lost."""
    memory, visibility = context.memory, context.survey.visibility
    holders = context.survey.holders
    withdrawn = context.withdrawn_everywhere
    gone = withdrawn or (bool(visibility.able) and visibility.share <= _GONE_BELOW)
    back = not withdrawn and visibility.share >= _BACK_FROM
    if back:
        memory.gone_since = None
    elif gone and memory.gone_since is None:
        memory.gone_since = context.own.last_withdrawal if withdrawn else context.now
    since = memory.gone_since
    age_s = 0.0 if since is None else context.now - since
    stuck = age_s >= STUCK_S and bool(holders)
    zombie = age_s >= ZOMBIE_S
    keeper = common_hop([state for _, state in holders]) if holders else None
    reasons = [f"{len(holders)} peers hold {context.prefix} {age_s / 60:.0f} minutes after it was gone"]
    if keeper is not None:
        reasons.append(f"all of them through AS{keeper}")
    if zombie:
        reasons.append("older than 90 minutes: a zombie, which only that network can remove")
    yield Condition(
        kind=NAME,
        subject=str(context.prefix),
        prefix=context.prefix,
        holds=stuck,
        score=70 if zombie else 45,
        reasons=tuple(reasons),
        evidence=tuple(
            f"{state.changed:.3f} {context.prefix} {view.peer} path {state.path}" for view, state in holders[:8]
        ),
        peers=len(holders),
        asns=len({view.peer.asn for view, _ in holders}),
        collectors=len({view.peer.collector for view, _ in holders}),
    )


DETECTOR: Final = PrefixDetector(NAME, assess, {NAME: Life(clear_s=0.0)})
