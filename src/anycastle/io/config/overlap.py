"""Prefixes and addresses: each service its own, or shared as the fleet says."""

from collections.abc import Iterable
from dataclasses import dataclass

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.index import Index
from anycastle.io.config.nodes import Node, Placed
from anycastle.io.config.shapes.service import ServiceShape
from anycastle.model.fleet import SharedPrefix
from anycastle.model.prefix import Address, Prefix, parse_prefix


@dataclass(frozen=True, slots=True)
class _Owned:
    prefix: Prefix
    node: Node
    service: str


def shared_prefixes(index: Index) -> dict[Prefix, SharedPrefix]:
    """Give the prefixes that the fleet shares, as far as they could be read."""
    shape = index.fleet.shape if index.fleet else None
    return {parse_prefix(text): rule for text, rule in ((shape.shared_prefixes or {}) if shape else {}).items()}


def check_prefixes(index: Index, findings: Findings) -> None:
    """Find prefixes of different services that overlap, and shared ones that are not shared."""
    shared = shared_prefixes(index)
    owned = [
        _Owned(placed.prefix, placed.node, service.name)
        for service in (described.shape for described in index.services)
        if service
        for placed in _unrepeated(service, findings)
    ]
    fleet_known = index.fleet is not None and index.fleet.whole
    above: list[_Owned] = []
    for each in sorted(owned, key=lambda owned: (owned.prefix, owned.node.place)):
        while above and not above[-1].prefix.contains(each.prefix):
            above.pop()
        other = next((cover for cover in above if cover.service != each.service), None)
        fine = other is None or (other.prefix == each.prefix and (each.prefix in shared or not fleet_known))
        if other is not None and not fine:
            _add_overlap(each, other, findings)
        above.append(each)
    _check_shared(index, owned, findings)


def _add_overlap(one: _Owned, other: _Owned, findings: Findings) -> None:
    early, late = sorted((one, other), key=lambda owned: owned.node.place)
    hint = "; if they share it, list it under shared_prefixes of the fleet" if one.prefix == other.prefix else ""
    message = f"{late.prefix} overlaps {early.prefix} of the service {early.service!r} at {early.node.place}{hint}"
    findings.add(FindingKind.OVERLAP, late.node.place, late.node.path(), message)


@dataclass(frozen=True, slots=True)
class _Once:
    prefix: Prefix
    node: Node


def _unrepeated(service: ServiceShape, findings: Findings) -> Iterable[_Once]:
    seen: dict[Prefix, Placed[Prefix]] = {}
    for placed in service.prefixes:
        if placed.value in seen:
            message = f"{placed.value} is listed twice; the first is at {seen[placed.value].node.place}"
            findings.add(FindingKind.REPEATED, placed.node.place, placed.node.path(), message)
            continue
        cover = next((prefix for prefix in seen if prefix.overlaps(placed.value)), None)
        if cover is not None:
            message = f"{placed.value} and {cover} of the same service overlap"
            findings.add(FindingKind.COVERED, placed.node.place, placed.node.path(), message)
        seen[placed.value] = placed
        yield _Once(placed.value, placed.node)


def _check_shared(index: Index, owned: list[_Owned], findings: Findings) -> None:
    shape = index.fleet.shape if index.fleet else None
    if shape is None or not index.folder_whole or not all(service.whole for service in index.services):
        return
    users: dict[Prefix, set[str]] = {}
    for each in owned:
        users.setdefault(each.prefix, set()).add(each.service)
    for text in shape.shared_prefixes or {}:
        count = len(users.get(parse_prefix(text), ()))
        if count < 2:
            message = f"{count or 'no'} service announces {text}; it is not shared"
            shape.add_at_entry(findings, FindingKind.SHARED_UNUSED, "shared_prefixes", text, message)


def check_watch(index: Index, findings: Findings) -> None:
    """Find what is watched for and concerns no prefix of a service, or contradicts one."""
    shape = index.fleet.shape if index.fleet else None
    if shape is None or shape.watch is None or not index.folder_whole or not all(s.whole for s in index.services):
        return
    announced = [placed.value for each in index.services if each.shape for placed in each.shape.prefixes]
    for rule in shape.watch.more_specifics or ():
        if not any(rule.prefix.value.overlaps(prefix) for prefix in announced):
            message = f"no service announces {rule.prefix.value}, or a prefix within or around it"
            findings.add(FindingKind.NO_EFFECT, rule.prefix.node.place, rule.prefix.node.path(), message)
    for placed in shape.watch.unannounced or ():
        within = next((prefix for prefix in announced if placed.value.contains(prefix)), None)
        if within is not None:
            message = f"{placed.value} is not to be announced, and a service announces {within}"
            findings.add(FindingKind.OVERLAP, placed.node.place, placed.node.path(), message)


def check_mitigations(service: ServiceShape, prefixes_whole: bool, findings: Findings) -> None:
    """Find mitigations that are no more-specifics of the service's prefixes, and those listed twice."""
    seen: dict[Prefix, Placed[Prefix]] = {}
    prefixes = [placed.value for placed in service.prefixes]
    for placed in service.mitigations or ():
        if placed.value in seen:
            message = f"{placed.value} is listed twice; the first is at {seen[placed.value].node.place}"
            findings.add(FindingKind.REPEATED, placed.node.place, placed.node.path(), message)
        seen.setdefault(placed.value, placed)
        within = any(prefix.contains(placed.value) and prefix != placed.value for prefix in prefixes)
        if prefixes_whole and not within:
            told = ", ".join(map(str, prefixes[:4]))
            message = f"{placed.value} is no more-specific of the service's prefixes: {told}"
            findings.add(FindingKind.OUTSIDE, placed.node.place, placed.node.path(), message)


def check_addresses(service: ServiceShape, prefixes_whole: bool, findings: Findings) -> None:
    """Find addresses outside the service's prefixes, and those listed twice."""
    seen: dict[Address, Placed[Address]] = {}
    prefixes = [placed.value for placed in service.prefixes]
    for placed in service.addresses:
        if placed.value in seen:
            message = f"{placed.value} is listed twice; the first is at {seen[placed.value].node.place}"
            findings.add(FindingKind.REPEATED, placed.node.place, placed.node.path(), message)
        seen.setdefault(placed.value, placed)
        if prefixes_whole and not any(prefix.contains(placed.value) for prefix in prefixes):
            message = f"{placed.value} is in none of the service's prefixes: {', '.join(map(str, prefixes[:4]))}"
            findings.add(FindingKind.OUTSIDE, placed.node.place, placed.node.path(), message)
