"""A table of nftables as a source: what its counters grew by since they were last read, and flows that are not ours."""

import msgspec

from anycastle.base.errors import WorldError
from anycastle.base.ports import Now, Timestamp
from anycastle.io.telemetry.source import SourceCounts
from anycastle.io.telemetry.telemetry_file import Filter
from anycastle.slo.indicators.m08_scrubbed import Unit
from anycastle.slo.telemetry.intake import Intake
from anycastle.wire.nft import Counter

_BITS = 8.0


class _Place(msgspec.Struct):
    counters: dict[str, tuple[int, int]] = {}
    """Name -> packets and octets when it was last read."""
    flows: list[tuple[str, int]] = []
    """Elements of the set, which were counted."""


class FilterSource:
    """Reads a table. Counters that fell were set back, with the table or by hand: they count from zero.

    One that was set back and has grown beyond what it was before the next look cannot be told from one that grew.
    """

    def __init__(self, settings: Filter, intake: Intake) -> None:
        self.name = settings.name
        self.every_s = settings.every_s
        self.counts = SourceCounts()
        self._settings = settings
        self._intake = intake
        self._place = _Place()

    async def poll(self, now: Now) -> bool:
        """Count what was added. What is there when the table is first seen is not counted: it is of before."""
        settings = self._settings
        found = {each.name: each for each in await settings.table.counters()}
        lacks = sorted((settings.passed | settings.dropped | settings.overflowed) - found.keys())
        if lacks:
            raise WorldError(f"the table {settings.table.family} {settings.table.name} has no counter {lacks[0]}")
        flows = set(await settings.table.flows(settings.foreign)) if settings.foreign else set()
        is_first = not self._place.counters
        self._count(found, now.wall)
        self._count_flows(set() if is_first else flows, now.wall)
        self._place.flows = sorted(flows)
        return False

    def _count(self, found: dict[str, Counter], now: Timestamp) -> None:
        settings = self._settings
        grown = []
        for names in (settings.passed, settings.dropped, settings.overflowed):
            parts = [self._growth(found[name]) for name in names]
            grown.append((sum(packets for packets, _ in parts), sum(octets for _, octets in parts)))
        packets = (float(grown[0][0]), float(grown[1][0]), float(grown[2][0]))
        bits = (grown[0][1] * _BITS, grown[1][1] * _BITS, grown[2][1] * _BITS)
        self._intake.scrubbed(settings.pop, Unit.PACKETS, packets, now, now)
        self._intake.scrubbed(settings.pop, Unit.BITS, bits, now, now)
        self.counts.counted += 1

    def _growth(self, counter: Counter) -> tuple[int, int]:
        known = self._place.counters.get(counter.name)
        self._place.counters[counter.name] = (counter.packets, counter.octets)
        if known is None:
            return 0, 0
        if counter.packets < known[0] or counter.octets < known[1]:
            return counter.packets, counter.octets
        return counter.packets - known[0], counter.octets - known[1]

    def _count_flows(self, flows: set[tuple[str, int]], now: Timestamp) -> None:
        before = set(self._place.flows)
        for client, port in sorted(flows - before):
            self._intake.foreign_flow(client, port, self._settings.region, now)

    def place(self) -> bytes:
        """Give the counters as they were counted."""
        return msgspec.json.encode(self._place)

    def restore(self, place: bytes) -> None:
        """Go on from a place."""
        self._place = msgspec.json.decode(place, type=_Place)

    def close(self) -> None:
        """There is nothing to let go of."""
