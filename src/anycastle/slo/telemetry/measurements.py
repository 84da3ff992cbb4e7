"""All that indicators are computed of, over one span: what can be merged, and is read at the end.

Sums only: of two PoPs, two hours, two processes the parts are added, and a reading is made of the whole. Everything is
bounded: networks beyond `NETWORKS_MAX` are counted as one, `others`; lists that are full leave out, and say how much.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np

from anycastle.slo.histogram import Histogram
from anycastle.slo.indicators import m01_edge_latency as m01
from anycastle.slo.indicators import m02_convergence as m02
from anycastle.slo.indicators import m03_routing_success as m03
from anycastle.slo.indicators import m04_visibility as m04
from anycastle.slo.indicators import m05_client_errors as m05
from anycastle.slo.indicators import m06_session_disruption as m06
from anycastle.slo.indicators import m07_cache_hits as m07
from anycastle.slo.indicators import m08_scrubbed as m08
from anycastle.slo.indicators import m09_check_fidelity as m09
from anycastle.slo.indicators import m10_policy_compliance as m10
from anycastle.slo.reading import GLOBAL, Reading
from anycastle.slo.tally import Tally, by_scope, merged, ratio_reading
from anycastle.slo.telemetry.sessions import EndedSession, ForeignFlow, count_sessions

NETWORKS_MAX: Final = 4_096
"""Networks of one indicator and region in one cell: more than the ASes that send a PoP nine tenths of its traffic."""

OTHERS: Final = "others"

ENTRIES_MAX: Final = 50_000
"""Sessions, flows, or courses of one cell."""

UPSTREAMS_MAX: Final = 4_096
INSTRUCTIONS_MAX: Final = 100
"""Of one upstream."""

LEVELS: Final = (0.5, 0.95)

CACHE_OCTETS: Final = "cache_hits_octets"
"""The tally of M7 by octets, beside that by requests."""

T = TypeVar("T")


@dataclass(slots=True)
class Measurements:
    """Counts of a span; see each indicator for what is in them."""

    latency: dict[str, dict[str, Histogram]] = field(default_factory=dict)
    """M1: region -> network -> times in ms."""
    courses: list[m02.Course] = field(default_factory=list)
    tallies: dict[str, dict[str, Tally]] = field(default_factory=dict)
    """Indicator's name -> region -> tally."""
    views: dict[str, dict[str, float]] = field(default_factory=dict)
    """M4: prefix -> `able`, `seeing`, `at`: the last look counts."""
    scrubbed: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """M8: PoP -> unit -> passed, dropped, overflowed, and intervals with a count."""
    ended: list[EndedSession] = field(default_factory=list)
    foreign: list[ForeignFlow] = field(default_factory=list)
    shifts: dict[str, list[float]] = field(default_factory=dict)
    """Network -> when its catchment changed."""
    verdicts: dict[str, dict[str, tuple[str, float]]] = field(default_factory=dict)
    """M10: upstream -> instruction -> what its toggles say, and when the last of them was: that one counts."""
    left_out: dict[str, float] = field(default_factory=dict)
    """What did not fit, by what it was."""

    # -- taking -------------------------------------------------------------------------------------------------------

    def tally(self, name: str, region: str) -> Tally:
        """Give the tally of an indicator and region."""
        return self.tallies.setdefault(name, {}).setdefault(region, Tally())

    def network(self, name: str, region: str, network: str) -> str:
        """Give the name that a network is counted by: its own while there is room."""
        known = self.tally(name, region).total
        return network if network in known or len(known) < NETWORKS_MAX else OTHERS

    def add_time(self, region: str, network: str, milliseconds: float, weight: float = 1.0) -> None:
        """Count a time of M1."""
        networks = self.latency.setdefault(region, {})
        if network not in networks and len(networks) >= NETWORKS_MAX:
            network = OTHERS
        networks.setdefault(network, Histogram()).add(milliseconds, weight)

    def add_scrubbed(self, pop: str, unit: m08.Unit, passed: float, dropped: float, overflowed: float = 0.0) -> None:
        """Add to what a PoP's filter counted in this span."""
        row = self.scrubbed.setdefault(pop, {}).setdefault(unit.value, [0.0, 0.0, 0.0, 1.0])
        for place, value in enumerate((passed, dropped, overflowed)):
            row[place] += value

    def add_to(self, entries: list[T], entry: T, what: str) -> None:
        """Append to a list of this span while there is room."""
        if len(entries) < ENTRIES_MAX:
            entries.append(entry)
        else:
            self.left_out[what] = self.left_out.get(what, 0.0) + 1

    def judge(self, upstream: str, instruction: str, verdict: str, at: float) -> None:
        """Take what toggles of an instruction say; of several, the latest stands."""
        known = self.verdicts.get(upstream)
        if known is None and len(self.verdicts) >= UPSTREAMS_MAX:
            self.left_out["upstreams"] = self.left_out.get("upstreams", 0.0) + 1
            return
        told = self.verdicts.setdefault(upstream, {})
        if instruction not in told and len(told) >= INSTRUCTIONS_MAX:
            self.left_out["instructions"] = self.left_out.get("instructions", 0.0) + 1
        elif instruction not in told or at >= told[instruction][1]:
            told[instruction] = verdict, at

    def merge(self, other: "Measurements") -> None:
        """Add all of another span, PoP or process."""
        for region, networks in other.latency.items():
            for network, histogram in networks.items():
                self.latency.setdefault(region, {}).setdefault(network, Histogram()).merge(histogram)
        for name, regions in other.tallies.items():
            for region, tally in regions.items():
                self.tally(name, region).merge(tally)
        for prefix, view in other.views.items():
            if view["at"] >= self.views.get(prefix, view)["at"]:
                self.views[prefix] = dict(view)
        for upstream, told in other.verdicts.items():
            for instruction, (verdict, at) in told.items():
                self.judge(upstream, instruction, verdict, at)
        for pop, units in other.scrubbed.items():
            for unit, row in units.items():
                mine = self.scrubbed.setdefault(pop, {}).get(unit, [0.0, 0.0, 0.0, 0.0])
                self.scrubbed[pop][unit] = [a + b for a, b in zip(mine, row, strict=True)]
        self.courses += other.courses
        self.ended += other.ended
        self.foreign += other.foreign
        for network, times in other.shifts.items():
            self.shifts[network] = sorted({*self.shifts.get(network, ()), *times})
        for what, number in other.left_out.items():
            self.left_out[what] = self.left_out.get(what, 0.0) + number

    # -- reading ------------------------------------------------------------------------------------------------------

    def readings(self, randomness: np.random.Generator) -> list[Reading]:
        """Give every indicator of which something is known, region by region and whole; those without any data too."""
        found = [reading for level in LEVELS for reading in m01.readings(self.latency, level, randomness)]
        found.append(m02.reading(self.courses))
        for name, read in _RATIOS.items():
            found += read(self._scopes(name), randomness)
        found.append(self._compliance(randomness))
        found += self._visibility(randomness)
        found += self._scrubbed()
        return sorted(found, key=lambda each: (int(each.indicator[1:]), each.scope == GLOBAL, each.scope, each.note))

    def _scopes(self, name: str) -> Mapping[str, Tally]:
        if name != m06.INDICATOR.name:
            return self.tallies.get(name, {})
        shown = dict(self.tallies.get(name, {}))
        for region, tally in count_sessions(self.ended, self.foreign, self.shifts).items():
            shown[region] = merged([shown[region], tally]) if region in shown else tally
        return shown

    def _compliance(self, randomness: np.random.Generator) -> Reading:
        """Read M10 of the fleet's upstreams: an upstream has no region."""
        tally = merged(self.tallies.get(m10.INDICATOR.name, {}).values())
        m10.count(
            tally,
            {
                upstream: {instruction: m10.Verdict(verdict) for instruction, (verdict, _) in told.items()}
                for upstream, told in self.verdicts.items()
            },
        )
        return ratio_reading(m10.INDICATOR.id, GLOBAL, tally, m10.INDICATOR.minimum, randomness, clustered=False)

    def _visibility(self, randomness: np.random.Generator) -> Iterator[Reading]:
        if not self.views:
            yield ratio_reading(m04.INDICATOR.id, GLOBAL, Tally(), m04.INDICATOR.minimum, randomness)
        for prefix, view in sorted(self.views.items()):
            tally = Tally({"ases": view["seeing"]}, {"ases": view["able"]}, {}, view["able"])
            yield ratio_reading(
                m04.INDICATOR.id, prefix, tally, m04.INDICATOR.minimum, randomness, clustered=False, note="at last"
            )

    def traffic(self) -> dict[str, tuple[float, float]]:
        """Give unit -> what filters were offered, and what of it they dropped as an attack."""
        found: dict[str, tuple[float, float]] = {}
        for units in self.scrubbed.values():
            for unit, (passed, dropped, overflowed, _) in units.items():
                offered, scrubbed = found.get(unit, (0.0, 0.0))
                found[unit] = offered + passed + dropped + overflowed, scrubbed + dropped
        return found

    def _scrubbed(self) -> Iterator[Reading]:
        for unit in m08.Unit:
            minutes = []
            for pop, units in self.scrubbed.items():
                passed, dropped, overflowed, intervals = units.get(unit.value, (0.0, 0.0, 0.0, 0.0))
                if intervals:
                    minutes.append(m08.Minute(pop, passed, dropped, overflowed))
                    minutes += [m08.Minute(pop, 0.0, 0.0)] * (round(intervals) - 1)
            if minutes or unit is m08.Unit.PACKETS:
                yield m08.reading(minutes, unit)


Read = Callable[[Mapping[str, Tally], np.random.Generator], list[Reading]]


def _ratio(module: "object", *, bad: bool = False, clustered: bool = True, note: str = "") -> Read:
    indicator = module.INDICATOR  # type: ignore[attr-defined]

    def read(scopes: Mapping[str, Tally], randomness: np.random.Generator) -> list[Reading]:
        return [
            ratio_reading(
                indicator.id, scope or "elsewhere", tally, indicator.minimum, randomness,
                bad=bad, clustered=clustered, note=note,
            )
            for scope, tally in sorted(by_scope(scopes).items(), key=lambda each: each[0] == GLOBAL)
        ]  # fmt: skip

    return read


_RATIOS: Final[Mapping[str, Read]] = {
    m03.INDICATOR.name: _ratio(m03),
    m05.INDICATOR.name: _ratio(m05, bad=True),
    m06.INDICATOR.name: _ratio(m06, bad=True),
    m07.INDICATOR.name: _ratio(m07, clustered=False, note="requests"),
    CACHE_OCTETS: _ratio(m07, clustered=False, note="octets"),
    m09.INDICATOR.name: _ratio(m09, bad=True, clustered=False),
}
"""Tally's name -> what reads it."""
