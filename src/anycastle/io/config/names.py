"""Names within and across files: each unique, and each reference to one that exists."""

from collections.abc import Hashable, Iterable

from anycastle.io.config.findings import FindingKind, Findings, did_you_mean
from anycastle.io.config.index import Described, Index
from anycastle.io.config.nodes import Mapping, Node, Placed, Scalar, children
from anycastle.io.config.shapes.pop import PoPShape
from anycastle.io.config.shapes.service import ServiceShape


def check_names(index: Index, findings: Findings) -> None:
    """Find names, sessions and router ids that are given twice."""
    add, name = findings, FindingKind.DUPLICATE_NAME
    for what, described in (("PoP", index.pops), ("service", index.services)):
        _find_repeated(((each.name, each.name_node) for each in described), name, f"another {what} of this name", add)
    for pop in index.pops:
        _find_repeated(_named(pop.root, "upstreams"), name, "another upstream of this name", add)
        if pop.shape:
            _check_sessions(pop.shape, findings)
    for service in index.services:
        _find_repeated(_named(service.root, "checks"), name, "another check of this name", add)
    _find_repeated(_router_ids(index.pops), FindingKind.SESSION_CLASH, "the router id of another PoP", add)
    if index.fleet and index.fleet.shape:
        regions = ((region.value, region.node) for region in index.fleet.shape.regions)
        _find_repeated(regions, FindingKind.REPEATED, "the same region", add)


def _find_repeated(
    named: Iterable[tuple[Hashable, Node | None]], kind: FindingKind, what: str, findings: Findings
) -> None:
    """Add a finding at each that was given before, in the order of places, with the first one's place."""
    standing = [(value, node) for value, node in named if value is not None and node is not None]
    first: dict[Hashable, Node] = {}
    for value, node in sorted(standing, key=lambda each: each[1].place):
        if value in first:
            message = f"{str(value)!r} is given twice; {what} is at {first[value].place}"
            findings.add(kind, node.place, node.path(), message)
        first.setdefault(value, node)


def _named(root: Mapping | None, key: str) -> Iterable[tuple[Hashable, Node | None]]:
    for each in children(root.entries.get(key) if root else None):
        if isinstance(each, Mapping):
            yield each.text_of("name"), each.entries.get("name")


def _router_ids(pops: Iterable[Described[PoPShape]]) -> Iterable[tuple[Hashable, Node | None]]:
    for pop in pops:
        if pop.shape:
            router = pop.shape.router
            yield router.router_id, router.node.entries["router_id"]


def _check_sessions(pop: PoPShape, findings: Findings) -> None:
    sessions = (
        ((neighbour.address, neighbour.port), neighbour.node.entries["address"])
        for upstream in pop.upstreams
        for neighbour in upstream.neighbours
    )
    seen: dict[Hashable, Node] = {}
    for session, node in sessions:
        if session in seen:
            message = f"another session of this PoP has the same neighbour and port, at {seen[session].place}"
            findings.add(FindingKind.SESSION_CLASH, node.place, node.path(), message)
        seen.setdefault(session, node)


def check_region(pop: PoPShape, index: Index, findings: Findings) -> None:
    """Find a region that the fleet does not list."""
    root = index.fleet.root if index.fleet else None
    if root is None or "regions" not in root.entries:
        return
    regions = {node.text for node in children(root.entries["regions"]) if isinstance(node, Scalar)}
    if regions and pop.region not in regions:
        message = f"the fleet has no region {pop.region!r}{did_you_mean(pop.region, regions)}"
        pop.add(findings, FindingKind.UNKNOWN_REGION, "region", message)


def pops_of(service: ServiceShape, index: Index, findings: Findings) -> tuple[str, ...]:
    """Give the names of the PoPs that the service names and that exist; find the others, and those named twice."""
    if service.pops is None:
        return index.pop_names
    known = _existing(service.pops, index, index.pop_names, "there is no PoP", findings)
    _find_repeated(((each.value, each.node) for each in service.pops), FindingKind.REPEATED, "the same PoP", findings)
    return tuple(dict.fromkeys(known))


def all_pops_known(service: ServiceShape, index: Index) -> bool:
    """Tell whether each PoP that the service names exists: the one that is missing may be the one that was misspelt."""
    if service.pops is None:
        return True
    written = sum(1 for _ in children(service.node.entries.get("pops")))
    return written == len(service.pops) and all(each.value in index.pops_by_name for each in service.pops)


def check_windows(service: ServiceShape, names: tuple[str, ...], index: Index, findings: Findings) -> None:
    """Find PoPs of maintenance windows that do not serve the service. `names` are its PoPs."""
    may_serve = names if all_pops_known(service, index) else index.pop_names
    for window in service.maintenance or ():
        if window.pops is not None:
            _existing(window.pops, index, may_serve, "no PoP of this service is called", findings)


def check_notify(index: Index, findings: Findings) -> None:
    """Find PoPs, services and regions in the filters of `notify.routes` that do not exist."""
    shape = index.fleet.shape if index.fleet else None
    if shape is None or shape.notify is None:
        return
    regions = [each.value for each in shape.regions]
    for route in shape.notify.routes:
        _existing(route.pops or (), index, index.pop_names, "there is no PoP", findings)
        _existing_services(route.services or (), index, findings)
        for each in route.regions or ():
            if each.value not in regions and not shape.misread("regions"):
                message = f"the fleet has no region {each.value!r}{did_you_mean(each.value, regions)}"
                findings.add(FindingKind.UNKNOWN_REGION, each.node.place, each.node.path(), message)


def check_status(index: Index, findings: Findings) -> None:
    """Find services of public components that do not exist."""
    shape = index.fleet.shape if index.fleet else None
    if shape is not None and shape.status is not None:
        _existing_services(tuple(each.service for each in shape.status.components), index, findings)


def _existing_services(written: tuple[Placed[str], ...], index: Index, findings: Findings) -> None:
    services = [each.name for each in index.services if each.name is not None]
    if not index.folder_whole or len(services) != len(index.services):
        return
    for each in written:
        if each.value not in services:
            message = f"there is no service {each.value!r}{did_you_mean(each.value, services)}"
            findings.add(FindingKind.UNKNOWN_SERVICE, each.node.place, each.node.path(), message)


def _existing(
    written: tuple[Placed[str], ...], index: Index, names: tuple[str, ...], what: str, findings: Findings
) -> list[str]:
    for each in written:
        if each.value not in names and index.pops_known:
            message = f"{what} {each.value!r}{did_you_mean(each.value, names)}"
            findings.add(FindingKind.UNKNOWN_POP, each.node.place, each.node.path(), message)
    return [each.value for each in written if each.value in names]
