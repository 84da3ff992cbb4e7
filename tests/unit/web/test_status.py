"""The public status, asked of the real API by nobody who is known, and exported as an operator does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anycastle.base.ports import Timestamp
from anycastle.cli.main import cli
from anycastle.io.clock import now
from anycastle.web import public_board
from tests.unit.web.world import World, folder, world

pytestmark = pytest.mark.mission("C10")

PATH = "/api/v1/status/summary.json"
PUBLIC = "\nstatus:\n  name: Example\n  components:\n    - {name: Name servers, service: dns, detail: regions}\n"


@dataclass
class Agent:
    """An agent that said this."""

    said: dict[str, Any]
    connected: bool = True
    since: Timestamp = Timestamp(0.0)
    version: str = ""
    assignment: str | None = None
    refused: str | None = None
    unsettled: str | None = None

    @property
    def told(self) -> object:
        return self.said

    def report(self) -> dict[str, Any] | None:
        return self.said


def agents(pops: Mapping[str, bool]) -> dict[str, Agent]:
    return {pop: Agent(said(announces)) for pop, announces in pops.items()}


def said(announces: bool) -> dict[str, Any]:
    routes = [{"prefix": "192.0.2.0/24", "upstream": "transit-a"}] if announces else []
    own = {"name": "dns", "prefixes": ["192.0.2.0/24"], "condition": "up" if announces else "down", "drain": None}
    return {"services": [own], "wanted": routes, "exported": routes, "sessions": []}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(public_board, "FRESH_S", 0.0)
    with world(f"sqlite:///{tmp_path}/store.db") as made:
        yield made


def publish(api: World) -> None:
    files = folder()
    files["fleet.yaml"] += PUBLIC
    body = {"revision": api.upload(files), "reason": "first"}
    assert api.ask("POST", "/api/v1/fleet/adoption", body=body).status_code == 200


def test_nothing_is_public_unless_the_files_say_so(api: World) -> None:
    assert api.ask("GET", PATH, "").status_code == 404
    api.adopted()
    assert [api.ask("GET", path, "").status_code for path in (PATH, "/status")] == [404, 404]


def test_anyone_sees_what_is_named_and_no_more(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(api)
    assert api.ask("GET", PATH, "").status_code == 503  # nobody has told: that is no outage, and not fine either
    pops = {"fra1": True, "iad1": True, "nrt1": True, "gru1": False}
    monkeypatch.setattr(type(api.daemon), "agents", agents(pops))
    told = api.ask("GET", PATH, "").json()
    assert told["status"]["indicator"] == "none"
    assert told["components"][0]["name"] == "Name servers"
    page = api.ask("GET", "/status", "")
    assert page.headers["content-type"].startswith("text/html")
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    for text in (json.dumps(told), page.text):
        assert not [pop for pop in pops if pop in text]
        assert "web" not in text.replace("web server", "")
    monkeypatch.setattr(type(api.daemon), "agents", agents(dict.fromkeys(pops, False)))
    assert api.ask("GET", PATH, "").json()["status"]["indicator"] == "critical"


def test_it_is_made_once_in_a_while_however_often_it_is_asked_for(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(api)
    monkeypatch.setattr(public_board, "FRESH_S", 3600.0)
    pops = ("fra1", "iad1", "nrt1", "gru1")
    monkeypatch.setattr(type(api.daemon), "agents", agents(dict.fromkeys(pops, True)))
    first = api.ask("GET", PATH, "").json()
    assert first["status"]["indicator"] == "none"
    monkeypatch.setattr(type(api.daemon), "agents", agents(dict.fromkeys(pops, False)))
    assert api.ask("GET", PATH, "").json() == first


def test_an_agent_that_has_not_read_its_router_yet_is_no_outage(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(api)
    seen = agents(dict.fromkeys(("fra1", "iad1", "nrt1", "gru1"), True))
    for agent in seen.values():
        agent.said |= {"booted": False, "exported": []}
    monkeypatch.setattr(type(api.daemon), "agents", seen)
    assert api.ask("GET", PATH, "").status_code == 503


def test_of_two_families_one_that_is_gone_is_told(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(api)
    seen = agents(dict.fromkeys(("fra1", "iad1", "nrt1", "gru1"), True))
    for agent in seen.values():
        agent.said["services"][0]["prefixes"].append("2001:db8::/48")
    monkeypatch.setattr(type(api.daemon), "agents", seen)
    assert api.ask("GET", PATH, "").json()["status"]["indicator"] == "minor"


def test_files_outlive_the_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    www = tmp_path / "www"
    with world(f"sqlite:///{tmp_path}/store.db") as api:
        url = api.url
        words = ["status", "export", str(www), "--server", url]
        publish(api)
        monkeypatch.setattr(type(api.daemon), "agents", agents({"fra1": True, "iad1": True}))
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
        shown = CliRunner().invoke(cli, ["status", "show", "--server", url, "-o", "json"])
        assert json.loads(shown.stdout) == json.loads((www / "api/v2/summary.json").read_text())
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
    assert "the page says how old it is" in result.stderr
    assert now().wall > 0
    assert "As of" in (www / "index.html").read_text()
