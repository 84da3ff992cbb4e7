"""Incidents by the API: real ones, opened by a controller of what a source says; and a notifier that refuses."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anycastle.daemons.controller_socket import ControllerSocket
from anycastle.daemons.notifying import Notifying
from anycastle.io.controller_client.api import ApiController
from anycastle.io.controller_client.http import Api
from anycastle.io.notifiers.port import DeliveryError
from anycastle.model.notify import Notifier, NotifyPlan, Route, Slack
from anycastle.model.person import Role
from anycastle.response.signal import Signal, Subject, Urgency
from anycastle.web.problems import ProblemKind
from tests.lab.agent_rigs import until
from tests.unit.web.test_api import problem
from tests.unit.web.world import World, world

INCIDENTS, DELIVERIES, RETRY = "/api/v1/incidents", "/api/v1/deliveries", "/api/v1/deliveries/retry"
PLAN = NotifyPlan((Notifier("pager", Slack("/pager")),), (Route("page", ("pager",)), Route("ticket", ("pager",))))


def fires(name: str, text: str, **subject: str) -> Signal:
    return Signal(name, Subject(**subject), Urgency.PAGE, firing=True, summary=text)


class Says:
    """A source of signals that says what a test has it say."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []

    async def run(self, take: Callable[[str, Iterable[Signal]], None]) -> None:
        while True:
            take("test", self.signals)
            await asyncio.sleep(0.05)


class Pager:
    """A notifier that refuses until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.took: list[str] = []

    async def send(self, message: Any) -> None:
        if not self.mended:
            raise DeliveryError("status 400: no such channel", retryable=False)
        self.took.append(message.title)

    async def close(self) -> None: ...


class Told:
    """A world with two incidents that nobody was told of: one of dns at fra1, one of web at nrt1."""

    def __init__(self, api: World, says: Says, pager: Pager) -> None:
        self.api = api
        self.says = says
        self.pager = pager

    def listed(self, token: str | None = None, query: str = "") -> list[dict[str, Any]]:
        answer = self.api.ask("GET", f"{INCIDENTS}{query}", token)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def whole(self, number: int) -> dict[str, Any]:
        answer = self.api.ask("GET", f"{INCIDENTS}/{number}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def number(self, service: str) -> int:
        return next(int(each["id"]) for each in self.listed() if service in each["services"])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder: Path = tmp_path_factory.mktemp("incidents")
    says, pager = Says(), Pager()
    notifying = Notifying(PLAN, lambda _: pager)
    with world(f"sqlite:///{folder}/store.db", notifying=notifying, sources=[says]) as api:
        api.adopted()
        made = Told(api, says, pager)
        says.signals = [
            fires("service_down", "dns fails at fra1", service="dns", pop="fra1"),
            fires("service_down", "web fails at nrt1", service="web", pop="nrt1"),
        ]
        dead = f"{DELIVERIES}?state=dead"
        until(lambda: len(api.ask("GET", dead).json()["items"]) == 2, "both pages are refused", wait_s=30)
        yield made


@pytest.mark.mission("C15")
def test_an_incident_is_shown_whole(told: Told) -> None:
    row = told.listed()[-1]
    whole = told.whole(told.number("dns"))
    assert {name: whole[name] for name in row} == row
    assert (row["title"], row["kind"], row["status"], row["urgency"], row["severity"]) == (
        "dns fails at fra1", "service_down", "open", "page", "major",
    )  # fmt: skip
    assert (row["pops"], row["services"], row["cleared"], row["acknowledged_by"]) == (["fra1"], ["dns"], None, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", row["opened"])
    lines = [(each["lane"], each["text"], each["where"]) for each in whole["timeline"]]
    assert lines[-2:] == [("alert", "dns fails at fra1", ""), ("notified", "page", "")]
    assert ("change", "the admin: adopt") in [(lane, text[:16]) for lane, text, where in lines if where], "from the log"
    assert whole["runbook"]["name"] == "pop-failure"
    assert whole["runbook"]["command"] == "anycastle runbook run pop-failure"
    assert whole["runbook"]["playbook"]
    assert "probes' results" in whole["not_given"]
    assert [(each["notifier"], each["state"]) for each in whole["deliveries"]] == [("pager", "dead")]
    assert all(each["evidence"] for each in whole["causes"])


def test_a_list_goes_by_status_and_by_pages(told: Told) -> None:
    assert [each["id"] for each in told.listed()] == [2, 1]
    first = told.api.ask("GET", f"{INCIDENTS}?limit=1").json()
    assert ([each["id"] for each in first["items"]], first["next"]) == ([2], 2)
    last = told.api.ask("GET", f"{INCIDENTS}?limit=1&cursor=2").json()
    assert ([each["id"] for each in last["items"]], last["next"]) == ([1], None)
    assert told.listed(query="?status=cleared") == []
    assert len(told.listed(query="?status=open&status=acknowledged")) == 2


@pytest.mark.mission("C15")
def test_who_is_limited_to_services_sees_and_changes_their_incidents_alone(told: Told) -> None:
    own = told.api.token(Role.OPERATOR, frozenset({"web"}))
    assert [each["services"] for each in told.listed(own)] == [["web"]]
    problem(told.api.ask("GET", f"{INCIDENTS}/{told.number('dns')}", own), ProblemKind.NOT_ALLOWED)
    refused = told.api.ask("POST", f"{INCIDENTS}/{told.number('dns')}/notes", own, {"text": "mine"})
    problem(refused, ProblemKind.NOT_ALLOWED)
    problem(told.api.ask("GET", DELIVERIES, own), ProblemKind.NOT_ALLOWED)
    assert told.api.ask("POST", f"{INCIDENTS}/{told.number('web')}/notes", own, {"text": "mine"}).status_code == 200


@pytest.mark.mission("C15", "F7")
def test_it_is_acknowledged_once_however_often_it_is_asked(told: Told) -> None:
    number = told.number("dns")
    path = f"{INCIDENTS}/{number}/acknowledge"
    problem(told.api.ask("POST", f"{INCIDENTS}/77/acknowledge", body={}), ProblemKind.NOT_FOUND)
    problem(told.api.ask("POST", path, told.api.token(Role.VIEWER), {}), ProblemKind.NOT_ALLOWED)
    first = told.api.ask("POST", path, body={}, key="look")
    again = told.api.ask("POST", path, body={}, key="look")
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert again.headers["idempotency-replayed"] == "true"
    whole = told.whole(number)
    assert (whole["status"], whole["acknowledged_by"]) == ("acknowledged", "the admin")
    assert len([each for each in whole["timeline"] if each["lane"] == "acknowledged"]) == 1
    events = told.api.ask("GET", "/api/v1/events?kind=incident_changed").json()["items"]
    assert [each["fields"]["who"] for each in events if each["fields"]["change"] == "acknowledged"] == ["the admin"]
    audit = told.api.ask("GET", "/api/v1/audit").json()["items"]
    assert any(each["action"] == f"POST {INCIDENTS}/{{incident}}/acknowledge" for each in audit)


@pytest.mark.mission("C15")
def test_words_stay_in_the_log_and_in_the_postmortem(told: Told) -> None:
    number = told.number("dns")
    said = told.api.ask("POST", f"{INCIDENTS}/{number}/notes", body={"text": "the carrier confirms a cut"}, key="n1")
    told.api.ask("POST", f"{INCIDENTS}/{number}/notes", body={"text": "the carrier confirms a cut"}, key="n1")
    assert said.status_code == 200, said.text
    words = "the admin: the carrier confirms a cut"
    assert [each["text"] for each in told.whole(number)["timeline"]].count(words) == 1
    told.api.ask("POST", f"{INCIDENTS}/{number}/notes", body={"text": "two\nlines"})
    page = told.api.ask("GET", f"{INCIDENTS}/{number}/postmortem")
    assert page.headers["content-type"].startswith("text/markdown")
    assert page.headers["content-disposition"] == f'attachment; filename="incident-{number}.md"'
    assert page.text.startswith("# Postmortem: dns fails at fra1\n")
    assert words in page.text
    html = told.api.ask("GET", f"{INCIDENTS}/{number}/postmortem?form=html")
    assert html.headers["content-type"].startswith("text/html")
    assert html.text.startswith("<!doctype html>")
    assert words in html.text
    problem(told.api.ask("GET", f"{INCIDENTS}/{number}/postmortem?form=pdf"), ProblemKind.INVALID)


@pytest.mark.mission("C15")
def test_dead_letters_are_shown_and_sent_again_by_hand(told: Told) -> None:
    letters = told.api.ask("GET", f"{DELIVERIES}?state=dead").json()["items"]
    assert {each["why"] for each in letters} == {"status 400: no such channel"}
    problem(told.api.ask("POST", RETRY, body={}), ProblemKind.INVALID)
    problem(told.api.ask("POST", RETRY, body={"keys": ["x"], "all": True}), ProblemKind.INVALID)
    problem(told.api.ask("POST", RETRY, body={"keys": ["x"]}), ProblemKind.CONFLICT)
    told.pager.mended = True
    done = told.api.ask("POST", RETRY, body={"keys": [letters[0]["key"]]}, key="again")
    assert done.json() == {"again": [letters[0]["key"]]}
    assert told.api.ask("POST", RETRY, body={"keys": [letters[0]["key"]]}, key="again").json() == done.json()
    until(lambda: len(told.api.ask("GET", DELIVERIES).json()["items"]) == 1, "one is over")
    assert told.api.ask("POST", RETRY, body={"all": True}).json() == {"again": [letters[1]["key"]]}
    until(lambda: told.api.ask("GET", DELIVERIES).json()["items"] == [], "both are over")
    assert sorted(told.pager.took) == ["dns fails at fra1", "web fails at nrt1"]


@pytest.mark.mission("C15")
def test_the_command_is_a_client_of_it_and_tells_the_same_as_the_socket(told: Told, tmp_path: Path) -> None:
    api = Api(told.api.url, told.api.admin, None, lambda _: None)
    try:
        controller = ApiController(api, lambda _: None)
        (number,) = [each["id"] for each in controller.incidents() if each["services"] == ["web"]]
        controller.acknowledge(number)
        controller.annotate(number, "a rack")
        whole = controller.incident(number)
        socket = ControllerSocket(tmp_path, told.api.daemon, told.api.store, "ctl.example.net:9479")
        local = told.api.call(socket.answer({"command": "incident", "incident": number}))
        assert local.keys() == whole.keys()
        assert local["opened"] == pytest.approx(whole["opened"], abs=1e-3)
        assert [each["text"] for each in local["timeline"]] == [each["text"] for each in whole["timeline"]]
        listed = told.api.call(socket.answer({"command": "incidents"}))["incidents"]
        assert [each["id"] for each in listed] == [each["id"] for each in controller.incidents()]
        assert "the admin: a rack" in [each["text"] for each in whole["timeline"]]
        assert controller.postmortem(number, "markdown").startswith("# Postmortem: web fails at nrt1")
        assert controller.deliveries() == []
        assert controller.send_again(None) == []
    finally:
        api.close()


def test_a_controller_that_opens_none_says_so(api: World) -> None:
    refused = problem(api.ask("POST", RETRY, body={"all": True}), ProblemKind.CONFLICT)
    assert "started without --fleet" in refused["detail"]
