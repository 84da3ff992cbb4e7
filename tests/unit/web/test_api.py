"""The API over TCP, against a real store and a real controller."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.daemons.api_place import ApiPlace, require_safe
from anycastle.model.person import Role
from anycastle.web.limits import Rate
from anycastle.web.problems import ProblemKind
from anycastle.web.settings import WebSettings
from tests.lab.agent_rigs import until
from tests.unit.web.world import FAST, World, folder, world

ROLLOUTS, FREEZE, THAW, STREAM = "/api/v1/rollouts", "/api/v1/freeze", "/api/v1/thaw", "/api/v1/events/stream"
REASON = {"reason": "a test"}


def problem(response: httpx2.Response, kind: ProblemKind) -> dict[str, Any]:
    """Give a problem that is whole."""
    told: dict[str, Any] = response.json()
    assert (response.status_code, told["type"]) == (kind.status, f"/api/v1/problems/{kind.slug}"), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert (told["status"], told["title"], told["next"]) == (kind.status, kind.title, kind.advice)
    assert told["instance"] == f"urn:anycastle:request:{response.headers['x-request-id']}"
    assert told["detail"]
    return told


# -- problems ----------------------------------------------------------------------------------------------------------


def test_what_the_framework_refuses_is_a_problem_too(api: World) -> None:
    problem(api.ask("GET", "/api/v1/nowhere"), ProblemKind.NOT_FOUND)
    refused = api.ask("DELETE", FREEZE)
    problem(refused, ProblemKind.NOT_A_METHOD)
    assert refused.headers["allow"]
    told = problem(api.ask("POST", FREEZE, body={"reson": "secret-text"}), ProblemKind.INVALID)
    assert {each["pointer"] for each in told["errors"]} == {"/reason", "/reson"}
    assert "secret-text" not in str(told)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k", "Authorization": f"Bearer {api.admin}"}
    problem(api.http.post(FREEZE, content=b"{", headers=headers), ProblemKind.MALFORMED)
    problem(
        api.http.post(FREEZE, content=b"a=1", headers={**headers, "Content-Type": "text/plain"}), ProblemKind.NOT_JSON
    )
    problem(api.http.post(FREEZE, content=b" " * 70_000, headers=headers), ProblemKind.TOO_LARGE)


def test_each_type_of_a_problem_leads_to_its_explanation(api: World) -> None:
    for kind in ProblemKind:
        told = api.ask("GET", f"/api/v1/problems/{kind.slug}", "").json()
        assert told == {"name": kind.slug, "status": kind.status, "title": kind.title, "next": kind.advice}


def test_a_bug_of_ours_is_a_problem_and_is_logged(
    api: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("what only the log may say")

    monkeypatch.setattr(api.daemon, "kept", broken)
    response = api.ask("GET", "/api/v1/fleet")
    problem(response, ProblemKind.BUG)
    assert "only the log" not in response.text
    number = response.headers["x-request-id"]  # the answer may be here before the log has it
    until(lambda: any(number in record.getMessage() for record in caplog.records), "the log has it")


def test_security_headers_are_on_every_answer(api: World) -> None:
    for path in ("/healthz", "/api/v1/nowhere", "/api/v1/fleet"):
        headers = api.ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_with_errors_is_refused_with_their_places_and_nothing_is_stored(api: World) -> None:
    before = api.ask("GET", "/api/v1/fleet/revisions").json()
    files = {**folder(), "services/web.yaml": "name: web\nprefixs: [203.0.113.0/24]\n"}
    told = problem(api.ask("POST", "/api/v1/fleet/revisions", body={"files": files}), ProblemKind.BAD_FLEET)
    assert any(each.startswith("services/web.yaml:2:1: ") and "prefixes" in each for each in told["findings"])
    assert api.ask("GET", "/api/v1/fleet/revisions").json() == before


@pytest.mark.parametrize(
    "path", ["../pwn", "/etc/x", "a//b", "pops/./a", "a\\b", "", "a\0b", "x" * 201, "fleet.yaml/a"]
)
def test_a_path_that_leads_elsewhere_is_refused(api: World, path: str) -> None:
    files = {**folder(), path: "x"}
    problem(api.ask("POST", "/api/v1/fleet/revisions", body={"files": files}), ProblemKind.BAD_FLEET)


def test_a_folder_comes_back_as_it_was_and_pages_go_through_all(api: World) -> None:
    made = [api.upload(folder(dns_med=med)) for med in (101, 102, 103)]
    assert api.upload(folder(dns_med=101)) == made[0]
    assert api.ask("GET", f"/api/v1/fleet/revisions/{made[1]}").json()["files"] == folder(dns_med=102)
    seen, cursor = [], ""
    while cursor is not None:
        page = api.ask("GET", f"/api/v1/fleet/revisions?limit=1{cursor and '&cursor='}{cursor}").json()
        seen += [each["revision"] for each in page["items"]]
        cursor = page["next"]
    assert seen[:3] == made[::-1]
    assert len(seen) == len(set(seen))


# -- orders ------------------------------------------------------------------------------------------------------------


def test_an_order_that_is_asked_twice_is_taken_once(api: World) -> None:
    asked = {"revision": api.upload(folder(dns_med=61)), "reason": "once"}
    key = uuid4().hex
    first, second = (api.ask("POST", ROLLOUTS, body=asked, key=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"] == f"{ROLLOUTS}/{first.json()['number']}"
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    reasons = [each["reason"] for each in api.ask("GET", ROLLOUTS).json()["items"]]
    assert reasons.count("once") == 1
    problem(api.ask("POST", ROLLOUTS, body={**asked, "reason": "other"}, key=key), ProblemKind.OTHER_REQUEST)
    another = api.token(Role.OPERATOR)
    assert "idempotency-replayed" not in api.ask("POST", FREEZE, another, REASON, key=key).headers
    thaw(api)


def test_of_requests_at_once_with_one_key_one_is_taken(api: World) -> None:
    asked, key = {"revision": api.upload(folder(dns_med=62)), "reason": "at once"}, uuid4().hex
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(api.ask("POST", ROLLOUTS, body=asked, key=key).status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {201, 409}
    assert 201 in found
    assert [each["reason"] for each in api.ask("GET", ROLLOUTS).json()["items"]].count("at once") == 1


def test_an_order_without_a_key_is_refused(api: World) -> None:
    headers = {"Authorization": f"Bearer {api.admin}"}
    problem(api.http.post(FREEZE, json=REASON, headers=headers), ProblemKind.KEY_MISSING)


def test_a_refusal_of_the_engine_is_a_conflict_and_leaves_the_key_free(api: World) -> None:
    key = uuid4().hex
    thaw(api)
    nothing = api.ask("GET", FREEZE).headers["etag"]
    problem(api.ask("POST", THAW, body=REASON, headers={"If-Match": nothing}, key=key), ProblemKind.CONFLICT)
    assert api.ask("POST", FREEZE, body=REASON, key=key).status_code == 200
    thaw(api)


def thaw(api: World) -> None:
    seen = api.ask("GET", FREEZE)
    if seen.json()["frozen"]:
        assert api.ask("POST", THAW, body=REASON, headers={"If-Match": seen.headers["etag"]}).status_code == 200


def test_what_lets_things_go_on_names_the_state_that_was_seen(api: World) -> None:
    nothing = api.ask("GET", FREEZE).headers["etag"]
    assert api.ask("POST", FREEZE, body=REASON, headers={"If-Match": nothing}).status_code == 200
    problem(api.ask("POST", THAW, body=REASON), ProblemKind.UNCONDITIONAL)
    told = problem(api.ask("POST", THAW, body=REASON, headers={"If-Match": nothing}), ProblemKind.CHANGED)
    now = api.ask("GET", FREEZE).headers["etag"]
    assert told["etag"] == now != nothing
    assert api.ask("GET", FREEZE).json()["frozen"]
    assert api.ask("POST", THAW, body=REASON, headers={"If-Match": f'"x", {now}'}).status_code == 200


def test_a_rollouts_life_by_the_api(api: World) -> None:
    number = api.rollout(folder(dns_med=63))
    path = f"{ROLLOUTS}/{number}"
    tag = api.ask("GET", path).headers["etag"]
    assert api.ask("POST", f"{path}/pause", body={}).status_code == 200
    paused = api.ask("GET", path)
    assert paused.json()["paused_by"] == "the admin"
    assert paused.headers["etag"] != tag
    problem(api.ask("POST", f"{path}/resume", body={}), ProblemKind.UNCONDITIONAL)
    problem(api.ask("POST", f"{path}/resume", body={}, headers={"If-Match": tag}), ProblemKind.CHANGED)
    assert api.ask("POST", f"{path}/resume", body={}, headers={"If-Match": paused.headers["etag"]}).status_code == 200
    assert api.ask("POST", f"{path}/abort", body=REASON).status_code == 200
    assert api.ask("GET", path).json()["state"] in ("aborted", "rolling back")
    problem(api.ask("POST", f"{ROLLOUTS}/999999/pause", body={}), ProblemKind.NOT_FOUND)


def test_who_asked_does_not_approve_with_another_token_of_his_own(api: World) -> None:
    one, two, other = (api.token(Role.ADMIN, principal=name) for name in ("alice", "alice", "bob"))
    assert api.ask("POST", "/api/v1/break-glass", one, {"reason": "r", "lasts_s": 60}).status_code == 200
    seen = {"If-Match": api.ask("GET", "/api/v1/break-glass").headers["etag"]}
    problem(api.ask("POST", "/api/v1/break-glass/approve", two, {}, seen), ProblemKind.CONFLICT)
    assert api.ask("POST", "/api/v1/break-glass/approve", other, {}, seen).status_code == 200
    assert api.ask("GET", "/api/v1/break-glass").json()["approved_by"] == "bob"


def test_a_gate_that_cannot_be_read_is_named(api: World) -> None:
    policy = {"gates": ["nonsense", "success_rate >= 1"]}
    asked = {"revision": api.upload(folder(dns_med=64)), "reason": "r", "policy": policy}
    told = problem(api.ask("POST", ROLLOUTS, body=asked), ProblemKind.INVALID)
    assert [each["pointer"] for each in told["errors"]] == ["/policy/gates/0", "/policy/gates/1"]
    assert "there is no indicator 'success_rate' (there are announced_share" in told["errors"][1]["detail"]


# -- the log -----------------------------------------------------------------------------------------------------------


def frames(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Give the events of a stream, and the heartbeats that carry a number."""
    frame: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            frame[name or "comment"] = value.strip()
        else:
            yield frame
            frame = {}


def test_a_stream_goes_on_where_it_was_left(api: World) -> None:
    api.ask("POST", FREEZE, body=REASON)
    thaw(api)
    everything = api.ask("GET", "/api/v1/events?limit=1000").json()["items"]
    sequences = [each["sequence"] for each in everything]
    assert sequences == list(range(1, len(sequences) + 1))
    headers = {"Authorization": f"Bearer {api.admin}", "Last-Event-ID": str(sequences[-3])}
    with api.http.stream("GET", STREAM, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        read = (frame for frame in frames(response.iter_lines()) if "data" in frame)
        assert [next(read)["id"] for _ in range(2)] == [str(number) for number in sequences[-2:]]
        api.ask("POST", FREEZE, body=REASON)  # what happens meanwhile comes too
        frame = next(read)
        assert (frame["id"], frame["event"]) == (str(sequences[-1] + 1), "freeze_changed")
    thaw(api)


def test_a_stream_that_shows_nothing_still_tells_how_far_it_is(api: World) -> None:
    headers = {"Authorization": f"Bearer {api.admin}", "Last-Event-ID": "0"}
    last = api.ask("GET", "/api/v1/events?newest=true&limit=1").json()["next"]
    with api.http.stream("GET", f"{STREAM}?kind=agent_started", headers=headers) as response:
        frame = next(frame for frame in frames(response.iter_lines()) if "id" in frame)
    assert (frame["id"], frame["comment"]) == (str(last), "alive")


def test_a_log_that_does_not_reach_so_far_is_said(api: World) -> None:
    told = problem(api.ask("GET", STREAM, headers={"Last-Event-ID": "99999999"}), ProblemKind.EVENTS_UNKNOWN)
    assert told["last"] < 99999999


def test_a_stream_ends_with_its_token(api: World) -> None:
    name = uuid4().hex
    made = api.ask("POST", "/api/v1/tokens", body={"name": name, "role": "viewer"}).json()["token"]
    with api.http.stream("GET", STREAM, headers={"Authorization": f"Bearer {made}"}) as response:
        read = frames(response.iter_lines())
        next(read)
        assert api.ask("DELETE", f"/api/v1/tokens/{name}").status_code == 204
        assert list(read)[-1] == {"comment": "the token is over"}


def test_streams_are_bounded_and_given_back(tmp_path: Path) -> None:
    settings = replace(FAST, streams_max=1, heartbeat_s=0.1)
    with world(f"sqlite:///{tmp_path}/store.db", settings) as api:
        headers = {"Authorization": f"Bearer {api.admin}"}
        with api.http.stream("GET", STREAM, headers=headers):
            problem(api.ask("GET", STREAM), ProblemKind.TOO_MANY)

        def free() -> bool:
            with api.http.stream("GET", STREAM, headers=headers) as response:
                return bool(response.status_code == 200)

        assert any(free() for _ in range(1000))


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_tokens_text_is_told_once_and_never_again(api: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, name = uuid4().hex, f"robot-{uuid4().hex}"
    asked = {"name": name, "role": "viewer", "services": ["dns"], "principal": "the team"}
    made = api.ask("POST", "/api/v1/tokens", body=asked, key=key)
    secret = made.json()["token"]
    assert secret.startswith("acst_")
    again = api.ask("POST", "/api/v1/tokens", body=asked, key=key)
    assert (again.status_code, again.json()) == (201, {**made.json(), "token": None})
    assert api.ask("GET", "/api/v1/whoami", secret).json()["principal"] == "the team"
    paths = ("/api/v1/tokens", "/api/v1/audit", "/api/v1/events", "/metrics", "/api/v1/whoami", "/api/v1/fleet")
    told = [again, *(api.ask("GET", path) for path in paths), api.ask("POST", FREEZE, secret, REASON)]
    assert all(secret not in each.text for each in told)
    of_ours = [record for record in caplog.records if not record.name.startswith("httpcore2")]
    assert not any(secret in record.getMessage() for record in of_ours)
    assert any(record.name == "aiosqlite" for record in of_ours)
    assert secret.encode() not in Path(api.store.database.file).read_bytes()
    listed = [each for each in api.ask("GET", "/api/v1/tokens?limit=500").json()["items"] if each["name"] == name]
    assert listed[0]["services"] == ["dns"]
    assert api.ask("DELETE", f"/api/v1/tokens/{name}").status_code == 204
    problem(api.ask("GET", "/api/v1/whoami", secret), ProblemKind.NOT_LOGGED_IN)
    problem(api.ask("POST", "/api/v1/tokens", body=asked), ProblemKind.CONFLICT)


def test_the_audit_has_what_was_refused_too(api: World) -> None:
    viewer = api.token(Role.VIEWER, principal="a viewer")
    problem(api.ask("POST", FREEZE, viewer, REASON), ProblemKind.NOT_ALLOWED)
    problem(api.ask("POST", FREEZE, "", REASON), ProblemKind.NOT_LOGGED_IN)
    newest = api.ask("GET", "/api/v1/audit?limit=2").json()["items"]
    assert [(each["action"], each["result"]) for each in newest] == [
        ("POST /api/v1/freeze", "401 not-logged-in"), ("POST /api/v1/freeze", "403 not-allowed"),
    ]  # fmt: skip


# -- limits, followers, the place --------------------------------------------------------------------------------------


def test_who_asks_too_often_waits(tmp_path: Path) -> None:
    settings = WebSettings(by_address=Rate(0.001, 100), by_person=Rate(0.001, 5))
    with world(f"sqlite:///{tmp_path}/store.db", settings) as api:
        found = [api.ask("GET", "/api/v1/whoami") for _ in range(7)]
        assert [each.status_code for each in found] == [200] * 5 + [429] * 2
        assert int(problem(found[-1], ProblemKind.TOO_MANY) and found[-1].headers["retry-after"]) > 0
        assert api.ask("GET", "/api/v1/whoami", api.token(Role.VIEWER)).status_code == 200
        statuses = [api.ask("GET", "/healthz").status_code for _ in range(100)]
        assert statuses[-1] == 429


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with world(f"sqlite:///{tmp_path}/store.db", replace(FAST, body_s=0.2)) as api:
        host, port = api.url.removeprefix("http://").split(":")
        head = f"POST {FREEZE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.admin}\r\nIdempotency-Key: k\r\n"
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{{".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 408 ")
        assert api.ask("GET", FREEZE).json()["frozen"] is False


def test_a_follower_answers_reads_and_names_the_leader_for_the_rest(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.db"
    with world(address) as leader:
        leader.adopted()
        with world(address, leads=False) as follower:
            follower.admin = leader.admin
            shown = follower.ask("GET", "/api/v1/fleet").json()
            assert shown == {**leader.ask("GET", "/api/v1/fleet").json(), "leads": False}
            assert follower.ask("GET", "/api/v1/pops/fra1").json()["connected"] is None
            assert leader.ask("GET", "/api/v1/pops/fra1").json()["connected"] is False
            assert follower.ask("GET", "/readyz").json() == {
                "status": "ready", "leads": False, "leader": "ctl.example.net:9479",
            }  # fmt: skip
            told = problem(follower.ask("POST", FREEZE, body=REASON), ProblemKind.NOT_LEADING)
            assert told["leader"] == "ctl.example.net:9479"
            assert leader.ask("GET", FREEZE).json()["frozen"] is False


def test_where_nobody_ever_led_it_is_not_ready(tmp_path: Path) -> None:
    with world(f"sqlite:///{tmp_path}/store.db", leads=False) as api:
        assert api.ask("GET", "/healthz", "").status_code == 200
        assert problem(api.ask("GET", "/readyz", ""), ProblemKind.UNAVAILABLE)["failing"] == ["leader"]


def test_tokens_do_not_go_over_a_network_in_the_clear() -> None:
    require_safe(ApiPlace("::1", 1))
    require_safe(ApiPlace("0.0.0.0", 1, Path("a.pem"), Path("a.key")))
    for address in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(MisuseError, match="in the clear"):
            require_safe(ApiPlace(address, 1))


@pytest.mark.mission("C4")
def test_an_order_while_the_leadership_ends_is_answered_as_one_that_another_takes(tmp_path: Path) -> None:
    with world(f"sqlite:///{tmp_path}/store.db") as api:

        async def end_as_an_order_comes() -> None:
            leads = api.daemon.leadership
            leads.require_new = lambda _key: asyncio.sleep(0, leads.end(WorldError("the lock was lost")))

        api.call(end_as_an_order_comes())
        answer = api.ask("POST", FREEZE, body=REASON)
        assert problem(answer, ProblemKind.NOT_LEADING)["leader"] == "ctl.example.net:9479"
        assert answer.headers["retry-after"] == "1"


# -- sockets -----------------------------------------------------------------------------------------------------------
def test_the_end_of_an_answer_does_not_wait_for_an_acknowledgement(api: World) -> None:
    assert api.ask("GET", "/api/v1/whoami").is_success
    waits = [not each[1] for each in connected_sockets() if each[0] == api.http.base_url.port]
    assert waits
    assert not any(waits)


def connected_sockets() -> Iterator[tuple[int, int]]:
    """Give the own port of each connected IPv4 socket of this process, and its TCP_NODELAY."""
    for name in [each.name for each in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as copy:
            if copy.family == socket.AF_INET and copy.type == socket.SOCK_STREAM and copy.getpeername():
                yield copy.getsockname()[1], copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
