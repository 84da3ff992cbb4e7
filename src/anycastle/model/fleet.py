"""The whole of what an operator wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.model.asn import ASN
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.notify import NotifyPlan
from anycastle.model.objective import Objective
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.public_page import NOTHING_PUBLIC, PublicPage
from anycastle.model.service import Service
from anycastle.model.watch import WatchPlan


class SharedPrefix(Enum):
    """When a prefix that several services share is withdrawn: when ALL of them are down, or when ANY is."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Fleet:
    """One anycast network: its ASN, regions, PoPs and services."""

    name: str
    asn: ASN
    regions: tuple[str, ...]
    pops: tuple[PoP, ...]
    services: tuple[Service, ...]
    shared_prefixes: Mapping[Prefix, SharedPrefix] = field(default_factory=dict)
    """Prefixes of more than one service; ALL where the operator says nothing."""
    watch: WatchPlan = WatchPlan()
    """What the Internet may show of the prefixes."""
    controller: ControllerAccess | None = None
    """How agents reach controllers, which deal withdraw permits then; None where the files deal them."""
    objectives: tuple[Objective, ...] = ()
    """What is promised of the services; they change nothing at a PoP."""
    notify: NotifyPlan = NotifyPlan()
    """Who is told of incidents; controllers read it from their own copy of the folder."""
    status: PublicPage = NOTHING_PUBLIC
    """What the public is told; it changes nothing at a PoP."""

    def pop(self, name: str) -> PoP:
        """Give the PoP of that name. Raises `KeyError`."""
        for pop in self.pops:
            if pop.name == name:
                return pop
        raise KeyError(name)

    def services_at(self, pop: str) -> tuple[Service, ...]:
        """Give the services that a PoP serves, in the fleet's order."""
        return tuple(service for service in self.services if pop in service.pops)
