"""What a watch's log says, as signals: folded from its beginning, followed, and read anew where it is another."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.daemons import findings_source
from anycastle.daemons.findings_source import FindingsSource
from anycastle.io.event_log import EventLog
from anycastle.model.event import Alarm, Body, Event, FindingCleared, FindingOpened, FindingUpdated
from anycastle.response.findings import OpenFindings
from anycastle.response.signal import Signal, Urgency


def opened(identity: str, kind: str = "origin_change", severity: str = "critical", *prefixes: str) -> FindingOpened:
    return FindingOpened(
        identity, kind, severity, "AS64666", prefixes or ("192.0.2.0/24",), 90, (), 12, 9, 3, "invalid", False, ()
    )


def cleared(identity: str) -> FindingCleared:
    return FindingCleared(identity, "origin_change", "critical", "AS64666", (), (), 60.0)


def told(*bodies: Body) -> list[tuple[str, str, str, str]]:
    found = OpenFindings()
    for body in bodies:
        found.take(body)
    return [(each.name, each.subject.prefix, each.urgency.value, each.summary) for each in found.signals]


def test_a_hijack_is_a_page_and_what_is_over_is_not_said() -> None:
    text = "origin change by AS64666: 192.0.2.0/24; seen by 12 peers"
    assert told(opened("f1")) == [("hijack", "192.0.2.0/24", "page", text)]
    assert told(opened("f1"), cleared("f1")) == []
    assert told(Alarm("x", "y", "z")) == []


def test_a_finding_of_many_prefixes_is_one_signal_and_keeps_its_name() -> None:
    found = OpenFindings()
    found.take(opened("f1", "sub_prefix", "critical", "192.0.2.0/25", "192.0.2.128/25"))
    (before,) = found.signals
    assert before.summary == "sub prefix by AS64666: 192.0.2.0/25 and 1 more; seen by 12 peers"
    body = opened("f1", "sub_prefix", "warning", "192.0.2.128/25")
    names = {name: getattr(body, name) for name in FindingUpdated.__slots__}
    found.take(FindingUpdated(**names))
    (after,) = found.signals
    assert after.key == before.key, "the alert is the same, whatever prefix is named first"
    assert after.urgency is Urgency.TICKET


def test_what_is_only_information_is_told_to_nobody() -> None:
    assert told(opened("f1", "path_length", "info")) == []
    assert told(opened("f1", "path_length", "warning"))[0][:1] == ("path_length",)


def test_the_log_is_followed_and_one_that_takes_its_place_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_source, "LOOK_S", 0.01)
    path, said, lines = tmp_path / "watch.db", list[list[str]](), list[str]()

    def add(*bodies: Body) -> None:
        with EventLog(path) as log:
            log.append([Event(Timestamp(1.0), "watch", body) for body in bodies])

    def take(source: str, signals: Iterable[Signal]) -> None:
        assert source == str(path)
        said.append([each.subject.prefix for each in signals])

    async def until(wanted: list[str]) -> None:
        async with asyncio.timeout(20):
            while said[-1:] != [wanted]:
                await asyncio.sleep(0.01)

    async def main() -> None:
        task = asyncio.create_task(FindingsSource(path, lines.append).run(take))
        async with asyncio.timeout(20):
            while not lines:
                await asyncio.sleep(0.01)
        add(opened("f1"), Alarm("x", "y", "z"), opened("f2", "sub_prefix", "critical", "198.51.100.0/25"))
        await until(["192.0.2.0/24", "198.51.100.0/25"])
        add(cleared("f1"))
        await until(["198.51.100.0/25"])
        path.rename(tmp_path / "old.db")
        for each in tmp_path.glob("watch.db-*"):
            each.unlink()
        add(opened("f3", "origin_change", "critical", "203.0.113.0/24"))
        await until(["203.0.113.0/24"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert "findings are not read" in lines[0]
