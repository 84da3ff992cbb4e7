"""What watches on other machines told, as signals; and that one fell silent."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from anycastle.base.ports import Timestamp
from anycastle.daemons import told_source
from anycastle.daemons.told_source import SOURCE, ToldSource
from anycastle.io.findings_lines import parse_telling
from anycastle.io.store import open_store
from anycastle.io.told_findings import ToldFindings
from anycastle.response.signal import Signal, Urgency

HEAD = {"watch": "ams", "log": "a" * 32, "after": 0, "through": 1, "hash": "b" * 64}
BODY = {
    "finding": "f1", "finding_kind": "origin_change", "severity": "critical", "subject": "AS64666",
    "prefixes": ["192.0.2.0/24"], "score": 90, "reasons": [], "peers": 12, "asns": 9, "collectors": 3,
    "validity": "invalid", "at_start": False, "evidence": [],
}  # fmt: skip


def telling(*rows: object) -> bytes:
    return b"\n".join(map(msgspec.json.encode, rows))


def test_findings_of_a_watch_and_its_silence_are_signals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_source, "LOOK_S", 0.01)
    fires: dict[str, list[Signal]] = {}

    def take(source: str, signals: Iterable[Signal]) -> None:
        fires[source] = list(signals)

    async def until(source: str, count: int) -> list[Signal]:
        async with asyncio.timeout(30):
            while len(fires.get(source, ())) != count:
                await asyncio.sleep(0.01)
        return fires[source]

    async def main() -> None:
        store = await open_store(f"sqlite:///{tmp_path}/store.db")
        term, told = await store.lead("c1"), ToldFindings(store)
        running = asyncio.create_task(ToldSource(ToldFindings(store), print, silent_s=0.5).run(take))
        row = {"sequence": 1, "at": 100.0, "kind": "finding_opened", "body": BODY}
        await told.take(parse_telling(telling(HEAD, row)), "p", Timestamp(1_000.0), term)
        (hijack,) = await until("watch ams", 1)
        assert (hijack.name, hijack.subject.prefix, hijack.urgency) == ("hijack", "192.0.2.0/24", Urgency.PAGE)
        assert hijack.summary == "origin change by AS64666: 192.0.2.0/24; seen by 12 peers"
        (silent,) = await until(SOURCE, 1)
        assert (silent.name, silent.urgency) == ("watch_silent", Urgency.TICKET)
        assert "ams silent since 1970-01-01 00:16:40 UTC" in silent.summary
        alive = {**HEAD, "after": 1}
        await told.take(parse_telling(telling(alive)), "p", Timestamp(1_001.0), term)
        await until(SOURCE, 0)
        assert len(fires["watch ams"]) == 1
        await told.forget("ams", term)
        await until("watch ams", 0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()

    asyncio.run(main())
