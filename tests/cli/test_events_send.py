"""`anycastle events send` to a real rsyslogd, which is run on the loopback."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.io.syslog import framed, message, parse_place
from anycastle.model.event import AgentStarted, Alarm, Body, Event
from tests.ports import free_port

RSYSLOGD = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()")
AT = Timestamp(1_700_000_000.5)
CONFIG = """
global(workDirectory="{folder}")
module(load="imtcp")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="rows" type="list") {{
  property(name="pri-text") constant(value=" ") property(name="timereported" dateFormat="rfc3339") constant(value=" ")
  property(name="hostname") constant(value=" ") property(name="app-name") constant(value=" ") property(name="msgid")
  constant(value=" ") property(name="msg") constant(value="\\n")
}}
action(type="omfile" file="{folder}/received" template="rows" asyncWriting="off")
"""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    if RSYSLOGD is None:
        pytest.skip("needs the Debian package rsyslog")
    port = free_port()
    config = tmp_path / "rsyslog.conf"
    config.write_text(CONFIG.format(folder=tmp_path, port=port))
    words = (RSYSLOGD, "-n", "-f", str(config), "-i", str(tmp_path / "rsyslogd.pid"))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port, tmp_path / "received"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def store(path: Path, *bodies: Body) -> None:
    with EventLog(path) as log:
        log.append([Event(AT, "fra", body) for body in bodies])


def send(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    words = ("events", "send", "events.db", "--syslog", f"tcp://127.0.0.1:{port}", "--position", "sent")
    return subprocess.run((*COMMAND, *words), cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def until_lines(path: Path, count: int) -> list[str]:
    deadline = time.monotonic() + 30
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert time.monotonic() < deadline, "the collector did not get them"
        time.sleep(0.05)
    return path.read_text().splitlines()


@pytest.mark.mission("C16")
def test_a_real_collector_gets_each_event_once_and_what_follows_the_position(
    tmp_path: Path, collector: tuple[int, Path]
) -> None:
    port, received = collector
    store(tmp_path / "events.db", AgentStarted("1.0", True, False), Alarm("x", "dns", 'two\nlines, "quoted" & ü'))
    deadline = time.monotonic() + 30
    while (done := send(tmp_path, port)).returncode != 0:  # until it listens
        assert time.monotonic() < deadline, done.stderr
        assert f"tcp://127.0.0.1:{port}: Connection refused" in done.stderr
    lines = until_lines(received, 2)
    words = [line.split(" ", 5) for line in lines]
    assert [each[0] for each in words] == ["local0.notice", "local0.warning"]
    assert [each[2:5] for each in words] == [["fra", "anycastle", "agent_started"], ["fra", "anycastle", "alarm"]]
    told = json.loads(words[1][5])
    assert (told["sequence"], told["text"], len(told["hash"])) == (2, 'two\nlines, "quoted" & ü', 64)

    assert "sent up to event 2" in send(tmp_path, port).stderr
    store(tmp_path / "events.db", AgentStarted("1.1", True, False))
    assert "sent up to event 3" in send(tmp_path, port).stderr
    assert [json.loads(line.split(" ", 5)[5])["sequence"] for line in until_lines(received, 3)] == [1, 2, 3]


def test_a_position_that_is_none_is_refused_and_stays(tmp_path: Path) -> None:
    store(tmp_path / "events.db", AgentStarted("1.0", True, False))
    (tmp_path / "sent").write_text("my notes\n")
    done = send(tmp_path, 1)
    assert done.returncode == 1
    assert "sent: this is no position that `anycastle events send` wrote" in done.stderr
    assert (tmp_path / "sent").read_text() == "my notes\n"


@pytest.mark.rfc("5424", "6")
@pytest.mark.rfc("6587", "3.4.1")
def test_the_header_is_ascii_without_spaces_and_the_length_is_in_octets(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.db") as log:
        log.append([Event(AT, "são paulo", Alarm("x", "dns", "ü"))])
        (event,) = log.read()
    octets = message(event, {"text": "ü"})
    assert octets == '<132>1 2023-11-14T22:13:20.500Z sopaulo anycastle - alarm - {"text":"ü"}'.encode()
    assert framed(octets) == f"{len(octets)} ".encode() + octets


@pytest.mark.parametrize("text", ["udp://h", "tcp://", "tls://h:x", "h:514", "tcp://h:1/path"])
def test_a_place_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(MisuseError, match="no place of a collector"):
        parse_place(text)


def test_ports_are_those_that_are_usual() -> None:
    assert (parse_place("tcp://h"), parse_place("tls://[::1]")) == (("tcp", "h", 601), ("tls", "::1", 6514))
