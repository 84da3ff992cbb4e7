"""Symptoms that routes show: other paths, hijacks, noise, sessions, slow convergence, routes that lead nowhere."""

from operator import itemgetter
from typing import Final

from anycastle.model.event import (
    AnnouncementsApplied,
    AnnouncementsConfirmed,
    AnnouncementsFound,
    AssignmentTaken,
    ConvergenceMeasured,
    FindingCleared,
    FindingOpened,
    FindingUpdated,
    RouterDiverged,
    SessionChanged,
)
from anycastle.response.evidence import Case, Fact, Source
from anycastle.response.symptoms.probed import latency_steps
from anycastle.response.symptoms.symptom import Judgement, lacking, not_enough, seen

HIJACKS: Final = ("origin_change", "sub_prefix", "forged_path", "squatting")
LOSSES: Final = ("visibility_loss", "partial_visibility")

FEW_PEERS: Final = 2
"""A foreign origin that no more peers see, of one collector, may be one router's mistake."""

SHORT_S: Final = 600.0
"""A finding that is over sooner was noise, or a test of somebody's."""

CHURN: Final = 3
CHURN_S: Final = 3600.0
"""So many losses of one session within an hour are churn: a reset for work is one, or two."""

OWN_S: Final = 120.0
"""What follows a change of our own so soon follows from it."""

SLOW_S: Final = 30.0
"""Convergence that takes longer fails critical services (M2)."""


def new_path(case: Case) -> Judgement:
    """Latency rose from one time on, and paths changed about then."""
    if Source.PROBES not in case.given:
        return not_enough(lacking(case, Source.PROBES, Source.WATCH))
    steps = latency_steps(case.probes)
    changes = case.findings("transit_change", "path_length", "route_leak", "locked_asn", "policy_ignored")
    near = [fact for fact in changes if any(abs(fact.at - step.at) <= 900.0 for step in steps)]
    regions = {step.region for step in steps}
    all_regions = {probe.region for probe in case.probes}
    changed = [(min((abs(fact.at - step.at) for step in steps), default=OWN_S + 1), fact) for fact in _changes(case)]
    own = [fact for away_s, fact in sorted(changed, key=itemgetter(0)) if away_s <= OWN_S]
    return seen(
        [*steps, *(near if steps else [])],
        predicted=[bool(near), len(regions) * 2 > len(all_regions)],
        against=[f"our own change of routes at that time: {fact.pop}: {fact}" for fact in own[:2]],
        missing=lacking(case, Source.WATCH, Source.EVENTS),
    )


def _changes(case: Case) -> list[Fact]:
    """Give what our own routers were told."""
    return [fact for fact, _ in case.of(AnnouncementsApplied)]


def _hijacks(case: Case) -> list[tuple[Fact, FindingOpened, FindingOpened | FindingUpdated]]:
    """Give the findings of foreign origins: the fact, as it opened, and as it was when most peers saw it.

    A finding opens with the second network that sees it; how wide it is, updates tell.
    """
    widest: dict[str, FindingOpened | FindingUpdated] = {}
    for fact in case.findings(*HIJACKS):
        body = fact.body
        if isinstance(body, FindingOpened | FindingUpdated):
            known = widest.get(body.finding)
            widest[body.finding] = body if known is None or body.peers > known.peers else known
    opened = [(fact, body) for fact, body in case.of(FindingOpened) if body.finding_kind in HIJACKS]
    return [(fact, body, widest[body.finding]) for fact, body in opened]


def false_hijack(case: Case) -> Judgement:
    """A foreign origin was told of, and few saw it, for a short time; or the RPKI says that it may."""
    if Source.WATCH not in case.given:
        return not_enough(lacking(case, Source.WATCH))
    over = {body.finding: body for _, body in case.of(FindingCleared)}
    noise = []
    for fact, body, wide in _hijacks(case):
        end = over.get(body.finding)
        few = wide.peers <= FEW_PEERS and wide.collectors <= 1
        if body.validity == "valid" or (few and (end is None or end.lasted_s <= SHORT_S)):
            why = "valid by the RPKI" if body.validity == "valid" else f"{wide.peers} peers of one collector saw it"
            noise.append(f"{fact.text}; {why}" + (f", for {end.lasted_s:.0f} s" if end else "") + f" [{fact.where}]")
    cut_off = bool(noise) and _probes_fail(case)
    return seen(noise, against=["probes fail meanwhile: somebody is cut off"] if cut_off else [])


def hijack(case: Case) -> Judgement:
    """A network that may not originate a prefix does, and many see it."""
    if Source.WATCH not in case.given:
        return not_enough(lacking(case, Source.WATCH))
    found = [(fact, wide) for fact, body, wide in _hijacks(case) if body.validity != "valid"]
    broad = [pair for pair in found if pair[1].peers > FEW_PEERS or pair[1].collectors > 1]
    return seen(
        [f"{fact.text}; at most {wide.peers} peers saw it [{fact.where}]" for fact, wide in broad or found],
        predicted=[bool(broad)],
        against=[] if broad or not found else ["few peers see it, and all of one collector: it may be noise"],
        missing=lacking(case, Source.PROBES),
    )


def churn(case: Case) -> Judgement:
    """One session is lost again and again."""
    if Source.EVENTS not in case.given:
        return not_enough(lacking(case, Source.EVENTS))
    downs: dict[tuple[str, str], list[Fact]] = {}
    up: set[tuple[str, str]] = set()
    for fact, body in case.of(SessionChanged):
        key = fact.pop, f"{body.upstream} {body.neighbour}"
        if body.state == "established":
            up.add(key)
        elif key in up:  # lost, and not still on its way up
            up.discard(key)
            downs.setdefault(key, []).append(fact)
    found = []
    for (pop, session), facts in downs.items():
        dense = _dense(facts, CHURN, CHURN_S)
        if dense:
            found.append(
                f"{pop}: {session} was lost {len(dense)} times in {dense[-1].at - dense[0].at:.0f} s: {dense[-1]}"
            )
    elsewhere = {pop for pop, _ in downs}
    return seen(found, predicted=[len(elsewhere) < max(2, len(case.topology.pops))])


def _dense(facts: list[Fact], count: int, within_s: float) -> list[Fact]:
    """Give the longest run of facts that come within a time of each other; empty where it is shorter than `count`."""
    best: list[Fact] = []
    start = 0
    for end, fact in enumerate(facts):
        while fact.at - facts[start].at > within_s:
            start += 1
        if end - start + 1 > len(best):
            best = facts[start : end + 1]
    return best if len(best) >= count else []


def slow_convergence(case: Case) -> Judgement:
    """The Internet took long to follow a change of ours."""
    measured = case.of(ConvergenceMeasured)
    if not measured:
        return not_enough([*lacking(case, Source.WATCH), "a change of ours that the watch measured"])
    slow = [(fact, body) for fact, body in measured if body.converged_s_p95 is None or body.converged_s_p95 > SLOW_S]
    stuck = case.findings("stuck_route")
    return seen(
        [*(fact for fact, _ in slow), *(stuck if slow else [])],
        predicted=[any(body.reacted for _, body in slow)],
        against=["most of them never reacted: filtered, not slow"]
        if slow and all(body.reacted * 2 < body.peers for _, body in slow)
        else [],
    )


def registries(case: Case) -> Judgement:
    """What we announce ourselves is not what registries say, after a change of ours."""
    if Source.WATCH not in case.given:
        return not_enough(lacking(case, Source.WATCH))
    invalid = case.findings("rpki_change", "roa_expiry")
    own = [fact for fact, body in case.of(FindingOpened) if body.finding_kind in HIJACKS and fact in invalid]
    changed = case.of(AssignmentTaken)
    lost = case.findings(*LOSSES)
    return seen([*invalid, *own], predicted=[bool(changed), bool(lost)], missing=lacking(case, Source.EVENTS))


def refused(case: Case) -> Judgement:
    """A PoP announces, by its router's own export, and nobody comes or nobody sees it."""
    lacks = lacking(case, Source.EVENTS, Source.PROBES)
    if Source.EVENTS not in case.given and Source.REPORTS not in case.given:
        return not_enough([Source.EVENTS.value, Source.REPORTS.value])
    if Source.PROBES not in case.given and Source.WATCH not in case.given:
        return not_enough([Source.PROBES.value, Source.WATCH.value])
    announcing = announcing_pops(case)
    reached = {probe.pop for probe in case.probes if probe.pop}
    unheard = sorted(announcing - reached) if reached else []
    lost = [fact for fact in case.findings(*LOSSES) if isinstance(fact.body, FindingOpened)]
    found = [f"{pop} exports its routes, and no probe of {len(case.probes)} reached it" for pop in unheard]
    if not announcing:
        return not_enough(["a PoP whose exports are known to be confirmed"])
    broken = [fact for fact, _ in case.of(RouterDiverged)]
    return seen(
        [*found, *(lost if found or not reached else [])],
        predicted=[bool(lost), len(reached) >= 2],
        against=[f"the router itself differs: {fact}" for fact in broken[:2]] if found else [],
        missing=lacks,
    )


def announcing_pops(case: Case) -> set[str]:
    """Give the PoPs that announced at the end of what is known, by what their routers export."""
    up: dict[str, bool] = {}
    routes: dict[str, set[str]] = {}
    for fact in case.facts:
        match fact.body:
            case AnnouncementsFound(announced=announced):
                routes[fact.pop] = set(announced)
            case AnnouncementsApplied(announced, _, withdrawn):
                routes.setdefault(fact.pop, set()).update(announced)
                routes[fact.pop] -= set(withdrawn)
            case AnnouncementsConfirmed(count):
                up[fact.pop] = count > 0
            case _:
                pass
    by_events = {pop for pop, confirmed in up.items() if confirmed and (pop not in routes or routes[pop])}
    return by_events | {report.pop for report in case.reports if report.exported}


def _probes_fail(case: Case) -> bool:
    """Tell whether probes failed for a good part."""
    return bool(case.probes) and sum(not probe.answered for probe in case.probes) * 10 > len(case.probes)
