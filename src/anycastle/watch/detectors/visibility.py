"""visibility_loss, partial_visibility and own_withdrawal: who should see a prefix and does not.

Theory of operation. Visibility is the share of ASes that hold the prefix among those able to (`watch.view`). What is
usual rises at once and sinks slowly, so that a lasting drop stays a drop for days. A loss is when hardly anybody sees
the prefix any more; partial visibility, when clearly fewer than usual do, when a whole collector's peers do not, or
when half of a region's peers that usually do, do not: few enough to be lost in the whole. Before either is said, our
own acts are asked: an absence in our own withdrawal, drain or maintenance is named after that, and is nobody's attack.
"""

from collections.abc import Iterable
from typing import Final

from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.view import Visibility

LOSS: Final = "visibility_loss"
PARTIAL: Final = "partial_visibility"
OWN: Final = "own_withdrawal"
_LOST_BELOW: Final = 0.10
_FOUND_FROM: Final = 0.50
_DROP: Final = 0.10
_DROP_OVER: Final = 0.05
_USUAL_AT_START: Final = 1.0
_HALF_LIFE_S: Final = 86_400.0
"""What is usual sinks towards what is seen by half in a day, so that a drop over a weekend is still one on Monday."""
_COLLECTOR_MIN: Final = 3
"""ASes of a collector below which its silence says nothing of a region."""
_REGION_DROP: Final = 0.5
_REGION_DROP_OVER: Final = 0.25
_EVIDENCE_MAX: Final = 20


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Compare who sees the prefix with who usually does."""
    if not context.watched.announced:
        return ()
    visibility = context.survey.visibility
    if not visibility.able:
        return ()  # nobody is able to say, which is no loss
    usual = _usual(context, visibility)
    lost, partial = _lost(context, visibility), _partial(context, visibility, usual)
    own = context.own_doing()
    if own is None:
        conditions = (_condition(context, OWN, False, ()), _loss(context, lost), _part(context, partial, usual, lost))
    else:
        absent = True if lost or partial else False if lost is False and partial is False else None
        conditions = (
            _condition(context, OWN, absent, (own,), score=20),
            _condition(context, LOSS, _held_over(context, LOSS, lost), ()),
            _condition(context, PARTIAL, _held_over(context, PARTIAL, partial), ()),
        )
    _learn(context, visibility, usual)
    return conditions


def _usual(context: PrefixContext, visibility: Visibility) -> float:
    usual = context.memory.usual_share
    if usual is None:
        usual = _USUAL_AT_START if context.memory.seeded else visibility.share
    return max(usual, visibility.share)


def _learn(context: PrefixContext, visibility: Visibility, usual: float) -> None:
    memory = context.memory
    passed_s = 0.0 if memory.usual_at is None else context.now - memory.usual_at
    sunk = 0.5 ** (passed_s / _HALF_LIFE_S)
    memory.usual_share = visibility.share + (usual - visibility.share) * sunk
    for name, before in _usual_by_region(context).items():
        share = context.survey.by_region[name].share
        memory.usual_by_region[name] = share + (before - share) * sunk
    memory.usual_at = context.now


def _lost(context: PrefixContext, visibility: Visibility) -> bool | None:
    enough = len(visibility.missing) >= context.needed.asns
    if visibility.share <= _LOST_BELOW and enough:
        return True
    return False if visibility.share >= _FOUND_FROM else None


def _partial(context: PrefixContext, visibility: Visibility, usual: float) -> bool | None:
    enough = len(visibility.missing) >= context.needed.asns
    drop = usual - visibility.share
    if enough and (drop >= _DROP or _blind_collectors(context) or _lost_regions(context, _REGION_DROP)):
        return True
    whole = drop <= _DROP_OVER and not _blind_collectors(context) and not _lost_regions(context, _REGION_DROP_OVER)
    return False if whole else None


def _lost_regions(context: PrefixContext, drop: float) -> list[tuple[str, Visibility, float]]:
    """Give the regions of which at least that share more than usual does not see the prefix, with what is usual."""
    usual = _usual_by_region(context)
    return [
        (name, each, usual[name])
        for name, each in sorted(context.survey.by_region.items())
        if each.able >= _COLLECTOR_MIN and usual[name] - each.share >= drop
    ]


def _usual_by_region(context: PrefixContext) -> dict[str, float]:
    """Give region -> the share that usually sees the prefix; for one that is new, as at the start."""
    memory = context.memory
    start = _USUAL_AT_START if memory.seeded else 0.0
    return {
        name: max(memory.usual_by_region.get(name, start), each.share)
        for name, each in context.survey.by_region.items()
    }


def _blind_collectors(context: PrefixContext) -> list[tuple[str, int]]:
    """Give the collectors of which no AS sees the prefix, with how many those are."""
    seen = context.survey.by_collector.items()
    return sorted((name, each.able) for name, each in seen if each.able >= _COLLECTOR_MIN and not each.holding)


def _held_over(context: PrefixContext, kind: str, holds: bool | None) -> bool | None:
    """Keep a loss open that is older than our own act; begin none."""
    return holds if context.is_open(kind, subject_of(context)) else False


def subject_of(context: PrefixContext) -> str:
    """Name what is concerned: the service and the family, so that a service's loss is one finding; else the prefix."""
    services = context.watched.services
    return f"{'+'.join(services)} {context.prefix.family}" if services else str(context.prefix)


def _loss(context: PrefixContext, holds: bool | None) -> Condition:
    visibility = context.survey.visibility
    first = f"{len(visibility.missing)} of {visibility.able} ASes do not see {context.prefix} any more"
    return _condition(context, LOSS, holds, (first, "no act of our own explains it"), score=90)


def _part(context: PrefixContext, holds: bool | None, usual: float, lost: bool | None) -> Condition:
    if lost:
        return _condition(context, PARTIAL, False, ())  # it is more than that
    visibility = context.survey.visibility
    reasons = [f"{visibility.share:.0%} of {visibility.able} ASes see {context.prefix}; {usual:.0%} are usual"]
    reasons += [f"none of the {able} ASes at {name} sees it" for name, able in _blind_collectors(context)]
    reasons += [
        f"{each.share:.0%} of {each.able} ASes of {name} see it; {before:.0%} are usual"
        for name, each, before in _lost_regions(context, _REGION_DROP)
    ]
    score = 45 + min(30, round(60 * max(0.0, usual - visibility.share)))
    return _condition(context, PARTIAL, holds, tuple(reasons), score=score)


def _condition(
    context: PrefixContext, kind: str, holds: bool | None, reasons: tuple[str, ...], score: int = 0
) -> Condition:
    if not holds:
        return Condition(kind, subject_of(context), context.prefix, holds, score, reasons)
    visibility = context.survey.visibility
    blind = [name for name, each in context.survey.by_collector.items() if each.missing]
    missing = " ".join(f"AS{asn}" for asn in visibility.missing[:_EVIDENCE_MAX])
    return Condition(
        kind=kind,
        subject=subject_of(context),
        prefix=context.prefix,
        holds=holds,
        score=score,
        reasons=reasons,
        evidence=(f"{context.now:.3f} {context.prefix} not seen by {missing}",) if missing else (),
        peers=len(visibility.missing),
        asns=len(visibility.missing),
        collectors=len(blind),
    )


DETECTOR: Final = PrefixDetector(
    "visibility",
    assess,
    {LOSS: Life(confirm_s=10.0, clear_s=30.0), PARTIAL: Life(confirm_s=60.0, clear_s=60.0), OWN: Life(clear_s=30.0)},
)
"""Path hunting takes a prefix away from a peer for some seconds; a partial view settles in a minute (practice, M2)."""
