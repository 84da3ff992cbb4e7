"""policy_ignored: what we told an upstream to do with a prefix, and what the paths show.

Theory of operation. Of each upstream, by its ASN, the paths through it are those in which it stands next to our
origin. Prepends show in every one of them, so they are honoured or ignored. A community shows only if it is passed
on: seen on a path it was taken in; an upstream that removes it proves nothing. NO_EXPORT is told by its effect: no
path may go on beyond the upstream. So a verdict is *honoured*, *ignored*, or *inconclusive*, never a guess.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN, NO_ADVERTISE, NO_EXPORT
from anycastle.watch.claim import Condition, Life
from anycastle.watch.detectors.contract import PrefixContext, PrefixDetector
from anycastle.watch.intent import Told
from anycastle.watch.path import origin_prepends
from anycastle.watch.view import PeerView, RouteState

NAME: Final = "policy_ignored"
_SCORE: Final = 50
_BEYOND: Final = frozenset({NO_EXPORT, NO_ADVERTISE})


class Compliance(Enum):
    """What the paths show of one instruction."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One instruction to one upstream, and what became of it. `paths` is how many were looked at."""

    upstream: ASN
    instruction: str
    compliance: Compliance
    paths: int
    shown: str


def assess(context: PrefixContext) -> Iterable[Condition]:
    """Find the upstreams that ignore what they were told."""
    if not context.watched.announced:
        return
    ignored: dict[ASN, list[Verdict]] = {}
    for verdict in verdicts(context):
        ignored.setdefault(verdict.upstream, [])
        if verdict.compliance is Compliance.IGNORED:
            ignored[verdict.upstream].append(verdict)
    for upstream, found in ignored.items():
        paths = max((verdict.paths for verdict in found), default=0)
        yield Condition(
            kind=NAME,
            subject=f"AS{upstream}",
            prefix=context.prefix,
            holds=bool(found),
            score=_SCORE,
            reasons=tuple(f"AS{upstream} was told {each.instruction}; {each.shown}" for each in found),
            peers=paths,
            asns=paths,
        )


def verdicts(context: PrefixContext) -> Iterator[Verdict]:
    """Give what the paths show of every instruction, upstream by upstream."""
    by_asn: dict[ASN, list[Told]] = {}
    for told in context.watched.told:
        by_asn.setdefault(told.asn, []).append(told)
    for asn, all_told in by_asn.items():
        through = [
            (view, state)
            for view, state in context.survey.holders
            if len(state.hops) > 1 and state.hops[-2] == asn and state.origins[0] in context.watched.origins
        ]
        enough = len({view.peer.asn for view, _ in through}) >= context.needed.asns
        yield _prepends(asn, all_told, through, enough=enough)
        yield from _communities(asn, all_told, through, enough=enough)


Through = list[tuple[PeerView, RouteState]]


def _prepends(asn: ASN, told: list[Told], through: Through, *, enough: bool) -> Verdict:
    """Compare how often our ASN stands in the paths with how often each PoP said so."""
    wanted = {each.prepend + 1 for each in told}
    text = f"to prepend {' or '.join(str(times - 1) for times in sorted(wanted))} times"
    shown: dict[int, int] = {}
    for _, state in through:
        if state.path is not None:
            times = origin_prepends(state.path)
            shown[times] = shown.get(times, 0) + 1
    other = {times: count for times, count in shown.items() if times not in wanted}
    if not enough:
        return Verdict(asn, text, Compliance.INCONCLUSIVE, len(through), "too few paths go through it")
    if other:
        ways = ", ".join(f"{count} show {times - 1}" for times, count in sorted(other.items()))
        ignored = 2 * sum(other.values()) >= len(through)
        return Verdict(
            asn, text, Compliance.IGNORED if ignored else Compliance.INCONCLUSIVE, len(through), f"of its paths, {ways}"
        )
    return Verdict(asn, text, Compliance.HONOURED, len(through), "its paths show it")


def _communities(asn: ASN, told: list[Told], through: Through, *, enough: bool) -> Iterator[Verdict]:
    """Look for each community that every PoP sets towards this upstream."""
    common = frozenset.intersection(*(each.communities for each in told)) - {GRACEFUL_SHUTDOWN}
    for community in sorted(common, key=str):
        text = f"the community {community}"
        if community in _BEYOND:
            beyond = sum(1 for _, state in through if state.hops[0] != asn)
            if beyond:
                yield Verdict(asn, text, Compliance.IGNORED, beyond, f"{beyond} paths go on beyond it")
            elif enough:
                yield Verdict(asn, text, Compliance.HONOURED, len(through), "no path goes on beyond it")
            else:
                yield Verdict(asn, text, Compliance.INCONCLUSIVE, len(through), "no path goes through it")
            continue
        showing = sum(1 for _, state in through if community in state.communities)
        if showing:
            yield Verdict(asn, text, Compliance.HONOURED, len(through), f"{showing} of its paths carry it")
        else:
            yield Verdict(asn, text, Compliance.INCONCLUSIVE, len(through), "no path carries it: it may be removed")


DETECTOR: Final = PrefixDetector(NAME, assess, {NAME: Life(confirm_s=300.0, clear_s=120.0)})
"""Five minutes outlast the convergence after a change of policy (practice, M10)."""
