"""A real Alertmanager takes what is posted, and has one alert for each incident."""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.notifiers.port import DeliveryError
from anycastle.model.notify import Alertmanager
from anycastle.response.message import Message
from anycastle.response.signal import Urgency
from tests.lab import alertmanager_server
from tests.unit.io.notifiers.servers import Got, serving
from tests.unit.io.notifiers.world import AT, LONG, OVER, PAGE, send


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    if alertmanager_server.BIN is None:
        pytest.skip("needs the Debian package prometheus-alertmanager")
    (tmp_path / "config.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    words = alertmanager_server.arguments("config.yml", "data", "127.0.0.1:0")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not (found := re.search(r"address=(127\.0\.0\.1:[1-9]\d*)", (tmp_path / "log").read_text())):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield f"http://{found[1]}"
    finally:
        process.terminate()
        process.wait(20)


def alerts(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def recent(message: Message) -> Message:
    """Give it as of now: an alert whose end has passed is shown to nobody."""
    ahead = now().wall - AT - 700
    return replace(message, at=message.at + ahead, opened=message.opened + ahead)


@pytest.mark.mission("C15")
def test_an_incident_is_one_alert_until_it_is_over(alertmanager: str) -> None:
    target = Alertmanager(alertmanager)
    send(target, recent(PAGE), recent(PAGE), recent(replace(PAGE, title="more of it")))
    (alert,) = alerts(alertmanager)
    labels = {"alertname": "AnycastleIncident", "fleet": "net", "incident": "net/3", "severity": "page"}
    assert alert["labels"] == labels
    assert alert["annotations"]["summary"] == "more of it"
    assert alert["annotations"]["PoPs"] == "fra"
    send(target, recent(OVER))
    assert alerts(alertmanager) == []
    send(target, recent(replace(PAGE, key="00000012", at=Timestamp(OVER.at + 60))))
    assert len(alerts(alertmanager)) == 1, "it came back"


def test_a_ticket_that_becomes_a_page_is_one_alert(alertmanager: str) -> None:
    target = Alertmanager(alertmanager)
    send(target, recent(replace(PAGE, urgency=Urgency.TICKET)))
    assert [each["labels"]["severity"] for each in alerts(alertmanager)] == ["ticket"]
    send(target, recent(replace(PAGE, was_ticket=True)))
    assert [each["labels"]["severity"] for each in alerts(alertmanager)] == ["page"]
    send(target, recent(replace(OVER, was_ticket=True)))
    assert alerts(alertmanager) == []


def test_a_long_one_is_taken(alertmanager: str) -> None:
    send(Alertmanager(alertmanager), recent(LONG))
    assert len(alerts(alertmanager)) == 1


def test_what_the_alertmanager_refuses_is_not_sent_again(alertmanager: str) -> None:
    with pytest.raises(DeliveryError, match="status 400") as caught:
        send(Alertmanager(alertmanager), replace(PAGE, at=PAGE.opened - 1e6, kind=OVER.kind))
    assert not caught.value.retryable


def test_a_token_is_shown_to_the_server_alone(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xyzzy-token\n")

    def answer(got: Got) -> tuple[int, dict[str, str], str]:
        return 401, {}, f"bad token {got.headers['authorization']}"

    with serving(answer) as server, pytest.raises(DeliveryError) as caught:
        send(Alertmanager(server.url, token_file=str(tmp_path / "token")), PAGE)
    assert server.got[0].headers["authorization"] == "Bearer xyzzy-token"
    assert "xyzzy" not in str(caught.value)
    assert caught.value.retryable, "a token can be mended"
