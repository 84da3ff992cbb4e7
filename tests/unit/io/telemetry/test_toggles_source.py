"""M10 from telemetry: what the real command made of an archive, followed as a file, equal to a count by hand."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anycastle.base.errors import WorldError
from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.io.local_socket import LocalServer
from anycastle.io.telemetry.sources import sources_of
from anycastle.io.telemetry.state import decode, encode
from anycastle.io.telemetry.telemetry_file import read_telemetry_file
from anycastle.io.telemetry.toggles_source import TogglesSource
from anycastle.slo.reading import Reading, State
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.intake import Intake
from anycastle.slo.telemetry.measurements import Measurements
from anycastle.slo.telemetry.networks import Networks
from tests.cli.test_watch_toggles import run as toggles

T0 = 1_772_400_000.0


class Collector:
    """The sources of a telemetry file, asked by a clock of the test's own."""

    def __init__(self, folder: Path, named: str = "path: toggles.json") -> None:
        file = folder / "telemetry.yaml"
        named = named.replace(": ", f": {folder}/", 1)
        file.write_text(f"name: central\ncell: 5s\ntoggles:\n  - {{name: toggles, {named}}}\n")
        read = read_telemetry_file(file)
        self.cells = Cells(read.cell_s, read.keep_s)
        (source,) = sources_of(read, Intake(self.cells, Networks(read.networks)))
        assert isinstance(source, TogglesSource)
        self.source = source

    def poll(self, after_s: float) -> Measurements:
        return asyncio.run(self.polled(after_s))

    async def polled(self, after_s: float) -> Measurements:
        assert not await self.source.poll(Now(Instant(after_s), Timestamp(T0 + after_s)))
        whole = Measurements()
        for measured in self.cells.cells.values():
            whole.merge(decode(encode(measured)))
        return whole


def m10(measured: Measurements) -> Reading:
    (found,) = [each for each in measured.readings(np.random.default_rng(1)) if each.indicator == "M10"]
    return found


def by_hand(told: dict[str, Any]) -> tuple[int, int]:
    """Give upstreams that honoured all of which something is known, and all of these."""
    known: dict[str, list[bool]] = {}
    for each in told["verdicts"]:
        if each["compliance"] != "inconclusive":
            known.setdefault(each["upstream"], []).append(each["compliance"] == "honoured")
    return sum(map(all, known.values())), len(known)


@pytest.mark.mission("M10")
def test_what_toggles_came_to_is_read_beside_the_rest(tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    before = m10(collector.poll(0.0))
    assert (before.state, before.value) == (State.NO_DATA, None), "the file was not written yet"
    done = toggles(tmp_path, "--schedule", str(tmp_path / "toggles.yaml"), "-o", "json")
    (tmp_path / "toggles.json").write_text(done.stdout)
    honoured, known = by_hand(json.loads(done.stdout))
    assert known > 0
    found = m10(collector.poll(10.0))
    assert found.value == pytest.approx(honoured / known)
    assert found.count == known
    assert found.interval is not None
    assert found.interval.low <= honoured / known <= found.interval.high
    again = m10(collector.poll(400.0))
    assert (again.value, again.count) == (found.value, found.count), "read again, it counts once"


def verdict(upstream: str, compliance: str, at: str) -> dict[str, Any]:
    same = {"upstream": upstream, "told": "instruction", "instruction": "prepend 2"}
    return {"verdicts": [{**same, "compliance": compliance}], "toggles": [{**same, "at": at}]}


@pytest.mark.mission("M10")
def test_of_one_instruction_the_latest_toggle_stands(tmp_path: Path) -> None:
    collector, file = Collector(tmp_path), tmp_path / "toggles.json"
    file.write_text(json.dumps(verdict("AS1", "ignored", "2026-03-01T01:00:00Z")))
    assert m10(collector.poll(0.0)).value == 0.0
    file.write_text(json.dumps(verdict("AS1", "honoured", "2026-03-02T01:00:00Z") | {"more": 1}))
    assert m10(collector.poll(10.0)).value == 1.0
    file.write_text(json.dumps(verdict("AS1", "ignored", "2026-02-01T01:00:00Z")))
    assert m10(collector.poll(20.0)).value == 1.0, "an older experiment, read later, changes nothing"


def test_what_is_no_such_file_is_damage_and_takes_nothing_away(tmp_path: Path) -> None:
    collector, file = Collector(tmp_path), tmp_path / "toggles.json"
    file.write_text(json.dumps(verdict("AS1", "honoured", "2026-03-01T01:00:00Z")))
    assert m10(collector.poll(0.0)).value == 1.0
    file.write_text('{"verdicts": [{}]}')
    assert m10(collector.poll(10.0)).value == 1.0
    assert collector.source.counts.damaged == 1
    assert "watch toggles -o json" in collector.source.counts.latest_damaged[0].why


@pytest.mark.mission("M10")
def test_a_running_watch_is_asked_for_the_test_prefix(tmp_path: Path) -> None:
    collector = Collector(tmp_path, "socket: watch.sock, prefix: 192.0.2.0/24")
    with pytest.raises(WorldError, match=r"watch\.sock: .*is `anycastle watch run` running"):
        collector.poll(0.0)
    answer: dict[str, Any] = {"verdicts": [], "toggles": [], "left_out": [], "prefix": "192.0.2.0/24"}
    asked: list[dict[str, Any]] = []

    async def watch(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return answer

    async def play() -> list[float | None]:
        server = LocalServer(tmp_path / "watch.sock", watch)
        await server.start()
        values = []
        try:
            for after_s, more in (
                (10.0, {}),
                (20.0, verdict("AS1", "honoured", "2026-03-01T01:00:00Z")),
                (30.0, verdict("AS1", "ignored", "2026-03-01T02:00:00Z")),
                (40.0, {"verdicts": [{}]}),
            ):
                answer.update(more)
                values.append(m10(await collector.polled(after_s)).value)
        finally:
            await server.close()
        return values

    assert asyncio.run(play()) == [None, 1.0, 0.0, 0.0]
    assert asked == [{"command": "toggles", "prefix": "192.0.2.0/24", "brief": True}] * 4
    assert (collector.source.counts.damaged, collector.source.counts.counted) == (1, 2)
