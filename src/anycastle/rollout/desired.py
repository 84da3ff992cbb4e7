"""What is desired of the fleet while rollouts are under way: one revision, and others unit by unit (ADR 23)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from anycastle.rollout.intent import RouteKey


@dataclass(frozen=True, slots=True, order=True)
class DefinitionKey:
    """Names what a service is at a PoP, beside its routes: checks, quorum, steering, lease, floor."""

    pop: str
    service: str
    """Empty for the PoP itself: its router, upstreams, region, capacity."""

    def __str__(self) -> str:
        return f"{self.pop} {self.service}".rstrip()


NOTHING_DESIRED: Final = ""
"""The revision before any was adopted: no PoP is told anything."""

Unit = RouteKey | DefinitionKey
"""What a rollout changes alone."""


@dataclass(frozen=True, slots=True)
class Desired:
    """Of which revision of the fleet folder each unit is to be."""

    revision: str
    """Of all units that are not named."""
    exceptions: Mapping[Unit, str] = field(default_factory=dict)

    def of(self, unit: Unit) -> str:
        """Give the revision of a unit."""
        return self.exceptions.get(unit, self.revision)

    def with_units(self, units: Iterable[Unit], revision: str) -> "Desired":
        """Give the desired state with these units at a revision."""
        exceptions = {**self.exceptions, **dict.fromkeys(units, revision)}
        return Desired(self.revision, {unit: at for unit, at in exceptions.items() if at != self.revision})

    @property
    def revisions(self) -> frozenset[str]:
        """Give all revisions that are needed to compose what PoPs are to do."""
        return frozenset({self.revision, *self.exceptions.values()})
