"""The pages and their cookie, asked of the real server as a browser does, and as an attacker's page would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.store.people import Session, SqlPeople, new_secret
from anycastle.model.person import Grant, Role
from anycastle.web import built
from tests.unit.web.world import World

PAGE = {"Anycastle-Page": "1"}


@contextmanager
def logged_in(api: World, secret: str) -> Iterator[httpx2.Client]:
    """Give a client that holds the cookie, as a browser does."""
    with httpx2.Client(base_url=api.url, timeout=60) as client:
        answer = client.post("/api/v1/session", headers={"Authorization": f"Bearer {secret}"}, json={})
        assert answer.status_code == 200, answer.text
        yield client


def test_a_token_in_the_cookie_is_who_asks_and_its_text_is_in_no_answer(api: World) -> None:
    secret = api.token(Role.OPERATOR, frozenset({"dns"}), principal="dns team")
    answer = api.http.post("/api/v1/session", headers={"Authorization": f"Bearer {secret}"}, json={})
    api.http.cookies.clear()
    assert secret not in answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.split("; "))
    with logged_in(api, secret) as browser:
        known = browser.get("/api/v1/whoami", headers=PAGE).json()
    assert (known["principal"], known["role"], known["services"]) == ("dns team", "operator", ["dns"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        PAGE | {"Sec-Fetch-Site": "cross-site"},
        PAGE | {"Sec-Fetch-Site": "same-site"},
        PAGE | {"Sec-Fetch-Site": "none"},
        PAGE | {"Authorization": "Bearer acst_of-nobody"},
    ],
    ids=["no header", "another site", "another port", "typed address", "another token first"],
)
def test_the_cookie_alone_is_nobody(api: World, headers: dict[str, str]) -> None:
    with logged_in(api, api.token(Role.ADMIN)) as browser:
        assert browser.get("/api/v1/whoami", headers=PAGE | {"Sec-Fetch-Site": "same-origin"}).status_code == 200
        assert browser.get("/api/v1/whoami", headers=headers).status_code == 401
        assert browser.post("/api/v1/freeze", headers=headers, json={"reason": "r"}).status_code == 401


def test_no_answer_lets_another_origin_send_the_header(api: World) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "anycastle-page"}
    answer = api.http.request("OPTIONS", "/api/v1/whoami", headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_logging_out_forgets_the_cookie_and_a_revoked_token_ends_it(api: World) -> None:
    with logged_in(api, api.token(Role.VIEWER)) as browser:
        answer = browser.delete("/api/v1/session", headers=PAGE)
        assert answer.status_code == 204
        assert not browser.cookies
    made = api.ask("POST", "/api/v1/tokens", body={"name": "page-1", "role": "viewer"}).json()
    with logged_in(api, made["token"]) as browser:
        assert api.ask("DELETE", "/api/v1/tokens/page-1").status_code == 204
        assert browser.get("/api/v1/whoami", headers=PAGE).status_code == 401


def test_a_page_that_is_not_built_says_so(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anycastle.web.routes.pages.built_files", dict)
    answer = api.http.get("/ui/rollouts/1")
    assert answer.status_code == 404
    assert "make ui" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_files_are_served_compressed_known_again_and_no_others(
    api: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/app.js").write_text("export const one = 1;\n" * 100)
    (tmp_path / "static/secret.pem").write_text("no")
    monkeypatch.setattr(built, "files", lambda _: tmp_path)
    built.built_files.cache_clear()
    try:
        answer = api.http.get("/static/app.js")
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.text.startswith("export const one")
        again = api.http.get("/static/app.js", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert api.http.get("/static/secret.pem").status_code == 404
        assert api.http.get("/static/..%2fapp.py").status_code == 404
    finally:
        built.built_files.cache_clear()


def test_the_stream_of_a_login_outlives_its_heartbeats(api: World) -> None:
    secret = new_secret("acss_")
    session = Session("ann@example.net", Grant(Role.VIEWER), Timestamp(now().wall + 600.0))
    api.call(SqlPeople(api.store).add_session(session, secret))
    headers = {"Authorization": f"Bearer {secret}"}
    with api.http.stream("GET", "/api/v1/events/stream", headers=headers) as response:
        lines = (line for line in response.iter_lines() if line == ": alive")
        assert [next(lines) for _ in range(3)] == [": alive"] * 3
