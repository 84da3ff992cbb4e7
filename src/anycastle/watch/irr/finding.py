"""What an audit finds in registries, and what it looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.irr import ASSet, AutNum, RouteObject, SetName
from anycastle.model.prefix import Prefix
from anycastle.watch.irr.expansion import Expanded
from anycastle.watch.roas import Planned, VRPs

SEVERITIES: Final = ("error", "warning", "notice")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class IRRFinding:
    """Something in the registries that should be otherwise. Codes are explained in docs/reference/irr-findings.md."""

    code: str
    severity: str
    subject: str
    text: str
    evidence: tuple[str, ...] = ()
    """The objects that it was seen by."""


@dataclass(frozen=True, slots=True)
class SetView:
    """An as-set as registries have it: what it comes to, and its object in each source."""

    name: SetName
    expanded: Expanded
    objects: tuple[ASSet, ...]


@dataclass(frozen=True, slots=True)
class RegistryView:
    """All that registries say about a fleet, as far as it was asked for."""

    routes: tuple[RouteObject, ...]
    """Route objects for the fleet's prefixes, for what lies in them, and for what covers them."""
    sets: tuple[SetView, ...] = ()
    networks: Mapping[ASN, AutNum] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditInput:
    """What the checks look at. Without VRPs nothing is said about the RPKI, without maintainers nothing of those."""

    fleet: Fleet
    planned: tuple[Planned, ...]
    view: RegistryView
    vrps: VRPs | None = None
    maintainers: frozenset[str] = frozenset()

    @property
    def origins(self) -> frozenset[ASN]:
        """The fleet's origins: its own ASN, and those that may announce besides."""
        return frozenset((self.fleet.asn, *self.fleet.watch.origins))

    def objects(self, prefix: Prefix) -> tuple[RouteObject, ...]:
        """Give the route objects of just this prefix."""
        return tuple(each for each in self.view.routes if each.prefix == prefix)


def own_space(fleet: Fleet) -> tuple[Prefix, ...]:
    """Give the fleet's prefixes: what services announce, what rules allow parts of, and what nobody is to announce."""
    prefixes = {prefix for service in fleet.services for prefix in service.prefixes} | set(fleet.watch.unannounced)
    return tuple(sorted(prefixes | {rule.prefix for rule in fleet.watch.more_specifics}))
