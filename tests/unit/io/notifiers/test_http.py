"""PagerDuty, Slack and webhooks against servers that check what they document; and what errors tell."""

import hashlib
import hmac
import ssl
from pathlib import Path

import pytest

from anycastle.io.notifiers.port import DeliveryError
from anycastle.model.notify import PagerDuty, Slack, Webhook
from tests.ports import free_port
from tests.unit.io.notifiers.servers import Got, pagerduty, serving, slack
from tests.unit.io.notifiers.world import LONG, OVER, PAGE, send

SECRET = "0123456789abcdef0123456789abcdef"


def file(folder: Path, text: str = SECRET) -> str:
    path = folder / "secret"
    path.write_text(f"{text}\n")
    return str(path)


@pytest.mark.mission("C15")
def test_pagerduty_is_triggered_and_resolved_by_one_key(tmp_path: Path) -> None:
    with serving(pagerduty) as server:
        send(PagerDuty(file(tmp_path), f"{server.url}/v2/enqueue"), PAGE, PAGE, OVER, LONG)
    bodies = [got.body for got in server.got]
    assert [each["event_action"] for each in bodies] == ["trigger", "trigger", "resolve", "trigger"]
    assert {each["dedup_key"] for each in bodies} == {"net/3"}
    assert bodies[0] == bodies[1], "what is sent twice is the same"
    payload = bodies[0]["payload"]
    assert payload["summary"] == "[net #3 page] fra is gone <@here> & silent"
    assert (payload["severity"], payload["source"], payload["class"]) == ("critical", "fra", "pop_down")
    assert payload["timestamp"] == "2023-11-14T22:13:20.250Z"


def test_pagerduty_refuses_a_key_that_is_none_and_the_error_does_not_hold_it(tmp_path: Path) -> None:
    with serving(pagerduty) as server, pytest.raises(DeliveryError, match="status 400") as caught:
        send(PagerDuty(file(tmp_path, "hunter2-hunter2"), f"{server.url}/v2/enqueue"), PAGE)
    assert not caught.value.retryable
    assert "hunter2" not in str(caught.value)


@pytest.mark.mission("C15")
def test_slack_gets_text_in_which_nothing_is_a_mention(tmp_path: Path) -> None:
    with serving(slack) as server:
        send(Slack(file(tmp_path, f"{server.url}/services/T0/B0/xyzzy")), PAGE, OVER, LONG)
    assert [got.path for got in server.got] == ["/services/T0/B0/xyzzy"] * 3
    assert server.got[0].body["text"] == "[net #3 page] fra is gone &lt;@here&gt; &amp; silent"


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (403, True), (404, True), (410, True), (503, True)])
def test_an_error_names_the_server_and_never_the_hook(tmp_path: Path, status: int, retryable: bool) -> None:
    def answer(got: Got) -> tuple[int, dict[str, str], str]:
        return status, {}, f"no such hook: {server.url}{got.path}"

    with serving(answer) as server, pytest.raises(DeliveryError) as caught:
        send(Slack(file(tmp_path, f"{server.url}/services/T0/B0/xyzzy")), PAGE)
    assert str(caught.value) == f"{server.url}: status {status}: no such hook: (hidden)"
    assert caught.value.retryable is retryable


def test_a_server_that_is_busy_says_when_to_come_back(tmp_path: Path) -> None:
    with serving(lambda _: (429, {"Retry-After": "30"}, "")) as server, pytest.raises(DeliveryError) as caught:
        send(Slack(file(tmp_path, f"{server.url}/s/xyzzy")), PAGE)
    assert (caught.value.again_s, caught.value.retryable) == (30.0, True)


def test_nobody_there_is_an_error_without_the_hook(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(Slack(file(tmp_path, f"http://127.0.0.1:{free_port()}/s/xyzzy")), PAGE)
    assert caught.value.retryable
    assert "xyzzy" not in str(caught.value)


@pytest.mark.rfc("2104")
@pytest.mark.mission("C15")
def test_a_webhook_is_signed_over_its_time_and_body(tmp_path: Path) -> None:
    with serving(lambda _: (204, {}, "")) as server:
        send(Webhook(f"{server.url}/incidents", file(tmp_path)), PAGE)
    (got,) = server.got
    timestamp = got.headers["x-anycastle-timestamp"]
    signed = hmac.new(SECRET.encode(), timestamp.encode() + b"." + got.octets, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(got.headers["x-anycastle-signature"], f"v1={signed}")
    assert got.headers["idempotency-key"] == "00000007"
    assert got.headers["content-type"] == "application/json"
    body = got.body
    assert (body["incident"], body["notice"], body["urgency"], body["pops"]) == (3, "page", "page", ["fra"])
    assert SECRET.encode() not in got.octets


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with (
        serving(lambda _: (200, {}, "")) as other,
        serving(lambda _: (307, {"Location": other.url}, "")) as server,
        pytest.raises(DeliveryError, match="status 307"),
    ):
        send(Webhook(server.url, file(tmp_path)), PAGE)
    assert other.got == []


@pytest.mark.parametrize(("text", "why"), [("", "is empty"), ("a\nb", "more than one line")])
def test_a_secret_that_is_none_is_told_by_its_file(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DeliveryError, match=f"secret: .*{why}"):
        send(Webhook("http://127.0.0.1:1", file(tmp_path, text)), PAGE)
    with pytest.raises(DeliveryError, match="absent"):
        send(Webhook("http://127.0.0.1:1", str(tmp_path / "absent")), PAGE)


def test_a_ca_file_that_is_none_is_an_error_of_the_delivery(tmp_path: Path) -> None:
    assert ssl.HAS_TLSv1_3
    with pytest.raises(DeliveryError, match="https://localhost:1"):
        send(Webhook("https://localhost:1/x", file(tmp_path), ca_file=str(tmp_path / "absent")), PAGE)
