"""PLN001: the floor of every service stands after the plan, and within each of its steps.

Within a step withdrawals count before additions: which of them is first is not promised. A service that is below its
floor already is a warning where the plan takes no PoP from it: a plan that mends must not be refused for what it mends.
The floor is the files', or the one that agents still hold to where that is higher.
"""

from collections.abc import Iterator
from math import fsum

from anycastle.model.capacity import capacity_text
from anycastle.model.service import Service
from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.difference import ChangeKind
from anycastle.rollout.finding import PlanFinding, Severity
from anycastle.rollout.presence import Presence


def floor(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the services whose floor would be crossed, each at the first step that does so."""
    presence = Presence(seen.live)
    before = {service.name: presence.announcing(service) for service in seen.intent.fleet.services}
    for service in seen.intent.fleet.services:
        if not _met(seen, service, before[service.name]):
            yield _below(seen, service, before[service.name])
    crossed: set[str] = set()
    for step in seen.steps:
        leaving = [change for change in step.changes if change.kind is ChangeKind.WITHDRAWN]
        presence.apply(leaving)
        for service in seen.touched() if leaving else ():
            left = presence.announcing(service)
            lost = [pop for pop in before[service.name] if pop not in left]
            if lost and not _met(seen, service, left) and service.name not in crossed:
                crossed.add(service.name)
                yield _crossed(seen, service, step.number, left, lost)
        presence.apply(change for change in step.changes if change.kind is not ChangeKind.WITHDRAWN)


def _capacities(seen: CheckInput, pops: list[str]) -> list[float]:
    return [seen.extent.of_pop.get(pop, 0.0) for pop in pops]


def _met(seen: CheckInput, service: Service, pops: list[str]) -> bool:
    return seen.floor(service).met_by(_capacities(seen, pops))


def _said(seen: CheckInput, service: Service, pops: list[str]) -> str:
    floor = seen.floor(service)
    need, have = _count(floor.pops), _count(len(pops))
    if floor.capacity:
        need += f" with {capacity_text(floor.capacity)}"
        have += f" with {capacity_text(fsum(_capacities(seen, pops)))}"
    return f"{have}, of the floor of {need}"


def _count(pops: int) -> str:
    return "1 PoP" if pops == 1 else f"{pops} PoPs"


def _below(seen: CheckInput, service: Service, pops: list[str]) -> PlanFinding:
    text = f"below its floor already, before the plan: announced by {_said(seen, service, pops)}"
    return PlanFinding("PLN001", Severity.WARNING, service.name, text, tuple(pops))


def _crossed(seen: CheckInput, service: Service, step: int, left: list[str], lost: list[str]) -> PlanFinding:
    text = f"step {step} leaves {_said(seen, service, left)}; it ends {', '.join(lost)}"
    return PlanFinding("PLN001", Severity.ERROR, service.name, text, tuple(left))
