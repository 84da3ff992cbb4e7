"""Orders that are no rollout: adopt, freeze, break the glass, tell PoPs.

Each gives what is kept after it, and the event that says so. All raise `MisuseError` for what cannot be; then nothing
has changed.
"""

from dataclasses import replace
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.event import ApprovalGiven, FreezeChanged, OperatorCommanded
from anycastle.rollout.composer import Composer
from anycastle.rollout.desired import NOTHING_DESIRED, Desired
from anycastle.rollout.kept import AgentOrder, Frozen, Glass, Kept
from anycastle.rollout.orders import Adopt, AgentOrderKind, BreakGlass, Freeze, OrderAgents, Thaw

ORDERS_OUT_MAX: Final = 1_000
"""Orders that agents have not answered."""

ORDERS_KEPT: Final = 1_000
"""Orders that were answered and are still kept: those of one command at all PoPs. The log has them all."""

GLASS_BROKEN_MAX_S: Final = 24 * 3600.0
"""How long a broken glass may stay so."""


def adopt(kept: Kept, order: Adopt, who: str, composer: Composer) -> tuple[Kept, OperatorCommanded]:
    """Desire the first revision."""
    if kept.desired.revision != NOTHING_DESIRED:
        raise MisuseError("something is desired already: roll the revision out")
    if not composer.knows(order.revision):
        raise MisuseError(f"revision {order.revision} is not known here: upload its folder first")
    event = OperatorCommanded(f"adopt {order.revision}", who, order.reason, granted=True)
    return replace(kept, desired=Desired(order.revision)), event


def freeze(kept: Kept, order: Freeze, who: str, wall: Timestamp) -> tuple[Kept, FreezeChanged]:
    """Let the controller change nothing by itself."""
    if kept.frozen is not None:
        raise MisuseError(f"{kept.frozen.who} froze it already: {kept.frozen.reason}")
    return replace(kept, frozen=Frozen(who, order.reason, wall)), FreezeChanged(True, who, order.reason)


def thaw(kept: Kept, order: Thaw, who: str) -> tuple[Kept, FreezeChanged]:
    """End the freeze."""
    if kept.frozen is None:
        raise MisuseError("nothing is frozen")
    return replace(kept, frozen=None), FreezeChanged(False, who, order.reason)


def ask_for_glass(kept: Kept, order: BreakGlass, who: str, wall: Timestamp) -> tuple[Kept, OperatorCommanded]:
    """Ask for the glass to be broken."""
    if not 0 < order.lasts_s <= GLASS_BROKEN_MAX_S:
        raise MisuseError(
            f"a glass is broken for up to {GLASS_BROKEN_MAX_S:.0f} seconds, and not for {order.lasts_s:g}"
        )
    event = OperatorCommanded("break-glass", who, order.reason, granted=False)
    return replace(kept, glass=Glass(who, order.reason, order.lasts_s, wall)), event


def approve_glass(kept: Kept, who: str, wall: Timestamp) -> tuple[Kept, ApprovalGiven]:
    """Break it, as a second person."""
    glass = kept.glass
    if glass is None or glass.approved_by is not None:
        raise MisuseError("nobody asked to break the glass")
    if who == glass.who:
        raise MisuseError(f"{who} asked for it: a second person must approve")
    broken = replace(glass, approved_by=who, until=Timestamp(wall + glass.lasts_s))
    return replace(kept, glass=broken), ApprovalGiven("break-glass", who, glass.reason)


def order_agents(
    kept: Kept, order: OrderAgents, who: str, wall: Timestamp, composer: Composer
) -> tuple[Kept, OperatorCommanded]:
    """Tell PoPs to drain services, or to end that: an order of its own for each PoP."""
    _require_known(kept, order, composer)
    under_way = [each for each in kept.orders.values() if each.answer is None]
    if len(under_way) + len(order.pops) > ORDERS_OUT_MAX:
        raise MisuseError(f"more than {ORDERS_OUT_MAX} orders are not answered yet")
    if order.kind is AgentOrderKind.DRAIN:
        below = composer.drained_below_floor(order.pops, order.services, kept.desired)
        if below is not None:
            raise MisuseError(below)
    expires = None if order.lasts_s is None else Timestamp(wall + order.lasts_s)
    numbered = enumerate(dict.fromkeys(order.pops), kept.number + 1)
    made = {
        number: AgentOrder(
            number, pop, order.kind, tuple(order.services), who, order.reason, order.soak_s, order.wait_s, expires
        )
        for number, pop in numbered
    }
    text = f"{order.kind.value} {' '.join(order.services)} at {' '.join(order.pops)}"
    event = OperatorCommanded(text, who, order.reason, granted=True)
    return replace(kept, number=max(made), orders={**kept.orders, **made}), event


def answered(kept: Kept, number: int, pop: str, refusal: str | None) -> tuple[Kept, OperatorCommanded] | None:
    """Take what became of an order; None for one that is not waited for."""
    order = kept.orders.get(number)
    if order is None or order.pop != pop or order.answer is not None:
        return None
    orders = {**kept.orders, number: replace(order, answer=refusal or "")}
    old = [each for each, one in sorted(orders.items()) if one.answer is not None][:-ORDERS_KEPT]
    result = "done" if refusal is None else f"refused: {refusal}"
    text = f"{order.kind.value} {' '.join(order.services)} at {pop}: {result}"
    event = OperatorCommanded(text, order.who, order.reason, granted=refusal is None)
    return replace(kept, orders={each: one for each, one in orders.items() if each not in old}), event


def _require_known(kept: Kept, order: OrderAgents, composer: Composer) -> None:
    if not order.pops or not order.services:
        raise MisuseError("an order names its PoPs and its services; an empty list never means all")
    unknown = sorted(set(order.pops).difference(composer.pops(kept.desired)))
    if unknown:
        raise MisuseError(f"there is no PoP {', '.join(unknown)}")
    for pop in order.pops:
        served = composer.served(pop, kept.desired)
        strange = [name for name in order.services if name not in served]
        if strange:
            raise MisuseError(f"{pop} serves no {', '.join(strange)}; it serves: {', '.join(served) or 'nothing'}")
