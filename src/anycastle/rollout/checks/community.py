"""PLN010: a community is told to an upstream that is not known to act on it."""

from collections.abc import Iterator

from anycastle.model.community import WELL_KNOWN, Community, LargeCommunity, StandardCommunity
from anycastle.model.fleet import Fleet
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity, bounded


def community(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the communities that come with the plan and are in no vocabulary of who is told them."""
    fleet = seen.intent.fleet
    known = {
        (pop.name, upstream.name): frozenset(upstream.vocabulary.values())
        for pop in fleet.pops
        for upstream in pop.upstreams
    }
    told: dict[Community, list[str]] = {}
    for change in seen.difference.changes:
        before = frozenset() if change.before is None else change.before.communities
        after = frozenset() if change.after is None else change.after.communities
        understood = known.get((change.key.pop, change.key.upstream), frozenset())
        for each in after - before - understood:
            if each not in WELL_KNOWN.values() and not _own(each, fleet):
                told.setdefault(each, []).append(str(change.key))
    for each, keys in sorted(told.items(), key=lambda pair: str(pair[0])):
        text = f"is told to {keys[0]}, whose vocabulary does not have it: it may do nothing, or something else"
        yield PlanFinding("PLN010", Severity.WARNING, str(each), text, bounded(keys))


def _own(each: Community, fleet: Fleet) -> bool:
    """Tell a community of our own ASN: it is for us to read."""
    return isinstance(each, StandardCommunity | LargeCommunity) and each.administrator == fleet.asn
