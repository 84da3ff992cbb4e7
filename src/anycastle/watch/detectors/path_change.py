"""transit_change and path_length: our prefix is reached by other ways, or longer ones, than usual."""

from collections.abc import Iterable, Sequence
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import OWN_CHANGE_S, PrefixContext, PrefixDetector
from anycastle.watch.view import PeerView, RouteState

TRANSIT: Final = "transit_change"
LENGTH: Final = "path_length"
_SHIFT: Final = 0.30
_SHIFT_OVER: Final = 0.15
_LONGER: Final = 1.5
_LONGER_OVER: Final = 0.75
_ADOPT_S: Final = 7200.0
"""After this time another way is the usual one: the finding is over, having been told."""
_ASES_MIN: Final = 3


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Compare where ASes enter our network, and how far that is, with what is usual."""
    if not context.watched.announced:
        return ()
    paths = _paths(context.survey.holders, context)
    if len(paths) < max(_ASES_MIN, context.needed.asns):
        return ()
    return (_transit(context, paths), _length(context, paths))


def _paths(holders: Sequence[tuple[PeerView, RouteState]], context: PrefixContext) -> dict[ASN, tuple[ASN, ...]]:
    """Give one path for each AS that holds a route of an allowed origin: its first peer's."""
    paths: dict[ASN, tuple[ASN, ...]] = {}
    for view, state in holders:
        if len(state.hops) > 1 and all(origin in context.watched.origins for origin in state.origins):
            paths.setdefault(view.peer.asn, state.hops)
    return paths


def _transit(context: PrefixContext, paths: dict[ASN, tuple[ASN, ...]]) -> Condition:
    memory = context.memory
    share: dict[ASN, float] = {}
    for hops in paths.values():
        share[hops[-2]] = share.get(hops[-2], 0.0) + 1 / len(paths)
    if memory.transit is None or context.learning:
        memory.transit = share
    usual = memory.transit
    moved = {asn: share.get(asn, 0.0) - usual.get(asn, 0.0) for asn in sorted(share.keys() | usual.keys())}
    most = max(moved, key=lambda asn: moved[asn])
    holds = True if moved[most] >= _SHIFT else False if moved[most] <= _SHIFT_OVER else None
    memory.transit_since = _since(memory.transit_since, holds, context.now)
    if _adopted(memory.transit_since, context.now):
        memory.transit, memory.transit_since, holds = share, None, False
    reasons = tuple(
        f"AS{asn}: {share.get(asn, 0.0):.0%} of ASes come in through it; {usual.get(asn, 0.0):.0%} are usual"
        for asn in moved
        if abs(moved[asn]) >= _SHIFT_OVER
    )
    return _condition(context, TRANSIT, holds, reasons, len(paths))


def _length(context: PrefixContext, paths: dict[ASN, tuple[ASN, ...]]) -> Condition:
    memory = context.memory
    lengths = sorted(len(hops) for hops in paths.values())
    middle = len(lengths) // 2
    median = float(lengths[middle]) if len(lengths) % 2 else (lengths[middle - 1] + lengths[middle]) / 2
    if memory.length is None or context.learning:
        memory.length = median
    longer = median - memory.length
    holds = True if longer >= _LONGER else False if longer <= _LONGER_OVER else None
    memory.length_since = _since(memory.length_since, holds, context.now)
    reasons = (f"the median path has {median:g} networks; {memory.length:g} are usual",)
    if longer < 0 or _adopted(memory.length_since, context.now):
        memory.length, memory.length_since, holds = median, None, False
    return _condition(context, LENGTH, holds, reasons, len(paths))


def _since(since: Timestamp | None, holds: bool | None, now: Timestamp) -> Timestamp | None:
    if holds is False:
        return None
    return now if since is None and holds else since


def _adopted(since: Timestamp | None, now: Timestamp) -> bool:
    return since is not None and now - since >= _ADOPT_S


def _condition(context: PrefixContext, kind: str, holds: bool | None, reasons: tuple[str, ...], ases: int) -> Condition:
    own = context.own.last_change
    explained = own is not None and context.now - own <= OWN_CHANGE_S
    if explained:
        reasons = (*reasons, f"after a change of our own: {context.own.last_text}")
    return Condition(
        kind=kind,
        subject=str(context.prefix),
        prefix=context.prefix,
        holds=holds,
        score=20 if explained else 40,
        reasons=reasons,
        peers=ases,
        asns=ases,
        collectors=len({view.peer.collector for view, _ in context.survey.holders}),
    )


DETECTOR: Final = PrefixDetector(
    "path_change",
    assess,
    {TRANSIT: Life(confirm_s=120.0, clear_s=120.0), LENGTH: Life(confirm_s=120.0, clear_s=120.0)},
)
"""Two minutes outlast the path hunting after a usual change (practice, M2)."""
