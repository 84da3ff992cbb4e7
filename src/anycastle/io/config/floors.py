"""Floors against what exists: counted only where every file that counts is without errors."""

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.policies import Policies
from anycastle.io.config.shapes.pop import PoPShape
from anycastle.io.config.shapes.service import FloorShape, ServiceShape
from anycastle.model.capacity import capacity_text


def check_floor(service: ServiceShape, pops: list[PoPShape], policies: Policies, findings: Findings) -> None:
    """Find a floor that cannot be kept, one that no PoP may leave, and PoPs that announce to nobody."""
    announcing = []
    for pop in pops:
        if any(policies[pop.name, upstream.name].announce for upstream in pop.upstreams):
            announcing.append(pop)
        else:
            message = f"{pop.name} announces to none of its upstreams, so it does not count for the floor"
            service.add(findings, FindingKind.SILENT_POP, "announcement", message)
    needed = service.floor.pops if service.floor else 1
    _check_pops(service, needed, len(announcing), findings)
    if service.floor and service.floor.capacity is not None:
        _check_capacity(service.floor, service.floor.capacity, announcing, findings)


def _check_pops(service: ServiceShape, needed: int, there: int, findings: Findings) -> None:
    where, key = (service.floor, "pops") if service.floor else (service, "pops")
    if needed > there:
        message = f"the floor of {needed} PoPs cannot be kept: {there} announce the service"
        where.add(findings, FindingKind.FLOOR_IMPOSSIBLE, key, message)
    elif needed == there:
        message = f"the floor is {needed} of {there} PoPs, so none may ever withdraw on its own"
        where.add(findings, FindingKind.FLOOR_TIGHT, key, message)


def _check_capacity(floor: FloorShape, needed: float, announcing: list[PoPShape], findings: Findings) -> None:
    stated = {pop.name: pop.capacity for pop in announcing if pop.capacity is not None}
    if len(stated) < len(announcing):
        missing = ", ".join(pop.name for pop in announcing if pop.name not in stated)
        message = f"the floor counts capacity, but none is stated by {missing}"
        floor.add(findings, FindingKind.CAPACITY_UNKNOWN, "capacity", message)
        return
    total = sum(stated.values())
    must, there = capacity_text(needed), capacity_text(total)
    if needed > total:
        message = f"the floor of {must} cannot be kept: the PoPs' capacities add up to {there}"
        floor.add(findings, FindingKind.FLOOR_IMPOSSIBLE, "capacity", message)
    elif stated and total - min(stated.values()) < needed:
        message = f"of {there} a capacity of {must} must stay, so no PoP may ever withdraw on its own"
        floor.add(findings, FindingKind.FLOOR_TIGHT, "capacity", message)
