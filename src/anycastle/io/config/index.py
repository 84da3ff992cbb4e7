"""All files of a fleet together, and the names that they give: what references are checked against.

Names are taken from the nodes and not from the shapes, so that a PoP with an error elsewhere in its file is still
known, and no reference to it is reported in vain.
"""

from collections.abc import Iterable
from collections.abc import Mapping as ReadMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Findings
from anycastle.io.config.folder import File, Folder
from anycastle.io.config.nodes import Mapping, Node, children
from anycastle.io.config.shape import Shape, read_shape
from anycastle.io.config.shapes.fleet import FleetShape
from anycastle.io.config.shapes.pop import PoPShape
from anycastle.io.config.shapes.service import ServiceShape

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True, slots=True)
class Described(Generic[S]):
    """One file: its tree, its shape without what is wrong, and whether nothing was wrong within it."""

    root: Mapping | None
    shape: S | None
    whole: bool

    @property
    def name(self) -> str | None:
        """The name it gives itself."""
        return self.root.text_of("name") if self.root else None

    @property
    def name_node(self) -> Node | None:
        """Where the name stands."""
        return self.root.entries["name"] if self.root and self.name is not None else None


@dataclass(frozen=True, slots=True)
class Index:
    """The fleet's files. `pops` and `services` are in the order of their names; the first of a name counts."""

    fleet: Described[FleetShape] | None
    pops: tuple[Described[PoPShape], ...]
    services: tuple[Described[ServiceShape], ...]
    pops_by_name: ReadMapping[str, Described[PoPShape]]
    folder_whole: bool
    """Whether every file could be read; otherwise a name that is missing proves nothing."""

    @property
    def pop_names(self) -> tuple[str, ...]:
        """Names of all PoPs, in order, each once."""
        return tuple(self.pops_by_name)

    @property
    def pops_known(self) -> bool:
        """Whether every PoP's name is known."""
        return self.folder_whole and all(pop.name is not None for pop in self.pops)


def read_index(folder: Folder, findings: Findings) -> Index:
    """Read every file of the folder."""
    folder_whole = not findings.errors
    fleet = _described(folder.fleet, FleetShape, findings) if folder.fleet else None
    pops = _ordered(_described(file, PoPShape, findings) for file in folder.pops)
    services = _ordered(_described(file, ServiceShape, findings) for file in folder.services)
    by_name = {pop.name: pop for pop in reversed(pops) if pop.name is not None}
    return Index(fleet, pops, services, dict(reversed(by_name.items())), folder_whole)


def _described(file: File, shape: type[S], findings: Findings) -> Described[S]:
    before = findings.errors
    root = read_document(file.name, file.octets, findings)
    read = read_shape(shape, root, findings) if root else None
    return Described(root, read, whole=findings.errors == before)


def _ordered(read: Iterable[Described[S]]) -> tuple[Described[S], ...]:
    return tuple(sorted(read, key=lambda each: each.name or ""))


def upstream_names(pop: Described[PoPShape]) -> frozenset[str] | None:
    """Give the names of a PoP's upstreams, or None if one of them is not known."""
    names = [
        upstream.text_of("name") if isinstance(upstream, Mapping) else None
        for upstream in children(pop.root.entries.get("upstreams") if pop.root else None)
    ]
    known = frozenset(name for name in names if name is not None)
    return known if names and len(known) == len(names) else None
