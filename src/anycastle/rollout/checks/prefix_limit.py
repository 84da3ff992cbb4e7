"""PLN018: an upstream is told more prefixes than it takes before it ends the session (RFC 4486 §4, subcode 1)."""

from collections import Counter
from collections.abc import Iterator

from anycastle.model.prefix import Family, Prefix
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.finding import PlanFinding, Severity

Session = tuple[str, str, Family]
"""PoP, upstream, family: limits count each family alone."""


def prefix_limit(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the sessions that the plan would bring to their end, and those that a mitigation then would."""
    limits = {
        (pop.name, upstream.name): upstream.takes_prefixes
        for pop in seen.intent.fleet.pops
        for upstream in pop.upstreams
        if upstream.takes_prefixes is not None
    }
    if not limits:
        return
    touched = {(change.key.pop, change.key.upstream) for change in seen.difference.changes}
    told, more = _told(seen), _more_in_a_hijack(seen)
    for session in sorted(told | more, key=lambda each: (*each[:2], each[2].value)):
        limit = limits.get(session[:2])
        if limit is None or session[:2] not in touched:
            continue
        subject = f"{session[0]} {session[1]}"
        if told[session] > limit:
            text = f"is told {told[session]} {session[2]} prefixes and takes {limit}: it would end the session"
            yield PlanFinding("PLN018", Severity.ERROR, subject, text)
        elif told[session] + more[session] > limit:
            text = f"takes {limit} {session[2]} prefixes, and a mitigation brings {told[session]} to "
            text += f"{told[session] + more[session]}: it would end the session in a hijack"
            yield PlanFinding("PLN018", Severity.WARNING, subject, text)


def _told(seen: CheckInput) -> Counter[Session]:
    return Counter((key.pop, key.upstream, key.prefix.family) for key in seen.intent.routes)


def _more_in_a_hijack(seen: CheckInput) -> Counter[Session]:
    """Count what approved mitigations may add: they are announced wherever their service is."""
    sessions = {(key.pop, key.upstream, key.prefix) for key in seen.intent.routes}
    found: set[tuple[str, str, Prefix]] = set()
    for service in seen.intent.fleet.services:
        for approved in service.mitigations:
            covering = [prefix for prefix in service.prefixes if prefix.contains(approved)]
            found |= {(pop, upstream, approved) for pop, upstream, prefix in sessions if prefix in covering}
    return Counter((pop, upstream, prefix.family) for pop, upstream, prefix in found - sessions)
