from collections.abc import Mapping
from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement
from anycastle.model.fleet import Fleet
from anycastle.model.objective import Objective
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import Validity
from anycastle.model.service import Floor
from anycastle.model.stance import DrainStep, Stance
from anycastle.model.watch import Thresholds, WatchPlan
from anycastle.rollout.live import Live, PoPReport, ServiceReport, live_of
from anycastle.rollout.readiness.row import Asked, Row, RowState
from anycastle.rollout.readiness.table import PREFLIGHT, READY
from tests.unit.health.world import ESTABLISHED, PREFIX, fleet, service

pytestmark = [pytest.mark.mission("O1"), pytest.mark.mission("O2")]

NOW = Timestamp(1_700_000_000.0)
DAY_S = 86_400.0


def report(
    pop: str, permit: PermitState = PermitState.HELD, *, up: bool = True, observe_only: bool = False
) -> PoPReport:
    routes = frozenset({Announcement(PREFIX, "transit")})
    told = ServiceReport("dns", Stance.ANNOUNCE, "", permit, DrainStep.NORMAL, prefixes=(PREFIX,))
    established = ESTABLISHED if up else frozenset()
    return PoPReport(pop, routes, routes, {"dns": told}, established, observe_only=observe_only)


def live(made: Fleet, *reports: PoPReport) -> Live:
    return live_of(reports, [pop.name for pop in made.pops])


def bounded(made: Fleet) -> Fleet:
    """Give a fleet whose sessions have a bound."""
    pops = tuple(
        replace(pop, upstreams=tuple(replace(each, max_prefixes=1000) for each in pop.upstreams)) for pop in made.pops
    )
    return replace(made, pops=pops)


def fit() -> Asked:
    made = bounded(fleet(service(floor=Floor(1))))
    promised = Objective("answers", "dns", "routing_success", 0.999)
    made = replace(made, objectives=(promised,), watch=WatchPlan(thresholds=Thresholds(peers=3)))
    networks = frozenset(range(5))
    return Asked(
        made,
        NOW,
        live=live(made, *(report(pop.name) for pop in made.pops)),
        validity={PREFIX: Validity.VALID},
        heard_from={pop.name: networks for pop in made.pops},
        rehearsed={"dns": Timestamp(NOW - DAY_S)},
        runbooks=dict.fromkeys(("hijack", "route-leak", "pop-failure", "ddos"), Timestamp(NOW - DAY_S)),
    )


def answers(asked: Asked) -> dict[str, Row]:
    rows = [row(asked) for row in (*PREFLIGHT, *READY)]
    return {row.code: row for row in rows}


def test_a_fleet_that_is_fit_meets_each_row_and_each_says_what_it_rests_on() -> None:
    found = answers(fit())
    assert list(found) == ["PRE001", "PRE002", "PRE003", "PRE004", "RDY001", "RDY002", "RDY003", "RDY004"]
    assert {row.state for row in found.values()} == {RowState.MET}
    assert all(row.good and not row.wrong and not row.advice for row in found.values())


def test_what_is_not_given_is_not_known_and_never_met() -> None:
    found = answers(Asked(fit().fleet, NOW))
    unknown = {code for code, row in found.items() if row.state is RowState.UNKNOWN}
    assert unknown == {"PRE001", "PRE002", "PRE004", "RDY003", "RDY004"}
    assert all(found[code].advice for code in unknown)


def changed(**changes: object) -> Asked:
    return replace(fit(), **changes)  # type: ignore[arg-type]


def with_service(**changes: object) -> Asked:
    asked = fit()
    services = (replace(asked.fleet.services[0], **changes),)  # type: ignore[arg-type]
    return replace(asked, fleet=replace(asked.fleet, services=services))


MADE = fit().fleet
POPS = [pop.name for pop in MADE.pops]
NO_ROA: Mapping[Prefix, Validity] = {PREFIX: Validity.NOT_FOUND}


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (changed(live=live(MADE, report(POPS[0]))), "PRE001", f"{POPS[1]}: nothing is heard of it"),
        (changed(live=live(MADE, *(report(pop, up=pop != POPS[0]) for pop in POPS))), "PRE001", f"{POPS[0]}: transit"),
        (changed(heard_from={POPS[0]: frozenset({1, 2})}), "PRE002", "2 networks, and 5 are the fewest"),
        (
            with_service(checks=tuple(replace(each, fall=1) for each in MADE.services[0].checks)),
            "PRE003",
            "counts after 1 failures",
        ),
        (with_service(floor=Floor(len(POPS))), "PRE004", "its floor is all of its PoPs"),
        (changed(live=live(MADE, *(report(pop, PermitState.NONE) for pop in POPS))), "PRE004", "no PoP holds a permit"),
        (changed(live=live(MADE, *(report(pop, observe_only=True) for pop in POPS))), "PRE004", "only observes"),
        (changed(rehearsed=None), "PRE004", "no log was given"),
        (changed(rehearsed={}), "PRE004", "the log knows of no drain of it"),
        (changed(rehearsed={"dns": NOW - 91 * DAY_S}), "PRE004", "last drained 91 days ago, and 90 are the most"),
        (changed(fleet=replace(MADE, objectives=())), "RDY001", "dns: no objective"),
        (changed(fleet=replace(MADE, watch=WatchPlan())), "RDY001", "has no `watch`"),
        (
            changed(fleet=replace(MADE, objectives=(Objective("cache", "dns", "cache_hits", 0.9),))),
            "RDY002",
            "nothing is promised of what its clients get",
        ),
        (changed(runbooks={"hijack": NOW}), "RDY003", "there is no ddos.md"),
        (
            changed(runbooks=dict.fromkeys(("hijack", "route-leak", "pop-failure", "ddos"), NOW - 400 * DAY_S)),
            "RDY003",
            "not looked at for 400 days",
        ),
        (changed(validity=NO_ROA), "RDY004", "not found, from AS"),
        (
            changed(fleet=replace(fleet(), objectives=MADE.objectives, watch=MADE.watch)),
            "RDY004",
            "any number of prefixes",
        ),
    ],
)
def test_a_row_is_not_met_where_one_thing_is_wrong_and_says_which(asked: Asked, code: str, words: str) -> None:
    found = answers(asked)
    row = found.pop(code)
    assert row.state is RowState.NOT_MET
    assert any(words in line for line in row.wrong), row.wrong
    assert row.advice
    others = {each for each, row in found.items() if row.state is not RowState.MET}
    assert others <= {"RDY001": {"RDY002"}}.get(code, set()), "the other rows do not look at that"
