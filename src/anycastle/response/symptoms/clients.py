"""Symptoms that clients and PoPs show: regions cut off, sessions lost, load, caches, traces, blind spots."""

from statistics import median
from typing import Final

from anycastle.model.event import AnnouncementsApplied, DrainChanged, StanceChanged
from anycastle.response.evidence import Case, Probed, Sample, Source, any_within
from anycastle.response.symptoms.probed import CUT_SHARE, lost_by_region, moves, worst_span
from anycastle.response.symptoms.routes import LOSSES, announcing_pops
from anycastle.response.symptoms.symptom import Judgement, lacking, not_enough, seen

NEAR_S: Final = 120.0
"""Two things that are so near in time may be cause and effect: routes converge, sessions time out."""

NETWORKS_MIN: Final = 5
"""Networks that must ask from a region, as the checklist before production has it (PRE002)."""

CPU_HIGH: Final = 0.85
RISE: Final = 3.0
"""Traffic of so many times its median is a storm, and no evening."""

HITS_LOW: Final = 0.8
"""Of static content (M7)."""


def region_cut_off(case: Case) -> Judgement:
    """One region has no answers, others have."""
    if Source.PROBES not in case.given:
        return not_enough(lacking(case, Source.PROBES, Source.WATCH))
    regions = lost_by_region(case.probes)
    if len(regions) < 2:
        return not_enough(["probes from a second region, to compare"])
    worst = {region: worst_span(case.probes, region) for region in regions}
    cut = [region for region, (lost, asked, _) in worst.items() if asked and lost >= CUT_SHARE * asked]
    well = [region for region in regions if region not in cut and regions[region][0] * 5 <= regions[region][1]]
    found = [
        f"{region or 'a region that is not known'}: {worst[region][0]} of {worst[region][1]} probes of a minute had no "
        f"answer, from {regions[region][2]} networks [{worst[region][2]}]"
        for region in cut
        if well
    ]
    losses = case.findings(*LOSSES)
    down = [fact for fact, body in case.of(StanceChanged) if body.stance == "withdraw"]
    return seen(
        [*found, *(losses if found else [])],
        predicted=[bool(losses), bool(announcing_pops(case)), not down],
        against=[f"a PoP was withdrawn: {fact}" for fact in down[:2]] if found else [],
        missing=lacking(case, Source.WATCH, Source.EVENTS),
    )


def sessions_break(case: Case) -> Judgement:
    """Sessions are reset about when clients move to another PoP."""
    if Source.PROBES not in case.given:
        return not_enough(lacking(case, Source.PROBES, Source.EVENTS))
    resets = [probe for probe in case.probes if probe.failure == "reset"]
    moved = moves(case.probes)
    changes = [fact for fact, _ in case.of(AnnouncementsApplied)]
    moments = sorted([*(each.at for each in moved), *(fact.at for fact in changes)])
    near = [probe for probe in resets if any_within(moments, probe.at - NEAR_S, probe.at + NEAR_S)]
    shown = [f"{probe.vantage} to {probe.target}: {probe.words} [{probe.where}]" for probe in near or resets]
    return seen(
        [*shown, *(moved if resets else [])],
        predicted=[bool(near), bool(moved)],
        against=["resets come without a change of routes or PoPs near them"] if resets and not near else [],
        missing=lacking(case, Source.EVENTS),
    )


def overload(case: Case) -> Judgement:
    """A PoP's processors are busy, and much more traffic than usual arrives there."""
    cpu = _metric(case, "cpu")
    if not cpu:
        return not_enough([f"{Source.TELEMETRY.value}: cpu", f"{Source.TELEMETRY.value}: packets or requests"])
    busy = {pop: max(some, key=lambda each: each.value) for pop, some in cpu.items()}
    busy = {pop: each for pop, each in busy.items() if each.value >= CPU_HIGH}
    traffic = _metric(case, "packets") or _metric(case, "requests")
    storms = {pop: _rise(some) for pop, some in traffic.items()}
    found = [f"{pop}: cpu at {each.value:.0%}" for pop, each in sorted(busy.items())]
    found += [f"{pop}: {storms[pop]:.1f} times its usual traffic" for pop in sorted(busy) if storms.get(pop, 0) >= RISE]
    return seen(
        found,
        predicted=[any(storms.get(pop, 0.0) >= RISE for pop in busy)],
        against=["traffic is as usual: the load is the service's own"]
        if busy and traffic and len(found) == len(busy)
        else [],
        missing=[] if traffic else [f"{Source.TELEMETRY.value}: packets or requests"],
    )


def _metric(case: Case, name: str) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in case.samples:
        if sample.metric == name:
            found.setdefault(sample.pop, []).append(sample)
    return found


def _rise(some: list[Sample]) -> float:
    usual = median(each.value for each in some)
    return max(each.value for each in some) / usual if usual > 0 else 0.0


def stale_caches(case: Case) -> Judgement:
    """Some PoPs give content that is not what is expected, while others give it right."""
    if Source.PROBES not in case.given:
        return not_enough(lacking(case, Source.PROBES))
    content = [probe for probe in case.probes if probe.kind == "http" and probe.pop]
    if not content:
        return not_enough(["probes of HTTP that look into the body, and tell the PoP (--contains, --site-header)"])
    wrong = [probe for probe in content if probe.failure == "content"]
    wrong_pops, right_pops = {probe.pop for probe in wrong}, {probe.pop for probe in content if not probe.failure}
    stale = sorted(wrong_pops - right_pops) or sorted(wrong_pops)
    found = [f"{probe.pop}: {probe.words} [{probe.where}]" for pop in stale for probe in wrong[:50] if probe.pop == pop]
    return seen(
        found,
        predicted=[bool(right_pops - wrong_pops)],
        against=["all PoPs that were asked are wrong: look at the origin"]
        if wrong and not right_pops - wrong_pops
        else [],
    )


def blind_spots(case: Case) -> Judgement:
    """Regions from which too few networks ask. Probes that were not given are not probes that are not there."""
    if Source.PROBES not in case.given or Source.FLEET not in case.given:
        return not_enough(lacking(case, Source.PROBES, Source.FLEET))
    regions = {place.region for place in case.topology.pops.values()}
    counts = {region: len({probe.network for probe in case.probes if probe.region == region}) for region in regions}
    few = sorted(region for region, count in counts.items() if count < NETWORKS_MIN)
    found = [f"{region}: {counts[region]} networks ask from there; {NETWORKS_MIN} are the fewest" for region in few]
    return seen(found, scale=0.3)


def short_lives(case: Case) -> Judgement:
    """Caches ask the origin for much of what is asked of them."""
    ratio, origin = _metric(case, "hit_ratio"), _metric(case, "origin_requests")
    if not ratio:
        return not_enough([f"{Source.TELEMETRY.value}: hit_ratio", f"{Source.TELEMETRY.value}: origin_requests"])
    low = {pop: some[-1] for pop, some in ratio.items() if some[-1].value < HITS_LOW}
    rises = {pop: _rise(some) for pop, some in origin.items()}
    found = [f"{pop}: {each.value:.0%} of requests are hits" for pop, each in sorted(low.items())]
    found += [
        f"{pop}: {rises[pop]:.1f} times its usual requests to the origin"
        for pop in sorted(low)
        if rises.get(pop, 0) > 1.5
    ]
    drains = {fact.pop for fact, body in case.of(DrainChanged) if body.step != "normal"}
    cold = [f"clients moved after a drain of {', '.join(sorted(drains))}: caches are cold"] if low and drains else []
    return seen(
        found,
        predicted=[any(rises.get(pop, 0.0) > 1.5 for pop in low)],
        against=cold,
        missing=[] if origin else [f"{Source.TELEMETRY.value}: origin_requests"],
    )


def asymmetry(case: Case) -> Judgement:
    """Networks of one region are answered by PoPs of others: upstreams choose otherwise than meant."""
    if Source.PROBES not in case.given or Source.FLEET not in case.given:
        return not_enough(lacking(case, Source.PROBES, Source.FLEET))
    where: dict[str, tuple[str, str, str]] = {}
    for probe in case.probes:
        if probe.pop and probe.region:
            where[probe.network] = probe.region, probe.pop, probe.where
    far = [
        f"{network} in {region} is answered by {pop} in {case.topology.region_of(pop)} [{line}]"
        for network, (region, pop, line) in sorted(where.items())
        if case.topology.region_of(pop) and _has_pop(case, region) and case.topology.region_of(pop) != region
    ]
    ignored = case.findings("policy_ignored", "path_rule", "transit_change")
    home = [network for network, (region, pop, _) in where.items() if case.topology.region_of(pop) == region]
    return seen(
        [*far, *(ignored if far else [])],
        predicted=[bool(home), bool(ignored)],
        against=["one network alone: it may be that one's own choice"] if len(far) == 1 else [],
        missing=lacking(case, Source.WATCH),
    )


def _has_pop(case: Case, region: str) -> bool:
    """Tell whether a region has a PoP that announces, as far as is known."""
    announcing = announcing_pops(case)
    return any(
        place.region == region and (not announcing or pop in announcing) for pop, place in case.topology.pops.items()
    )


def traces_mislead(case: Case) -> Judgement:
    """Traces of one vantage point show several ways, while the same PoP answers."""
    traces = [probe for probe in case.probes if probe.kind == "traceroute" and probe.hops]
    if not traces:
        return not_enough(["traceroutes among the probes' results (`anycastle probe run traceroute`)"])
    ways: dict[tuple[str, str], dict[tuple[str, ...], Probed]] = {}
    for probe in traces:
        ways.setdefault((probe.vantage, probe.target), {})[probe.hops] = probe
    several = {key: some for key, some in ways.items() if len(_apart(some)) > 1}
    found = [
        f"{vantage} to {target}: {len(_apart(some))} ways, over {_forks(list(some))}"
        f" [{next(iter(some.values())).where}]"
        for (vantage, target), some in several.items()
    ]
    moved = {each.vantage for each in moves(case.probes)}
    steady = [vantage for vantage, _ in several if vantage not in moved]
    by_port = [some for some in several.values() if len({probe.local_port for probe in some.values()}) > 1]
    return seen(
        found,
        predicted=[bool(by_port)],
        against=[] if steady or not several else ["the PoP changed meanwhile: the ways may be real"],
    )


def _apart(some: dict[tuple[str, ...], Probed]) -> set[tuple[str, ...]]:
    """Give the ways that differ where both were heard: silence is no other way."""
    kept: set[tuple[str, ...]] = set()
    for way in some:
        if not any(_same(way, other) for other in kept):
            kept.add(way)
    return kept


def _same(way: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(a == b or "*" in (a, b) for a, b in zip(way, other, strict=False))


def _forks(some: list[tuple[str, ...]]) -> str:
    forks = [
        f"hop {number} ({', '.join(sorted(set(hops) - {'*'}))})"
        for number, hops in enumerate(zip(*some, strict=False), 1)
        if len(set(hops) - {"*"}) > 1
    ]
    return ", ".join(forks[:3]) or "lengths that differ"
