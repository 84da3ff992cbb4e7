"""flap: a prefix comes and goes, or changes its path, again and again; and who is behind it."""

from collections.abc import Iterable, Sequence
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.path import hops_of
from anycastle.watch.view import PeerView, RouteState

NAME: Final = "flap"
WINDOW_S: Final = 900.0
CHANGES_MIN: Final = 6
"""Changes in the window from which a peer's route flaps: one event makes two or three while paths are hunted."""
_SCORE: Final = 40


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Count changes at each peer in the window; many peers, and the AS that all of their paths go through."""
    flapping = [
        (view, state, count)
        for view, state in context.survey.states
        if (count := changes_in(state, context.now)) >= CHANGES_MIN
    ]
    asns = {view.peer.asn for view, _, _ in flapping}
    enough = len(flapping) >= context.needed.peers and len(asns) >= context.needed.asns
    few = 2 * len(flapping) < context.needed.peers or not flapping
    holds = True if enough else False if few else None
    culprit = common_hop([state for _, state, _ in flapping]) if flapping else None
    who = "nobody in particular" if culprit is None else f"AS{culprit}"
    most = sorted(flapping, key=lambda each: (-each[2], each[0].peer))[:8]
    yield Condition(
        kind=NAME,
        subject=str(context.prefix),
        prefix=context.prefix,
        holds=holds,
        score=_SCORE,
        reasons=(
            f"{len(flapping)} peers saw it change {CHANGES_MIN} times or more in {WINDOW_S / 60:.0f} minutes",
            f"all their paths go through {who}",
        ),
        evidence=tuple(f"{view.peer}: {count} changes since {context.now - WINDOW_S:.0f}" for view, _, count in most),
        peers=len(flapping),
        asns=len(asns),
        collectors=len({view.peer.collector for view, _, _ in flapping}),
    )


def changes_in(state: RouteState, now: Timestamp) -> int:
    """Give how often a route changed in the window that ends now."""
    return sum(1 for change in state.history if change.at > now - WINDOW_S)


def common_hop(states: Sequence[RouteState]) -> ASN | None:
    """Give the AS farthest from the origin that all paths share, counted from the origin; None where none does."""
    paths = [hops for state in states if (hops := _last_hops(state))]
    common: ASN | None = None
    for step in zip(*(reversed(hops) for hops in paths), strict=False):
        if len(set(step)) != 1:
            break
        common = step[0]
    return common


def _last_hops(state: RouteState) -> tuple[ASN, ...]:
    """Give the path that a peer holds, or held last."""
    if state.path is not None:
        return state.hops
    return next((hops_of(change.path) for change in reversed(state.history) if change.path is not None), ())


def flapping_peers(states: Iterable[tuple[PeerView, RouteState]], now: Timestamp) -> list[tuple[str, int]]:
    """Give each flapping peer with its changes, for whoever asks."""
    counted = ((str(view.peer), changes_in(state, now)) for view, state in states)
    return [(peer, count) for peer, count in counted if count >= CHANGES_MIN]


DETECTOR: Final = PrefixDetector(NAME, assess, {NAME: Life(clear_s=300.0)})
