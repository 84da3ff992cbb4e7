"""Symptoms of how we run things: checks that flap, objectives, maintenance, alerts and pages."""

from collections import Counter
from typing import Final

from anycastle.model.event import (
    AnnouncementsApplied,
    CheckChanged,
    DrainChanged,
    StanceChanged,
    WithdrawalRefused,
)
from anycastle.response.evidence import Case, Fact, Source
from anycastle.response.follows import BURN
from anycastle.response.notification import PAGES
from anycastle.response.symptoms.symptom import Judgement, lacking, not_enough, seen

FLIPS: Final = 3
FLIPS_S: Final = 3600.0
"""A check that fails so often within an hour flaps: a service that dies does so once."""

SETTLE_S: Final = 180.0
"""After a route was taken away the Internet takes up to so long to follow; what fails then is for want of order."""

STORM: Final = 10
STORM_S: Final = 60.0
"""Alerts within a minute that are a storm."""

SMALL_LOSS: Final = 0.1
"""Of all probes: what is lost of them is little."""

PAGES_A_DAY: Final = 4.0
"""Pages of one day that are too many for whoever is woken by them."""


def flaky_checks(case: Case) -> Judgement:
    """A check fails and passes again and again, and takes the PoP's routes along, while probes outside are answered."""
    if Source.EVENTS not in case.given:
        return not_enough(lacking(case, Source.EVENTS))
    failures: dict[tuple[str, str, str], list[Fact]] = {}
    for fact, body in case.of(CheckChanged):
        if body.verdict == "unhealthy":
            failures.setdefault((fact.pop, body.service, body.check), []).append(fact)
    found, flapping = [], set()
    for (pop, service, check), facts in failures.items():
        near = [fact for fact in facts if fact.at >= facts[-1].at - FLIPS_S]
        if len(near) >= FLIPS:
            flapping.add((pop, service))
            found.append(
                f"{pop}: {check} of {service} failed {len(near)} times in {near[-1].at - near[0].at:.0f} s: {near[-1]}"
            )
    withdrawn = [
        fact
        for fact, body in case.of(StanceChanged)
        if body.stance == "withdraw" and (fact.pop, body.service) in flapping
    ]
    lost = sum(not probe.answered for probe in case.probes)
    well = bool(case.probes) and lost <= SMALL_LOSS * len(case.probes)
    return seen(
        [*found, *(withdrawn if found else [])],
        predicted=[len(withdrawn) >= 2, well or not case.probes],
        against=[f"{lost} of {len(case.probes)} probes outside had no answer either"]
        if found and case.probes and not well
        else [],
        missing=lacking(case, Source.PROBES),
    )


def poor_objective(case: Case) -> Judgement:
    """A budget of the whole burns because of one region, or of a change of routes that is allowed for nowhere."""
    burns = [(at, signal) for at, signal in case.alerts if signal.name == BURN and signal.firing]
    if not burns:
        return (
            not_enough([f"{Source.ALERTS.value}, with `budget_burn`"]) if Source.ALERTS not in case.given else seen([])
        )
    whole = [signal.summary for _, signal in burns if not signal.subject.region]
    regions = Counter(signal.subject.region for _, signal in burns if signal.subject.region)
    changes = [fact for fact, _ in case.of(AnnouncementsApplied)]
    near = [fact for fact in changes if any(0 <= at - fact.at <= FLIPS_S for at, _ in burns)]
    shown = [f"global: {text}" for text in dict.fromkeys(whole)]
    shown += [f"{region}: {count} alerts" for region, count in regions.most_common()]
    everywhere = len(regions) > 1 and len(regions) == len({place.region for place in case.topology.pops.values()})
    return seen(
        [*shown, *near[:3]] if whole else [],
        predicted=[len(regions) <= 1, bool(near)],
        against=["every region burns: the objective is not what is wrong"] if whole and everywhere else [],
        missing=lacking(case, Source.EVENTS),
    )


def out_of_order(case: Case) -> Judgement:
    """Clients were lost right after a route was taken away on purpose, without being steered away before."""
    lacks = lacking(case, Source.EVENTS, Source.PROBES)
    if lacks:
        return not_enough(lacks)
    removed = _taken_away(case)
    found: list[object] = []
    abrupt = []
    for fact, steered_s in removed:
        lost = [probe for probe in case.probes if 0 <= probe.at - fact.at <= SETTLE_S and not probe.answered]
        if lost:
            how = f"after {steered_s:.0f} s of steering" if steered_s is not None else "without steering before"
            found.append(f"{fact.pop}: {fact.text}, {how}; {len(lost)} probes had no answer then [{fact.where}]")
            abrupt.append(steered_s is None or steered_s < 1.0)
    unplanned = [fact for fact, body in case.of(CheckChanged) if body.verdict == "unhealthy"]
    early = [fact for fact in unplanned if any(0 <= taken.at - fact.at <= SETTLE_S for taken, _ in removed)]
    return seen(
        found,
        predicted=[any(abrupt)],
        against=[f"a check failed before: {fact}" for fact in early[:2]] if found else [],
    )


def _taken_away(case: Case) -> list[tuple[Fact, float | None]]:
    """Give the withdrawals that somebody ordered, with the seconds that each was steered before (None: not at all)."""
    steering: dict[tuple[str, str], Fact] = {}
    found: list[tuple[Fact, float | None]] = []
    for fact, body in case.of(DrainChanged):
        key = fact.pop, body.scope
        if body.step == "shutting":
            steering[key] = fact
        elif body.step == "withdrawn":
            before = steering.pop(key, None)
            found.append((fact, None if before is None else fact.at - before.at))
    return found


def alert_storm(case: Case) -> Judgement:
    """Many alerts at once, though little is lost."""
    firing = [(at, signal) for at, signal in case.alerts if signal.firing]
    if Source.ALERTS not in case.given and not firing:
        return not_enough(lacking(case, Source.ALERTS))
    worst: list[tuple[float, str]] = []
    start = 0
    for end, (at, _) in enumerate(firing):
        while at - firing[start][0] > STORM_S:
            start += 1
        if end - start + 1 > len(worst):
            worst = [(when, signal.summary) for when, signal in firing[start : end + 1]]
    if len(worst) < STORM:
        return seen([], missing=lacking(case, Source.PROBES))
    near = [probe for probe in case.probes if worst[0][0] - STORM_S <= probe.at <= worst[-1][0] + STORM_S]
    lost = sum(not probe.answered for probe in near)
    small = bool(near) and lost <= SMALL_LOSS * len(near)
    pages = [each for each in case.notices if each.kind in PAGES and worst[0][0] <= each.at <= worst[-1][0] + STORM_S]
    return seen(
        [f"{len(worst)} alerts within {STORM_S:.0f} s, which became {len(pages)} pages", *(text for _, text in worst)],
        predicted=[small],
        against=[f"{lost} of {len(near)} probes had no answer: the storm has a reason"] if near and not small else [],
        missing=lacking(case, Source.PROBES),
    )


def too_many_pages(case: Case) -> Judgement:
    """People are paged more than a day bears, much of it by what comes and goes."""
    if not case.alerts:
        return not_enough(lacking(case, Source.ALERTS, Source.EVENTS))
    pages = [each for each in case.notices if each.kind in PAGES]
    first, last = case.alerts[0][0], case.alerts[-1][0]
    days = max(1.0, (last - first) / 86_400.0)
    by_text = Counter(each.text for each in pages)
    again = [(text, count) for text, count in by_text.most_common() if count > 1]
    many = len(pages) / days > PAGES_A_DAY
    shown = [f"{len(pages)} pages in {days:.1f} days", *(f"{count} times: {text}" for text, count in again)]
    refused = [fact for fact, _ in case.of(WithdrawalRefused)]
    return seen(
        shown if many else [],
        predicted=[bool(again)],
        against=["withdrawals were refused at a floor: several PoPs are in trouble"] if many and refused else [],
    )
