"""All that the checks of a plan look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import Timestamp
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.model.rpki import Validity, ValidityOf
from anycastle.model.service import Floor, Service
from anycastle.rollout.difference import Change, ChangeKind, Difference
from anycastle.rollout.foreseen import ForeseenShift
from anycastle.rollout.intent import Intent
from anycastle.rollout.limits import BlastLimits, Extent
from anycastle.rollout.live import Live
from anycastle.rollout.presence import Presence
from anycastle.rollout.staging import Step


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside the files and the agents' reports."""

    limits: BlastLimits = BlastLimits()
    validity: Mapping[Prefix, Validity] | None = None
    """Of each prefix with the fleet's ASN as origin; None where no RPKI data were given."""
    foreseen: tuple[ForeseenShift, ...] | None = None
    """None where no graph was given."""
    retiring: frozenset[str] = frozenset()
    """Services whose end was asked for by name."""
    canary_upstreams: tuple[str, ...] = ()


def validities(fleet: Fleet, validity: ValidityOf) -> Mapping[Prefix, Validity] | None:
    """Give the validity of all that a fleet announces, or may against a hijack; None where no RPKI data are there."""
    prefixes = {prefix for service in fleet.services for prefix in (*service.prefixes, *service.mitigations)}
    said = {prefix: validity(prefix, fleet.asn) for prefix in sorted(prefixes)}
    return None if Validity.UNKNOWN in said.values() else said


@dataclass(frozen=True, slots=True)
class CheckInput:
    """One plan before it is judged."""

    intent: Intent
    live: Live
    difference: Difference
    steps: tuple[Step, ...]
    extent: Extent
    now: Timestamp
    evidence: Evidence = field(default_factory=Evidence)

    def floor(self, service: Service) -> Floor:
        """Give the floor that counts: the files', and what agents still hold to where that is higher.

        So a floor is lowered by a change of its own, before anything is withdrawn below it.
        """
        said = [each.services[service.name] for each in self.live.reports.values() if service.name in each.services]
        told = [service.floor, *(each.floor for each in said if each.floor is not None)]
        return Floor(max(each.pops for each in told), max(each.capacity for each in told))

    def touched(self) -> tuple[Service, ...]:
        """Give the services of the files whose routes change, in the fleet's order."""
        prefixes = {change.key.prefix for change in self.difference.changes}
        return tuple(each for each in self.intent.fleet.services if prefixes & set(each.prefixes))

    def changed(self) -> tuple[Service, ...]:
        """Give the services of the files whose routes or definitions change, in the fleet's order."""
        names = {service.name for service in self.touched()} | self.difference.services
        return tuple(each for each in self.intent.fleet.services if each.name in names)

    def announcing(self) -> Iterator[tuple[Service, list[str], list[str]]]:
        """Give each service that changes, with the PoPs that announce it before the plan and after."""
        presence, services = Presence(self.live), self.touched()
        before = [presence.announcing(service) for service in services]
        presence.apply(self.difference.changes)
        for service, pops in zip(services, before, strict=True):
            yield service, pops, presence.announcing(service)

    def withdrawn(self) -> tuple[Change, ...]:
        """Give the routes that end."""
        return tuple(each for each in self.difference.changes if each.kind is ChangeKind.WITHDRAWN)
