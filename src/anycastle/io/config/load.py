"""A fleet folder -> the fleet, or everything that is wrong with it.

Four passes, each going on after errors: the files are read into trees; each tree into a shape (pydantic), without
what is wrong in it; names, prefixes, policies and floors are checked across files; and only if there is no error at
all is the fleet built. A check that counts (a floor, a quorum) runs only where nothing was left out.
"""

from dataclasses import dataclass
from pathlib import Path

from anycastle.io.config.build import build_fleet, build_objectives, build_pop, build_service
from anycastle.io.config.findings import Finding, Findings, Severity
from anycastle.io.config.floors import check_floor
from anycastle.io.config.folder import read_folder
from anycastle.io.config.index import Described, Index, read_index
from anycastle.io.config.names import check_names, check_notify, check_region, check_status, check_windows, pops_of
from anycastle.io.config.overlap import check_addresses, check_mitigations, check_prefixes, check_watch, shared_prefixes
from anycastle.io.config.policies import check_scopes, policies_of
from anycastle.io.config.shapes.service import ServiceShape
from anycastle.model.fleet import Fleet
from anycastle.model.service import Service


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What loading gave: the fleet, or None where one finding at least is an error."""

    fleet: Fleet | None
    findings: tuple[Finding, ...]
    """Sorted by file, line and column."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the folder from being used."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that ask for a second look."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)


def load_fleet(path: str | Path) -> LoadResult:
    """Give the fleet that a folder describes, or all findings at once. Raises nothing for what the folder holds.

    Costs about 1 ms a service of 25 lines; three times that for one in which something is found, or without libyaml.
    """
    findings = Findings()
    index = read_index(read_folder(Path(path), findings), findings)
    check_names(index, findings)
    for pop in index.pops:
        if pop.shape:
            check_region(pop.shape, index, findings)
    check_prefixes(index, findings)
    check_watch(index, findings)
    check_notify(index, findings)
    check_status(index, findings)
    services = [_service(described, index, findings) for described in index.services]
    fleet = None if findings.errors else _fleet(index, services)
    return LoadResult(fleet, findings.sorted())


def _service(described: Described[ServiceShape], index: Index, findings: Findings) -> Service | None:
    """Check one service against the rest of the fleet; give it if it is without errors."""
    shape = described.shape
    if shape is None:
        return None
    before = findings.errors
    names = pops_of(shape, index, findings)
    found = [index.pops_by_name[name] for name in names]
    shapes = [pop.shape for pop in found if pop.shape is not None]
    check_addresses(shape, _all_read(shape), findings)
    check_mitigations(shape, _all_read(shape), findings)
    check_scopes(shape, names, index, findings)
    check_windows(shape, names, index, findings)
    own = index.fleet.shape.asn if index.fleet and index.fleet.shape else None
    policies = policies_of(shape, shapes, own, findings)
    if not described.whole or not index.folder_whole or findings.errors != before:
        return None
    if not all(pop.whole for pop in found):
        return None
    check_floor(shape, shapes, policies, findings)
    return None if findings.errors != before else build_service(shape, names, policies)


def _all_read(shape: ServiceShape) -> bool:
    """Tell whether every prefix that is written could be read."""
    written = shape.node.entries["prefixes"]
    return len(getattr(written, "items", ())) == len(shape.prefixes)


def _fleet(index: Index, services: list[Service | None]) -> Fleet | None:
    assert index.fleet is not None
    assert index.fleet.shape is not None
    pops = tuple(build_pop(pop.shape) for pop in index.pops if pop.shape)
    built = tuple(service for service in services if service is not None)
    assert len(built) == len(index.services)
    promised = tuple(each for service in index.services if service.shape for each in build_objectives(service.shape))
    return build_fleet(index.fleet.shape, pops, built, shared_prefixes(index), promised)
