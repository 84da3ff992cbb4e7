"""Which services of a PoP go down together, and what each of them allows the others."""

from dataclasses import replace

import pytest

from anycastle.base.ports import Instant
from anycastle.health.flap import FlapPenalty
from anycastle.health.permits import Permit
from anycastle.health.pop_services import PoPServices
from anycastle.health.service import ServiceState
from anycastle.health.stance import Decision
from anycastle.health.verdict import CheckTracker
from anycastle.model.fleet import SharedPrefix
from anycastle.model.permit import PermitState
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Service, WhenAlone
from anycastle.model.stance import Stance
from tests.unit.health.world import PREFIX, check, fleet, service

OTHER = parse_prefix("198.51.100.0/24")
NONE, HELD = Permit(PermitState.NONE, 1), Permit(PermitState.HELD, 2)
DNS, WEB = service("dns"), service("web")
FAR = service("far", prefixes=(OTHER,))
DOWN, UP = Decision(Stance.WITHDRAW, "down"), Decision(Stance.ANNOUNCE, "serving")


def state(made: Service, permit: Permit = HELD, decision: Decision = UP) -> ServiceState:
    return ServiceState(made, [], FlapPenalty(made.dampening), permit, decision=decision)


def served(*states: ServiceState, rule: SharedPrefix = SharedPrefix.ANY) -> PoPServices:
    made = fleet(*(each.service for each in states), shared_prefixes={PREFIX: rule})
    return PoPServices(made, made.pops[0], states)


def test_those_of_a_prefix_that_any_withdraws_go_together_and_no_others() -> None:
    dns, web, far = state(DNS), state(WEB), state(FAR)
    services = served(dns, web, far)
    assert services.tied(dns) == services.tied(web) == [dns, web]
    assert services.tied(far) == [far]
    assert served(dns, web, rule=SharedPrefix.ALL).tied(dns) == [dns]


@pytest.mark.mission("C16")
def test_each_that_would_go_must_have_a_permit() -> None:
    dns, web = state(DNS, HELD), state(WEB, replace(HELD, epoch=7))
    assert served(dns, web).permit_for(web) == web.permit, "its own, where none lacks one"
    lacking = state(WEB, NONE)
    assert served(dns, lacking).permit_for(dns) == NONE
    assert served(dns, lacking, rule=SharedPrefix.ALL).permit_for(dns) == HELD


@pytest.mark.mission("P4")
def test_alone_only_those_without_a_permit_are_asked_whether_they_may_go() -> None:
    bold, timid = (
        service("dns", when_alone=WhenAlone.WITHDRAW),
        service("web", when_alone=WhenAlone.ANNOUNCE),
    )
    lacking = state(bold, NONE)
    assert served(lacking, state(timid, HELD)).when_alone(lacking) is WhenAlone.WITHDRAW
    assert served(lacking, state(timid, NONE)).when_alone(lacking) is WhenAlone.ANNOUNCE


def test_one_service_whose_checks_have_not_decided_keeps_all_waiting() -> None:
    dns, web = state(DNS), state(WEB)
    assert not served(dns, web).any_pending
    dns.trackers.append(CheckTracker(check(), Instant(0.0)))
    assert served(dns, web).any_pending


def test_what_is_not_announced_uses_no_permit() -> None:
    dns, web = state(DNS, NONE), state(WEB, HELD)
    assert served(dns, web).would_use_permit(dns), "that of the one that goes with it"
    assert not served(dns, state(WEB, NONE)).would_use_permit(dns)
    down = state(DNS, HELD, DOWN)
    assert not served(down, web).would_use_permit(down)
