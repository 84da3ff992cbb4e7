"""What was promised, counted as it comes: events and good ones of each objective, for the rules that Prometheus runs.

They are totals since the collector was first started, and never cells of time: `rate()` and `increase()` make the
windows. An event counts for every objective of its service that is about its indicator, by the indicator's own rule of
what is left out; an objective about times counts what was answered, and whether it was in time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from anycastle.model.fleet import Fleet
from anycastle.model.objective import Objective
from anycastle.model.prefix import Prefix
from anycastle.slo.tally import Tally

COUNTED: Final = frozenset({"routing_success", "edge_latency", "client_errors", "cache_hits"})
"""Indicators whose single events come by here."""

REGIONS_MAX: Final = 300
"""Of one objective, and one for the others: more than there are countries."""

ADDRESSES_MAX: Final = 20_000
"""Whose service is remembered."""

ALL: Final = ""
"""The one network that a total knows."""

Key = tuple[str, str, str]
"""Service, objective, region."""


@dataclass(slots=True)
class Promised:
    """Totals of the objectives of one fleet."""

    objectives: tuple[Objective, ...] = ()
    prefixes: tuple[tuple[Prefix, str], ...] = ()
    """Each with its service."""
    tallies: dict[Key, Tally] = field(default_factory=dict)
    _services: dict[str, str] = field(default_factory=dict)

    def service_of(self, address: str) -> str:
        """Give the service whose prefix has an address; '' where none has."""
        known = self._services.get(address)
        if known is None:
            known = self._service_of(address)
            if len(self._services) < ADDRESSES_MAX:
                self._services[address] = known
        return known

    def _service_of(self, address: str) -> str:
        try:
            asked = ip_address(address)
        except ValueError:
            return ""
        covering = [(prefix.length, service) for prefix, service in self.prefixes if prefix.contains(asked)]
        return max(covering)[1] if covering else ""

    def of(self, service: str, indicator: str, region: str) -> list[Tally]:
        """Give the tallies that an event of an indicator counts in."""
        return [
            self._tally(each, region)
            for each in self.objectives
            if each.service == service and each.indicator == indicator
        ]

    def answered(self, service: str, region: str, milliseconds: float, number: float = 1.0) -> None:
        """Count answers that took so long, for objectives about their time."""
        for each in self.objectives:
            if each.service != service or each.indicator != "edge_latency" or each.threshold_ms is None:
                continue
            self._tally(each, region).add(ALL, good=milliseconds <= each.threshold_ms, weight=number)

    def _tally(self, objective: Objective, region: str) -> Tally:
        key = (objective.service, objective.name, region)
        known = self.tallies.get(key)
        if known is not None:
            return known
        mine = sum(each[:2] == key[:2] for each in self.tallies)
        if mine >= REGIONS_MAX and region != ALL:
            return self._tally(objective, ALL)
        return self.tallies.setdefault(key, Tally())

    def totals(self) -> list[tuple[Key, float, float]]:
        """Give (key, events, good ones), in the order of their names."""
        return [
            (key, tally.total.get(ALL, 0.0), tally.good.get(ALL, 0.0)) for key, tally in sorted(self.tallies.items())
        ]

    def restore(self, totals: Iterable[tuple[Key, float, float]]) -> None:
        """Go on from totals that were kept; those of objectives that are gone are let go."""
        wanted = {(each.service, each.name) for each in self.objectives}
        for key, events, good in totals:
            if key[:2] in wanted:
                self.tallies[key] = Tally({ALL: good}, {ALL: events})


def promised_of(fleet: Fleet) -> Promised:
    """Give what a fleet promises that can be counted here."""
    return Promised(
        tuple(each for each in fleet.objectives if each.indicator in COUNTED),
        tuple((prefix, service.name) for service in fleet.services for prefix in service.prefixes),
    )


def uncounted(fleet: Fleet) -> Mapping[str, str]:
    """Give what is promised and is not counted here: `service/objective` -> its indicator."""
    return {f"{each.service}/{each.name}": each.indicator for each in fleet.objectives if each.indicator not in COUNTED}
