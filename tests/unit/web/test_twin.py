"""What a change would move, asked of the API: a real graph's file, and the process that answers by it."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.io.foretelling import KEPT, WAITING_MAX, Foreteller, TwinFiles, TwinQuestion
from anycastle.model.person import Role
from tests.graph_file import write_graph_for
from tests.unit.web.world import EXAMPLE, World, world

pytestmark = pytest.mark.mission("C18")

PATH = "/api/v1/twin/shift"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> TwinFiles:
    folder = tmp_path_factory.mktemp("graph")
    return TwinFiles(write_graph_for(EXAMPLE, folder / "20250901.as-rel.txt"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, twin: TwinFiles) -> Iterator[World]:
    with world(f"sqlite:///{tmp_path_factory.mktemp('api')}/store.db", twin=twin) as made:
        made.adopted()
        yield made


def ask(api: World, token: str | None = None, **asked: Any) -> Any:
    answer = api.ask("POST", PATH, token, {"service": "dns", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def means(told: Any, which: str) -> dict[str, float]:
    return {pop["name"]: pop[which]["mean"] for pop in told["pops"]}


def test_what_nobody_changes_moves_nobody(told: World) -> None:
    seen = ask(told)
    assert seen["moved"]["mean"] == 0.0
    assert means(seen, "now") == means(seen, "after")
    assert sum(means(seen, "now").values()) + seen["no_route"]["now"]["mean"] == pytest.approx(1.0, abs=1e-5)
    assert seen["graph"] == {"name": "20250901.as-rel.txt", "date": "2025-09-01"}
    assert sorted(seen["unheard"]) == ["fra1", "gru1", "iad1", "nrt1"], "no agent is there: files are believed"


def test_a_pop_that_is_off_leaves_its_users_to_others_as_the_command_says(told: World, twin: TwinFiles) -> None:
    seen = ask(told, off=["fra1"], load="38G")
    words = ["twin", "predict", "--fleet", str(EXAMPLE), "--graph", str(twin.graph), "--without", "fra1",
             "--load", "38G", "-o", "json", "--no-cache"]  # fmt: skip
    ran = CliRunner().invoke(cli, words)
    assert ran.exit_code == 0, ran.output
    by_command = json.loads(ran.stdout)
    silent = {"kind": "silent-pop", "subject": "fra1", "text": "announces nothing that this graph can follow"}
    assert silent in seen["remarks"], "the command takes it from what is announced, and does not remark on it"
    seen["remarks"].remove(silent)
    assert {name: seen[name] for name in by_command} == by_command
    fra1 = next(pop for pop in seen["pops"] if pop["name"] == "fra1")
    assert (fra1["announces"], fra1["after"]["mean"], fra1["load"]["mean"]) == (False, 0.0, 0.0)
    assert fra1["now"]["mean"] > 0
    assert seen["moved"]["mean"] == pytest.approx(fra1["now"]["mean"], abs=0.2)
    gone = [route for route in seen["routes"] if route["pop"] == "fra1"]
    assert gone
    assert all(route["now"] is not None and route["after"] is None for route in gone)


def test_prepends_of_a_pop_and_of_an_upstream_move_users_away(told: World) -> None:
    before = ask(told)
    links = {f"{route['pop']}/{route['upstream']}": route for route in before["routes"]}
    link = next(name for name in links if name.startswith("fra1/"))
    seen = ask(told, prepends={"fra1": 3, link: 1})
    after = {f"{route['pop']}/{route['upstream']}": route["after"]["prepend"] for route in seen["routes"]}
    assert {name: number for name, number in after.items() if name.startswith("fra1/")} == {
        name: 1 if name == link else 3 for name in links if name.startswith("fra1/")
    }
    assert means(seen, "after")["fra1"] < means(seen, "now")["fra1"]
    assert seen["moved"]["mean"] > 0


def test_communities_are_given_as_they_are_or_by_the_upstreams_words(told: World) -> None:
    link = "gru1/transit-a"
    seen = ask(told, communities={link: ["64500:7"]})
    (route,) = [each for each in seen["routes"] if f"{each['pop']}/{each['upstream']}" == link]
    assert route["after"]["communities"] == ["64500:7"]
    answer = told.ask("POST", PATH, body={"service": "dns", "communities": {link: ["no-such-word"]}})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "conflict")
    assert "'no-such-word' is neither a community nor in the vocabulary" in answer.text


def test_all_names_that_are_not_there_are_told_at_once(told: World) -> None:
    asked = {"service": "dns", "off": ["fra9", "iad1"], "on": ["iad1"], "prepends": {"fra1/nobody": 1}}
    answer = told.ask("POST", PATH, body=asked)
    assert answer.status_code == 409
    findings = "\n".join(answer.json()["findings"])
    for words in ("iad1 is both off and on", "no PoP fra9", "fra1 has no upstream nobody"):
        assert words in findings


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"load": "38"}, "/load"),
        ({"load": "0G"}, "/load"),
        ({"prefix": "nowhere"}, "/prefix"),
        ({"prepends": {"fra1": 21}}, "/prepends/fra1"),
        ({"off": ["x"] * 2001}, "/off"),
        ({"without": ["fra1"]}, "/without"),
    ],
)
def test_what_cannot_be_asked_is_named(told: World, asked: dict[str, Any], pointer: str) -> None:
    answer = told.ask("POST", PATH, body={"service": "dns", **asked})
    assert answer.status_code == 422, answer.text
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]


def test_a_body_has_a_limit_and_a_service_must_be_there(told: World) -> None:
    large = {"service": "dns", "off": ["a" * 60 + f"{n}" for n in range(1500)]}
    assert told.ask("POST", PATH, body=large).status_code == 413
    assert told.ask("POST", PATH, body={"service": "nobody"}).status_code == 404
    foreign = told.ask("POST", PATH, body={"service": "dns", "prefix": "203.0.113.0/24"})
    assert (foreign.status_code, "is no prefix of the service dns" in foreign.text) == (409, True)


def test_a_viewer_of_the_service_may_ask(told: World) -> None:
    assert ask(told, told.token(Role.VIEWER, frozenset({"dns"})))["service"] == "dns"
    other = told.ask("POST", PATH, told.token(Role.VIEWER, frozenset({"web"})), {"service": "dns"})
    assert other.status_code == 403


def test_without_a_graph_the_problem_says_how_to_give_one(api: World) -> None:
    answer = api.ask("POST", PATH, body={"service": "dns"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems/no-graph")
    assert "--graph FILE" in answer.json()["next"]


def test_a_graph_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("1|2|-1\n1|x|0\n")
    with world(f"sqlite:///{tmp_path}/store.db", twin=TwinFiles(bad)) as made:
        made.adopted()
        answer = made.ask("POST", PATH, body={"service": "dns"})
        assert answer.status_code == 409
        assert f"{bad}:2" in answer.text
        assert any("foretells nothing" in line for line in made.told)


def question(key: str) -> TwinQuestion:
    from anycastle.io.config import load_fleet

    fleet = load_fleet(EXAMPLE).fleet
    assert fleet is not None
    return TwinQuestion(fleet, fleet, "dns", fleet.services[0].prefixes[0], None, key)


def test_the_same_question_is_answered_once_and_a_dead_process_is_started_anew(twin: TwinFiles) -> None:
    import asyncio

    async def ran() -> None:
        heard = list[str]()
        foreteller = Foreteller(twin, heard.append)
        try:
            first, same = await asyncio.gather(foreteller.ask(question("a")), foreteller.ask(question("a")))
            assert first is same
            child = foreteller._child
            assert child is not None
            os.kill(child.pid, signal.SIGKILL)
            await child.wait()
            assert await foreteller.ask(question("a")) is first, "kept, and nobody is asked"
            assert await foreteller.ask(question("b")) == first
            assert len([line for line in heard if line.startswith("foretells by 20250901")]) == 2
        finally:
            await foreteller.close()
        assert foreteller._child is None

    asyncio.run(ran())
    assert KEPT >= 2


def test_too_many_that_wait_are_told_when_to_ask_again(told: World) -> None:
    """The process is held, so that whatever is asked waits."""
    process = child_of(told)
    os.kill(process, signal.SIGSTOP)
    try:
        waiting = [
            threading.Thread(target=ask, args=(told,), kwargs={"prepends": {"iad1": n}})
            for n in range(1, WAITING_MAX + 1)
        ]
        for each in waiting:
            each.start()
        foreteller = told.foreteller
        assert foreteller is not None
        while foreteller._waiting < WAITING_MAX:
            assert all(each.is_alive() for each in waiting)
        answer = told.ask("POST", PATH, body={"service": "dns", "prepends": {"iad1": 15}})
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "2"
        assert told.ask("GET", "/healthz").status_code == 200, "the loop goes on"
    finally:
        os.kill(process, signal.SIGCONT)
    for each in waiting:
        each.join(60)
    assert ask(told, prepends={"iad1": 15})["service"] == "dns"


def child_of(told: World) -> int:
    ask(told)
    assert told.foreteller is not None
    assert told.foreteller._child is not None
    return told.foreteller._child.pid
