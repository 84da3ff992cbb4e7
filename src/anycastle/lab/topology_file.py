"""A topology's YAML file -> the topology, or all that is wrong with it, each at its place."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.base.errors import MisuseError
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Finding, FindingKind, Findings, Place, Severity, did_you_mean
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.nodes import Mapping, Placed, children
from anycastle.io.config.nodes import Node as YAMLNode
from anycastle.io.config.scalars import (
    ASNText,
    Boolean,
    Capacity,
    HoldTime,
    Interval,
    Name,
    NameReference,
    PlacedAddress,
    PrefixText,
    Prepend,
    Run,
    Text,
    one_of,
    word,
    words_schema,
)
from anycastle.io.config.shape import ITEMS, Shape, read_shape
from anycastle.io.config.shapes.check import CheckShape
from anycastle.io.config.shapes.pop import LocationShape
from anycastle.io.config.shapes.service import DampeningShape, FloorShape, LeaseShape, OnExitWord, WhenAloneWord
from anycastle.lab.topology import LabService, Link, Node, NodeKind, Relation, Timers, Topology
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.service import Dampening, Floor, Lease, OnExit, WhenAlone

_ROUTERS: Final = ("bird", "frr", "gobgp", "embedded")
_NAME_MAX: Final = 15
"""A node's name becomes that of its neighbours' interfaces, which Linux bounds (IFNAMSIZ)."""
_TIMERS: Final = Timers()
_NETWORKS: Final = {
    "transits": NodeKind.TRANSIT,
    "route_servers": NodeKind.ROUTE_SERVER,
    "clients": NodeKind.CLIENT,
    "collectors": NodeKind.COLLECTOR,
}
"""Keys of nodes that are not PoPs."""

RouterWord = Annotated[
    str, PlainValidator(word({each: each for each in _ROUTERS})), WithJsonSchema({"enum": list(_ROUTERS)})
]
RelationWord = Annotated[Relation, PlainValidator(one_of(Relation)), words_schema(Relation)]


class PlaceShape(Shape):
    """What all nodes have."""

    name: Name = Field(description="Name of the node, at most 15 characters.")
    city: Text = Field(description="City, for people.")
    location: LocationShape = Field(description="Where it is.")
    region: Name = Field("lab", description="Region, for people.")
    router: RouterWord = Field("bird", description="In namespaces, its routing daemon.")

    def review(self, findings: Findings) -> None:
        """The name fits an interface's."""
        if len(self.name) > _NAME_MAX:
            message = f"{self.name!r} is longer than {_NAME_MAX} characters, and interfaces are called after nodes"
            self.add(findings, FindingKind.BAD_VALUE, "name", message)

    def at(self, kind: NodeKind, asn: ASN) -> Node:
        """Give the node without what only some have."""
        location = Location(self.location.latitude, self.location.longitude)
        return Node(self.name, kind, asn, self.city, location, self.region, self.router)


class SiteShape(PlaceShape):
    """A PoP; its AS number is the topology's."""

    capacity: Capacity | None = Field(None, description="What it can serve, such as `10G`.")


class NetworkShape(PlaceShape):
    """A network of its own, with one router."""

    asn: ASNText = Field(description="Its AS number.")
    networks: Annotated[tuple[PrefixText, ...], ITEMS] | None = Field(
        None, description="Prefixes that it originates itself."
    )


class LinkShape(Shape):
    """A BGP session and the wire under it."""

    first: NameReference = Field(description="One end.")
    second: NameReference = Field(description="The other end.")
    relation: RelationWord = Field(description="What `first` is to `second`: `customer`, `peer` or `monitor`.")
    prepend: Prepend = Field(0, description="Own AS number repeated this many times by `first` towards `second`.")


class LabServiceShape(Shape):
    """A DNS service of the PoPs."""

    name: Name = Field(description="Name of the service.")
    prefix: PrefixText = Field(description="Its anycast prefix.")
    address: PlacedAddress = Field(description="Its address within the prefix.")
    pops: Annotated[tuple[NameReference, ...], ITEMS] = Field(
        description="PoPs that serve it; permits to withdraw are dealt from the first."
    )
    checks: Annotated[tuple[CheckShape, ...], ITEMS] | None = Field(None, description="Default: one DNS check.")
    floor: FloorShape | None = Field(None, description="What must keep announcing. Default: one PoP.")
    on_exit: OnExitWord = Field(OnExit.WITHDRAW, description="`withdraw` or `hold`.")
    when_alone: WhenAloneWord = Field(WhenAlone.ANNOUNCE, description="`announce` or `withdraw`.")
    lease: LeaseShape | None = Field(None, description="How long an announcement outlives the agent.")
    dampening: DampeningShape | None = Field(None, description="Flap dampening (RFC 2439).")

    def review(self, findings: Findings) -> None:
        """The address is within the prefix."""
        if not self.prefix.value.contains(self.address.value):
            message = f"{self.address.value} is outside {self.prefix.value}"
            self.add(findings, FindingKind.OUTSIDE, "address", message)

    def service(self) -> LabService:
        """Give the topology's service."""
        floor, lease, damping = self.floor, self.lease, self.dampening
        return LabService(
            name=self.name,
            prefix=self.prefix.value,
            address=self.address.value,
            pops=tuple(placed.value for placed in self.pops),
            checks=tuple(check.check() for check in self.checks or ()),
            floor=Floor(floor.pops, floor.capacity or 0.0) if floor else Floor(),
            on_exit=self.on_exit,
            when_alone=self.when_alone,
            lease=Lease(lease.end, lease.duration, lease.hold) if lease else Lease(),
            dampening=Dampening(
                damping.penalty, damping.suppress, damping.reuse, damping.half_life, damping.max_suppress
            )
            if damping
            else Dampening(),
        )


class TimersShape(Shape):
    """The lab's clocks."""

    check_interval: Interval = Field(_TIMERS.check_interval_s, description="Time between checks.")
    check_timeout: Interval = Field(_TIMERS.check_timeout_s, description="How long a check may take.")
    fall: Run = Field(_TIMERS.fall, description="Failures in a row that make a service down.")
    rise: Run = Field(_TIMERS.rise, description="Passes in a row that make it up.")
    hold_time: HoldTime = Field(_TIMERS.hold_time_s, description="BGP hold time.")
    bfd: Interval | None = Field(None, description="Interval of BFD, three of which are silence; off if not given.")
    graceful_restart: Boolean = Field(_TIMERS.graceful_restart, description="Ask neighbours to keep routes.")

    def timers(self) -> Timers:
        """Give the topology's timers."""
        bfd_ms = None if self.bfd is None else round(self.bfd * 1000)
        return Timers(
            check_interval_s=self.check_interval,
            check_timeout_s=self.check_timeout,
            fall=self.fall,
            rise=self.rise,
            hold_time_s=self.hold_time,
            bfd_ms=bfd_ms,
            graceful_restart=self.graceful_restart,
        )


Networks = Annotated[tuple[NetworkShape, ...], ITEMS]


class TopologyShape(Shape):
    """A topology's file."""

    name: Name = Field(description="Name of the topology.")
    asn: ASNText = Field(description="AS number of the anycast network.")
    pops: Annotated[tuple[SiteShape, ...], ITEMS] = Field(description="The PoPs.")
    transits: Networks | None = Field(None, description="Networks that carry others' traffic.")
    route_servers: Networks | None = Field(None, description="Exchanges, each as its route server.")
    clients: Networks = Field(description="Networks with clients.")
    collectors: Networks | None = Field(None, description="Those that only listen.")
    links: Annotated[tuple[LinkShape, ...], ITEMS] = Field(description="Who is joined to whom.")
    services: Annotated[tuple[LabServiceShape, ...], ITEMS] = Field(description="What the PoPs serve.")
    timers: TimersShape | None = Field(None, description="The lab's clocks.")

    def review(self, findings: Findings) -> None:
        """Names are unique, and links and services name what is there."""
        pops = self._named("pops")
        nodes = pops + [each for key in _NETWORKS for each in self._named(key)]
        known = [name for name, _ in nodes]
        _find_repeated(nodes, "node", findings)
        _find_repeated(self._named("services"), "service", findings)
        _find_repeated([(_ends(link), link.node) for link in self.links], "link between these", findings)
        for link in self.links:
            for placed in (link.first, link.second):
                _find_unknown(placed, known, FindingKind.BAD_VALUE, "node", findings)
            if link.first.value == link.second.value:
                link.add(findings, FindingKind.BAD_VALUE, "second", "a node is not linked to itself")
        for service in self.services:
            for placed in service.pops:
                _find_unknown(placed, [name for name, _ in pops], FindingKind.UNKNOWN_POP, "PoP", findings)

    def _named(self, key: str) -> list[tuple[str, YAMLNode]]:
        """Give the names under a key as they are written, also of what could not be read."""
        written = (each for each in children(self.node.entries.get(key)) if isinstance(each, Mapping))
        return [(name, each.entries["name"]) for each in written if (name := each.text_of("name")) is not None]

    def topology(self) -> Topology:
        """Give the topology. Only for a shape without findings."""
        nodes = [
            replace(pop.at(NodeKind.POP, self.asn), capacity=1.0 if pop.capacity is None else pop.capacity)
            for pop in self.pops
        ]
        for key, kind in _NETWORKS.items():
            for each in getattr(self, key) or ():
                networks = tuple(placed.value for placed in each.networks or ())
                nodes.append(replace(each.at(kind, each.asn), networks=networks))
        links = (Link(link.first.value, link.second.value, link.relation, link.prepend) for link in self.links)
        return Topology(
            name=self.name,
            asn=self.asn,
            nodes=tuple(nodes),
            links=tuple(links),
            services=tuple(service.service() for service in self.services),
            timers=self.timers.timers() if self.timers else Timers(),
        )


def _ends(link: LinkShape) -> frozenset[str]:
    return frozenset((link.first.value, link.second.value))


def _find_repeated(named: Iterable[tuple[Hashable, YAMLNode]], what: str, findings: Findings) -> None:
    first: dict[Hashable, YAMLNode] = {}
    for value, node in named:
        if value in first:
            message = (
                f"another {what} is at {first[value].place}"
                if isinstance(value, frozenset)
                else (f"{str(value)!r} is given twice; another {what} of this name is at {first[value].place}")
            )
            findings.add(FindingKind.DUPLICATE_NAME, node.place, node.path(), message)
        first.setdefault(value, node)


def _find_unknown(placed: Placed[str], known: list[str], kind: FindingKind, what: str, findings: Findings) -> None:
    if placed.value not in known:
        message = f"there is no {what} {placed.value!r}{did_you_mean(placed.value, known)}"
        findings.add(kind, placed.node.place, placed.node.path(), message)


@dataclass(frozen=True, slots=True)
class TopologyResult:
    """What reading gave: the topology, or None where one finding at least is an error."""

    topology: Topology | None
    findings: tuple[Finding, ...]


def read_topology(file: str, octets: bytes) -> TopologyResult:
    """Give the topology that a file's octets describe, or all findings at once."""
    findings = Findings()
    shape = None
    if len(octets) > FILE_BYTES_MAX:
        findings.add(FindingKind.TOO_LARGE, Place(file), "", f"larger than {FILE_BYTES_MAX} octets")
    else:
        root = read_document(file, octets, findings)
        shape = read_shape(TopologyShape, root, findings) if root is not None else None
    topology = None if findings.errors or shape is None else shape.topology()
    return TopologyResult(topology, findings.sorted())


def packaged() -> tuple[str, ...]:
    """Give the names of the topologies that come with the program."""
    names = (entry.name for entry in (files("anycastle.lab") / "topologies").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def find_topology(name: str) -> Topology:
    """Give a packaged topology by its name, or that of a file by its path. Raises `MisuseError` with every finding."""
    if name in packaged():
        entry = files("anycastle.lab") / "topologies" / f"{name}.yaml"
        result = read_topology(f"{name}.yaml", entry.read_bytes())
    elif "/" in name or name.endswith(".yaml"):
        try:
            octets = Path(name).read_bytes()
        except OSError as error:
            raise MisuseError(f"{name} cannot be read: {error.strerror}") from error
        result = read_topology(name, octets)
    else:
        raise MisuseError(
            f"there is no topology {name!r} (a file's name ends in .yaml){did_you_mean(name, packaged())}"
        )
    if result.topology is None:
        errors = [str(finding) for finding in result.findings if finding.severity is Severity.ERROR]
        raise MisuseError("the topology cannot be used:\n" + "\n".join(errors))
    return result.topology
