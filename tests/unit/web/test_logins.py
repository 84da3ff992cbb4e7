"""People log in through a provider: two real servers on loopback, and the command as a process."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from anycastle.io.config.oidc_file import LoginSettings
from anycastle.io.oidc import ProviderSettings
from anycastle.io.oidc_roles import RoleRule
from anycastle.model.person import Grant, Role
from tests.oidc_provider import CLIENT, SECRET, Provider, provider
from tests.unit.web.world import World, world

BACK = "http://127.0.0.1:5/"
RULES = (
    RoleRule("groups", "noc", Grant(Role.OPERATOR)),
    RoleRule("groups", "leads", Grant(Role.APPROVER)),
    RoleRule("groups", "dns", Grant(Role.VIEWER, frozenset({"dns"}))),
)


@dataclass
class Place:
    """An API, and the provider that it believes."""

    api: World
    provider: Provider

    def begin(self, **claims: Any) -> dict[str, str]:
        self.provider.claims = {"sub": "ann", "groups": ["noc"], **claims}
        answer = self.api.ask("POST", "/api/v1/logins", "", {"redirect_uri": BACK})
        assert answer.status_code == 201, answer.text
        begun: dict[str, str] = answer.json()
        return begun

    def code(self, begun: dict[str, str]) -> str:
        """Be the browser."""
        back = httpx2.get(begun["url"], trust_env=False).headers["location"]
        came = parse_qs(urlsplit(back).query)
        assert came["state"] == [begun["state"]]
        return came["code"][0]

    def finish(self, begun: dict[str, str], code: str) -> httpx2.Response:
        return self.api.ask("POST", "/api/v1/logins/finish", "", {"login": begun["login"], "code": code})

    def log_in(self, **claims: Any) -> httpx2.Response:
        begun = self.begin(**claims)
        return self.finish(begun, self.code(begun))

    def audit(self) -> list[tuple[str, str]]:
        items = self.api.ask("GET", "/api/v1/audit").json()["items"]
        return [(item["who"], item["result"]) for item in items if item["action"] == "log in"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("logins")
    with provider() as known:
        login = LoginSettings(ProviderSettings(known.issuer, CLIENT, SECRET), RULES, "sub", 3600.0)
        with world(f"sqlite:///{folder}/store.db", login=login) as api:
            api.adopted()
            yield Place(api, known)


def test_a_login_gives_a_session_that_is_used_as_a_token(place: Place) -> None:
    made = place.log_in()
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    told = made.json()
    assert (told["name"], told["role"], told["services"]) == ("ann", "operator", None)
    shown = place.api.ask("GET", "/api/v1/whoami", told["token"]).json()
    assert shown == {"name": "ann", "principal": "ann", "role": "operator", "services": None}
    assert place.audit()[0] == ("ann", "logged in")
    assert place.api.ask("GET", "/api/v1/tokens", told["token"]).status_code == 403


def test_a_session_ends_when_its_owner_says_so(place: Place) -> None:
    secret, other = place.log_in().json()["token"], place.log_in().json()["token"]
    assert place.api.ask("DELETE", "/api/v1/session", secret).status_code == 204
    assert place.api.ask("GET", "/api/v1/whoami", secret).status_code == 401
    assert place.api.ask("GET", "/api/v1/whoami", other).status_code == 200
    assert place.api.ask("DELETE", "/api/v1/session").status_code == 409, "an admin's token is none"


def test_a_session_ends_by_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = place.log_in().json()["token"]
    monkeypatch.setattr("anycastle.io.store.people.wall", lambda: 4e9)
    assert place.api.ask("GET", "/api/v1/whoami", secret).status_code == 401


def test_a_role_is_limited_as_the_rule_says(place: Place) -> None:
    secret = place.log_in(sub="dan", groups=["dns"]).json()["token"]
    assert place.api.ask("GET", "/api/v1/services/dns", secret).status_code == 200
    assert place.api.ask("GET", "/api/v1/services/web", secret).status_code == 403


def test_whom_no_rule_knows_may_not_come_in(place: Place) -> None:
    refused = place.log_in(sub="mallory", groups=["guests"])
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("login-failed")
    assert place.audit()[0] == ("nobody known", "refused: no rule of this controller gives mallory a role")


def test_nobody_is_called_as_a_token_is(place: Place) -> None:
    assert place.log_in(sub="token:ci").status_code == 403


def test_a_login_works_once(place: Place) -> None:
    begun = place.begin()
    code = place.code(begun)
    assert place.finish(begun, code).status_code == 201
    assert place.finish(begun, code).status_code == 404


def test_a_code_of_another_login_is_refused(place: Place) -> None:
    """Somebody else's code put into one's own login: the provider's nonce and verifier belong to the other."""
    mine, theirs = place.begin(), place.begin()
    refused = place.finish(mine, place.code(theirs))
    assert refused.status_code == 403
    assert place.audit()[0][0] == "nobody known"


def test_an_id_token_that_does_not_hold_is_refused_without_being_shown(place: Place) -> None:
    place.provider.mend = lambda claims: {**claims, "nonce": "another"}
    try:
        refused = place.log_in()
    finally:
        place.provider.mend = lambda claims: claims
    assert refused.status_code == 403
    assert "eyJ" not in refused.text


def test_a_code_goes_to_ones_own_machine_only(place: Place) -> None:
    for uri in ("https://example.net/", "http://127.0.0.1.example.net:5/", "http://localhost:5/"):
        assert place.api.ask("POST", "/api/v1/logins", "", {"redirect_uri": uri}).status_code == 422


def test_a_provider_that_is_away_is_said(place: Place) -> None:
    begun = place.begin()
    place.provider.answer_token = lambda _claims: (500, b"")
    try:
        answer = place.finish(begun, place.code(begun))
    finally:
        place.provider.answer_token = None
    assert answer.status_code == 503
    assert "does not answer as it should" in answer.json()["detail"]


def test_the_second_person_of_a_login_is_another_person(place: Place) -> None:
    """Ann asks for the glass to be broken; neither her other session nor a token of hers counts as a second person."""
    ask = place.api.ask
    ann = place.log_in().json()["token"]
    assert ask("POST", "/api/v1/break-glass", ann, {"reason": "r", "lasts_s": 60}).status_code == 200
    seen = {"If-Match": ask("GET", "/api/v1/break-glass").headers["etag"]}
    hers = place.log_in(groups=["leads"]).json()["token"]
    token = place.api.token(Role.APPROVER, principal="ann")
    for secret in (hers, token):
        assert ask("POST", "/api/v1/break-glass/approve", secret, {}, seen).status_code == 409
    ben = place.log_in(sub="ben", groups=["leads"]).json()["token"]
    assert ask("POST", "/api/v1/break-glass/approve", ben, {}, seen).status_code == 200


def test_without_a_provider_there_are_tokens_alone(api: World) -> None:
    assert api.ask("POST", "/api/v1/logins", "", {"redirect_uri": BACK}).status_code == 404
    assert api.ask("POST", "/api/v1/logins/finish", "", {"login": "x", "code": "x"}).status_code == 404


def test_a_follower_lets_people_in_to_read(tmp_path: Path) -> None:
    with provider() as known:
        login = LoginSettings(ProviderSettings(known.issuer, CLIENT, SECRET), RULES, "sub", 3600.0)
        with world(f"sqlite:///{tmp_path}/store.db", leads=False, login=login) as api:
            secret = Place(api, known).log_in().json()["token"]
            assert api.ask("GET", "/api/v1/whoami", secret).status_code == 200
            refused = api.ask("POST", "/api/v1/freeze", secret, {"reason": "r"})
            assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "not-leading")


def test_the_command_logs_somebody_in(place: Place) -> None:
    place.provider.claims = {"sub": "ann", "groups": ["noc"]}
    command = [sys.executable, "-m", "anycastle.cli.main", "login", place.api.url, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().removeprefix("log in at ").strip()
        back = httpx2.get(url, trust_env=False).headers["location"]
        stranger = back.partition("?")[0]
        assert httpx2.get(f"{stranger}?code=x&state=y", trust_env=False).status_code == 200, "it is passed over"
        assert httpx2.get(f"{stranger}favicon.ico", trust_env=False).status_code == 404
        assert "close this page" in httpx2.get(back, trust_env=False).text
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err.startswith("ann: operator, until ")
    assert place.api.ask("GET", "/api/v1/whoami", out.strip()).json()["name"] == "ann"


def test_the_command_goes_by_https_only() -> None:
    command = [sys.executable, "-m", "anycastle.cli.main", "login", "http://ctl1.example.net"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "by https only" in done.stderr


def test_no_secret_of_a_login_is_in_the_database_or_the_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    begun = place.begin()
    code = place.code(begun)
    secret = place.finish(begun, code).json()["token"]
    place.api.ask("GET", "/api/v1/events", secret)

    async def dumped() -> bytes:
        async with place.api.store.database.read() as connection:
            found = []
            for table in ("session", "login", "audit", "event", "once", "token"):
                found += [str(tuple(row)) for row in await connection.exec_driver_sql(f"SELECT * FROM {table}")]
            return "\n".join(found).encode()

    everything = place.api.call(dumped()) + caplog.text.encode() + "\n".join(place.api.told).encode()
    for hidden in (secret, begun["login"], begun["state"], code, SECRET):
        assert hidden.encode() not in everything
