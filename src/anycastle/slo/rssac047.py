"""Metrics of root servers, aggregated as RSSAC047 has it: of one identifier (RSI), and of the whole system (RSS).

What comes in is one measurement per interval of five minutes, vantage point, identifier, transport and address family.
Of an identifier only pass or fail is reported, with the number of measurements, and never the value; of the whole
system the value as well. Letters in brackets are the document's own marks of its requirements.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import comb
from statistics import median
from typing import Final

INTERVAL_MIN: Final = 5
"""Minutes of an interval. [wyn]"""

TIMEOUT_MS: Final = 4000.0
"""[ywz]"""


class Transport(Enum):
    """[ykn]"""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One SOA query; its answer serves availability, latency and publication latency. [dzn]"""

    interval: int
    vantage: str
    identifier: str
    transport: Transport
    family: int
    answered_ms: float | None
    """None for a timeout, and for an error that counts as one [dfl]."""
    rcode: int | None = None
    serial: int | None = None

    @property
    def available(self) -> bool:
        """Tell whether it was answered in time and with NOERROR. [yve, ppo]"""
        return self.answered_ms is not None and self.answered_ms <= TIMEOUT_MS and self.rcode == 0


Way = tuple[Transport, int]
"""A transport and an address family: each is aggregated apart. [gfa, fhw]"""


@dataclass(frozen=True, slots=True)
class Result:
    """A figure and its threshold."""

    metric: str
    way: Way | None
    value: float | None
    """None where nothing was measured: that is no pass."""
    threshold: float
    at_least: bool
    count: int
    """Measurements: the precision. [lkd, lxr, fee, hms, vxl, hgm, kea, daz]"""

    @property
    def passes(self) -> bool | None:
        """Tell whether the threshold is met. [vmx, znh, mah, erf]"""
        if self.value is None:
            return None
        return self.value >= self.threshold if self.at_least else self.value <= self.threshold


IDENTIFIERS: Final = 13
"""Of the root server system."""
RSS_AVAILABILITY: Final = 0.99999
"""[wzz]"""
LATENCY_MS: Final = {Transport.UDP: 250.0, Transport.TCP: 500.0}
"""[zuc, bpl]"""
RSS_LATENCY_MS: Final = {Transport.UDP: 150.0, Transport.TCP: 300.0}
"""[uwf, lmx]"""
PUBLICATION_MIN: Final = 65.0
"""[fwa]"""
RSS_PUBLICATION_MIN: Final = 35.0
"""[zkl]"""
CORRECTNESS: Final = 1.0
"""[ahw, gfh]"""


def availability_threshold(identifiers: int) -> float:
    """Give how available each of so many must be for the system to be as it is promised: 96 % of thirteen. [ydw, dlw]

    The least whole percentage with which as many as are needed answer at a time, by the binomial distribution (§5.1).
    """
    needed = needed_of(identifiers)
    for percent in range(100):
        up = percent / 100
        ways = (comb(identifiers, number) * up**number * (1 - up) ** (identifiers - number)
                for number in range(needed, identifiers + 1))  # fmt: skip
        if sum(ways) >= RSS_AVAILABILITY:
            return up
    return 1.0


def needed_of(identifiers: int) -> int:
    """Give how many identifiers the system needs to work: two thirds of all but one, rounded up; 8 of 13."""
    return -(-(identifiers - 1) * 2 // 3)


def _by_way(measurements: Iterable[Measurement]) -> dict[Way, list[Measurement]]:
    ways: dict[Way, list[Measurement]] = defaultdict(list)
    for each in measurements:
        ways[each.transport, each.family].append(each)
    return dict(sorted(ways.items(), key=lambda item: (item[0][1], item[0][0].value)))


def availability(measurements: Iterable[Measurement], identifiers: int = IDENTIFIERS) -> list[Result]:
    """Give one identifier's availability, by way; it is one of so many. [yah]"""
    threshold = availability_threshold(identifiers)
    return [
        Result("availability", way, sum(each.available for each in rows) / len(rows), threshold, True, len(rows))
        for way, rows in _by_way(measurements).items()
    ]


def latency(measurements: Iterable[Measurement]) -> list[Result]:
    """Give one identifier's median latency, by way; timeouts and errors have none. [vpa, mzx, dks]"""
    found = []
    for way, rows in _by_way(measurements).items():
        times = [each.answered_ms for each in rows if each.available and each.answered_ms is not None]
        value = median(times) if times else None
        found.append(Result("latency", way, value, LATENCY_MS[way[0]], False, len(times)))
    return found


def publication_minutes(measurements: Sequence[Measurement]) -> dict[str, list[float]]:
    """Give, by identifier, the minutes that each vantage point needed to see each new zone.

    A zone counts as published in the interval in which anybody first shows its serial [yxn]. A vantage point sees it
    when the least serial over all ways shows it, or a later one [cnj]. What answered badly is left out [tub]. The zone
    that was there at the start has no time of publication. Serials of the root are dates: they are compared as numbers.
    """
    least: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    published: dict[int, int] = {}
    for each in measurements:
        if not each.available or each.serial is None:
            continue
        seen = least[each.identifier, each.vantage]
        seen[each.interval] = min(seen.get(each.interval, each.serial), each.serial)
        published[each.serial] = min(published.get(each.serial, each.interval), each.interval)
    first = min(published.values(), default=0)
    minutes: dict[str, list[float]] = defaultdict(list)
    for (identifier, _vantage), seen in sorted(least.items()):
        for serial, interval in published.items():
            if interval == first:
                continue
            shown = [at for at, value in seen.items() if at >= interval and value >= serial]
            if shown:
                minutes[identifier].append(float((min(shown) - interval) * INTERVAL_MIN))  # [kvg, udz]
    return dict(minutes)


def publication_latency(minutes: Sequence[float], *, whole_system: bool = False) -> Result:
    """Give the median publication latency. [yzp, zgb]"""
    threshold = RSS_PUBLICATION_MIN if whole_system else PUBLICATION_MIN
    return Result("publication_latency", None, median(minutes) if minutes else None, threshold, False, len(minutes))


def correctness(correct: int, responses: int) -> Result:
    """Give the share of correct responses, of an identifier or of all. [skm, ywo]"""
    return Result("correctness", None, correct / responses if responses else None, CORRECTNESS, True, responses)


def rss_availability(measurements: Iterable[Measurement], needed: int) -> list[Result]:
    """Give the system's availability by way: of the identifiers that are needed, how many answered. [egb, cvf]"""
    found = []
    for way, rows in _by_way(measurements).items():
        answered: dict[tuple[int, str], int] = defaultdict(int)
        for each in rows:
            answered[each.interval, each.vantage] += each.available
        value = sum(min(needed, number) for number in answered.values()) / (needed * len(answered))
        found.append(Result("availability", way, value, RSS_AVAILABILITY, True, len(rows)))
    return found


def rss_latency(measurements: Iterable[Measurement], needed: int) -> list[Result]:
    """Give the system's latency by way: the median of each interval and vantage point's least `needed`. [bom, jbr]"""
    found = []
    for way, rows in _by_way(measurements).items():
        times: dict[tuple[int, str], list[float]] = defaultdict(list)
        for each in rows:
            if each.available and each.answered_ms is not None:
                times[each.interval, each.vantage].append(each.answered_ms)
        least = [value for group in times.values() for value in sorted(group)[:needed]]
        value = median(least) if least else None
        found.append(Result("latency", way, value, RSS_LATENCY_MS[way[0]], False, len(least)))
    return found


def report_of_identifier(results: Iterable[Result]) -> list[tuple[str, Way | None, str, int]]:
    """Give what may be told of an identifier: metric, way, pass, fail or no data, and the count. [ntt, cpm, gkr]"""
    return [(each.metric, each.way, _word(each), each.count) for each in results]


def report_of_system(results: Iterable[Result]) -> list[tuple[str, Way | None, str, float | None, int]]:
    """Give what is told of the system: the value as well. [nuc, fdy, gwm, vpj, tkw]"""
    return [(each.metric, each.way, _word(each), each.value, each.count) for each in results]


def _word(result: Result) -> str:
    return {True: "pass", False: "fail", None: "no data"}[result.passes]
