"""`anycastle watch run` as a process of its own, with a RIS Live server of ours, from start to SIGTERM."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from anycastle.io.config.start import write_example
from anycastle.io.event_log import EventLog
from anycastle.io.local_socket import ask
from tests.ports import free_port

COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
PATIENCE_S = 60.0


def update(number: int, path: list[int], **more: Any) -> str:
    data = {
        "timestamp": round(time.time(), 3),
        "peer": f"203.0.113.{number}",
        "peer_asn": str(3000 + number),
        "host": f"rrc0{number}.ripe.net",
        "type": "UPDATE",
        "path": [3000 + number, *path],
        "announcements": [{"next_hop": "203.0.113.1", "prefixes": ["192.0.2.0/24"]}],
    }
    return json.dumps({"type": "ris_message", "data": data | more})


async def hijack(connection: ServerConnection) -> None:
    await connection.send("garbage")
    for number in range(1, 4):
        await connection.send(update(number, [64496, 64500]))
    for number in range(1, 4):
        await connection.send(update(number, [174, 666]))
    with suppress(Exception):
        async for frame in connection:
            if json.loads(frame)["type"] == "ping":
                await connection.send('{"type":"pong"}')


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()  # type: ignore[no-any-return]


@pytest.mark.mission("C6", "F2", "I2", "S3")
def test_a_hijack_is_found_logged_shown_and_measured_and_sigterm_ends_in_good_order(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    state, sockets, listen = tmp_path / "state", tmp_path / "run", free_port()

    async def play() -> tuple[int, str]:
        async with serve(hijack, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            process = await asyncio.create_subprocess_exec(
                *COMMAND, "watch", "run", "--fleet", str(tmp_path / "fleet"), "--ris-live", f"ws://127.0.0.1:{port}",
                "--state-dir", str(state), "--run-dir", str(sockets), "--listen", f"127.0.0.1:{listen}",
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            told = ""
            async with asyncio.timeout(PATIENCE_S):
                while "finding_opened" not in told:
                    line = await process.stderr.readline()
                    assert line, told
                    told += line.decode()
            await asyncio.to_thread(look)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_S):
                told += (await process.stderr.read()).decode()
                return await process.wait(), told

    def look() -> None:
        rows = dict(line.rsplit(" ", 1) for line in page(listen, "/metrics").splitlines() if not line.startswith("#"))
        assert rows['anycastle_watch_findings_open{kind="origin_change",severity="critical"}'] == "1.0"
        assert rows['anycastle_watch_feed_garbage_total{feed="ris-live"}'] == "1.0"
        assert rows["anycastle_watch_facts_dropped_total"] == "0.0"
        assert page(listen, "/readyz") == "ready\n"
        shown = ask(sockets / "watch.sock", {"command": "show", "prefix": "192.0.2.0/24"})
        assert shown["origins"] == {"AS666": 3}
        heard = ask(sockets / "watch.sock", {"command": "status"})
        assert {each["asn"] for each in heard["peers"]} == {3001, 3002, 3003}
        assert all(each["silent_s"] >= 0 for each in heard["peers"])
        command = [*COMMAND, "watch", "status", "--run-dir", str(sockets)]
        lines = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
        assert "messages, 1 garbage, silent for" in lines
        assert "prefix     192.0.2.0/24: seen by 100.0% of 3 ASes" in lines
        assert "findings   1 open: origin_change, critical" in lines
        command = [*COMMAND, "watch", "toggles", "--prefix", "192.0.2.0/24", "--run-dir", str(sockets), "-o", "json"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
        assert json.loads(answer) == {
            "prefix": "192.0.2.0/24", "settle_s": 900.0, "verdicts": [], "toggles": [], "left_out": [],
        }  # fmt: skip
        command[6] = "203.0.113.0/24"
        refused = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert (refused.returncode != 0, "its toggles are not followed" in refused.stderr) == (True, True)
        past = ask(sockets / "watch.sock", {"command": "history", "prefix": "192.0.2.0/24"})
        assert [each["as_number"] for each in past["origins"]] == [666, 64500]
        assert len(past["events"]) == 6

    code, told = asyncio.run(play())
    assert code == 0, told
    with EventLog(state / "events.db", read_only=True) as log:
        (opened,) = log.read(kind="finding_opened")
        assert opened.fields["subject"] == "AS666"
        assert log.verify().sound
    assert not (sockets / "watch.sock").exists()


async def until_told(process: asyncio.subprocess.Process, words: str) -> str:
    """Read what the daemon says up to these words."""
    assert process.stderr is not None
    told = ""
    async with asyncio.timeout(PATIENCE_S):
        while words not in told:
            line = await process.stderr.readline()
            assert line, told
            told += line.decode()
    return told


@pytest.mark.mission("C6", "C16")
def test_sighup_takes_the_files_anew_keeps_what_is_known_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    fleet, sockets = tmp_path / "fleet" / "fleet.yaml", tmp_path / "run"
    vrps = tmp_path / "vrps.json"
    vrps.write_text('{"roas": [{"asn": 64500, "prefix": "192.0.2.0/24", "maxLength": 24}]}')
    right = fleet.read_text()

    def status() -> dict[str, Any]:
        return ask(sockets / "watch.sock", {"command": "status"})

    async def play() -> None:
        async with serve(hijack, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            process = await asyncio.create_subprocess_exec(
                *COMMAND, "watch", "run", "--fleet", str(tmp_path / "fleet"), "--ris-live", f"ws://127.0.0.1:{port}",
                "--state-dir", str(tmp_path / "state"), "--run-dir", str(sockets), "--listen", "none",
                "--vrps", str(vrps), stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                await until_told(process, "finding_opened")
                fleet.write_text(right + "watch: {origins: [666], neigbours: [1]}\n")
                process.send_signal(signal.SIGHUP)
                await until_told(process, "granted=False")
                refused = await asyncio.to_thread(status)
                assert not refused["reload"]["granted"]
                assert "did you mean 'neighbours'" in refused["reload"]["text"]
                assert [each["count"] for each in refused["findings"]] == [1]
                command = [*COMMAND, "watch", "status", "--run-dir", str(sockets)]
                shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
                assert "refused, and nothing was changed: " in shown.stdout
                fleet.write_text(right + "watch: {origins: [666], neighbours: [174]}\n")
                vrps.write_text('{"roas": []}')
                process.send_signal(signal.SIGHUP)
                told = await until_told(process, "granted=True")
                assert f"rpki {vrps} was read anew" in told
                done = await asyncio.to_thread(status)
                assert (done["reload"]["granted"], done["vrps"]) == (True, 0)
                shown_prefix = await asyncio.to_thread(
                    ask, sockets / "watch.sock", {"command": "show", "prefix": "192.0.2.0/24"}
                )
                assert shown_prefix["origins"] == {"AS666": 3}, "what peers hold is kept"
            finally:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE_S):
                    assert await process.wait() == 0

    asyncio.run(play())
