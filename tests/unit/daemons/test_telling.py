"""A watch tells a real controller over loopback what its log says, also after the controller was away."""

import asyncio
import json
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.daemons.telling import TellingWatch, TellSettings
from anycastle.io import delivery
from anycastle.io.event_log import EventLog
from anycastle.model.event import Event, FindingOpened
from anycastle.model.person import Role
from tests.unit.io.checks.conftest import closed_port
from tests.unit.web.test_findings import BODY
from tests.unit.web.world import world

__all__ = ["closed_port"]


def test_findings_reach_the_controller_that_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setattr(delivery, "IDLE_S", 0.01)
    monkeypatch.setattr(delivery, "BACK_OFF_S", (0.01, 0.05))
    state = tmp_path / "watch"
    state.mkdir()
    path = "/api/v1/findings/events"

    def append(name: str) -> None:
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in BODY.items()}
        with EventLog(state / "events.db") as log:
            log.append([Event(Timestamp(100.0), "watch", FindingOpened(**{**fields, "finding": name}))])

    async def told(urls: tuple[str, ...], rows: int) -> None:
        watch = TellingWatch(TellSettings(urls, tmp_path / "token", "ams"), state)
        try:
            async with asyncio.timeout(60):
                while watch.status() != {"sequence": rows, "trouble": ""}:
                    await asyncio.sleep(0.01)
        finally:
            await watch.close()

    with world(f"sqlite:///{tmp_path}/store.db") as api:
        api.adopted()
        (tmp_path / "token").write_text(api.token(Role.WATCH) + "\n")
        urls = (f"http://127.0.0.1:{closed_port}{path}", f"{api.url}{path}")
        append("f1")
        asyncio.run(told(urls, 1))
        append("f2")
        asyncio.run(told(urls, 2))
        items = api.ask("GET", "/api/v1/findings").json()["items"]
    assert {each["finding"] for each in items} == {"f1", "f2"}
    assert json.loads((state / "told.json").read_text())["sequence"] == 2
