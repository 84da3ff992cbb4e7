"""Transcripts of a controller's commands, played against real processes (`controlled_fleet`).

Beside what `test_transcripts` knows, a line `(…)` waits or lets something happen: `(rollout 1: baking 1)` waits until
it is in this state and step, `(assigned)` until all agents live by what they are assigned, `(withdrawn ams)` and
`(announced ams)` until its agent says so; `(stop ams)` and `(start ams)` end and start an agent. Moments, spans,
revisions and tokens differ each time; they are written alike.

Each is played twice: by the controller's socket, and by its API over TLS, with a token for each who is named. The
answers are the same but for two lines that the API's have beside: what to do next, and what an order was decided on;
and for the places of values in a request, which the API names before what is wrong with them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.controlled_fleet import LINK_PORT, ControlledFleet
from tests.cli.test_transcripts import TRANSCRIPTS, put, run
from tests.lab.agent_rigs import until

ALIKE = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"), "2026-01-01 03:00:00 UTC"),
    (re.compile(r"for \d+ (?:s|min)(?: \d+ s)?\b"), "for 1 s"),
    (re.compile(r"\bby term \d+"), "by term 1"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "REVISION"),
    (re.compile(r"(?<=UTC  )[0-9a-f]{12}\b"), "ASSIGNMENT"),
    (re.compile(r"^\S{30,}$", re.MULTILINE), "TOKEN"),
)


_API_ALONE = ("! next: ", "! decided on: ")
_VALUES = re.compile(r"! anycastle: gates cannot be asked\n! /policy/gates/\d+: ")
_VALUE = re.compile(r"^! /policy/gates/\d+: ", re.MULTILINE)


@pytest.fixture(params=["socket", "api"])
def way(request: pytest.FixtureRequest) -> str:
    """Give by which way commands reach the controller."""
    return str(request.param)


@pytest.fixture
def fleet(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlledFleet]:
    made = ControlledFleet(tmp_path, serves_api=way == "api")
    monkeypatch.setenv("ANYCASTLE_CONTROLLER_DIR", "controller")
    monkeypatch.setenv("LOGNAME", "ann")
    try:
        made.begin()
        if way == "api":
            monkeypatch.setenv("ANYCASTLE_SERVER", made.url)
            monkeypatch.setenv("ANYCASTLE_CA_FILE", "pki/bundle.pem")
            for name in ("bob", "ann"):
                monkeypatch.setenv("ANYCASTLE_TOKEN_FILE", str(made.token(name, "admin")))
        yield made
    finally:
        made.end()


def happen(fleet: ControlledFleet, what: str) -> None:
    match re.split(r"[: ]+", what.strip("()"), maxsplit=2):
        case ["rollout", number, state]:
            until(lambda: fleet.rollout_is(int(number), state), what, wait_s=60)
        case ["assigned"]:
            until(fleet.all_assigned, what, wait_s=60)
        case ["withdrawn" | "announced" as stance, pop]:
            wanted = {"withdrawn": "withdraw", "announced": "announce"}[stance]
            until(lambda: fleet.stance(pop) == wanted, what, wait_s=60)
        case ["stop", pop]:
            fleet.stop(f"agent-{pop}")
            until(lambda: not fleet.status()["agents"][pop]["connected"], what)
        case ["start", pop]:
            fleet.start_agent(pop)
        case _:
            raise AssertionError(what)


def play(transcript: str, fleet: ControlledFleet) -> str:
    """Give the transcript with the answers that the commands really give."""
    played: list[str] = []
    lines = iter(transcript.splitlines())
    for line in lines:
        if line.startswith("#"):
            played.append(line)
        elif line.startswith("("):
            print("\n".join(played))  # what led here, should it not happen
            happen(fleet, line)
            played += [line, ""]
        elif line.startswith("$ cat > "):
            played.append(line)
            played += put(fleet.folder / line.removeprefix("$ cat > "), lines)
        elif line.startswith("$ "):
            played += [line, *alike(answers(line.removeprefix("$ "), fleet), fleet), ""]
    return "\n".join(played)


def answers(typed: str, fleet: ControlledFleet) -> list[str]:
    """Give what a command answers; by the API, a token stands for `--owner`, and the server for the socket's folder."""
    if "ANYCASTLE_SERVER" not in os.environ:
        return run(typed, fleet.folder)
    typed = typed.replace(" --controller controller", "")
    with pytest.MonkeyPatch.context() as patch:
        if named := re.search(r" --owner (\w+)", typed):
            patch.setenv("ANYCASTLE_TOKEN_FILE", str(fleet.folder / f"{named[1]}.token"))
        told = run(re.sub(r" --owner \w+", "", typed), fleet.folder)
    text = "\n".join(line for line in told if not line.startswith(_API_ALONE))
    text = _VALUE.sub("! ", _VALUES.sub("! anycastle: ", text))
    return text.replace(fleet.url, f"{fleet.net}9:{LINK_PORT}").splitlines()


def alike(answer: list[str], fleet: ControlledFleet) -> list[str]:
    text = "\n".join(answer).replace(fleet.net, "127.0.0.").replace(f"{fleet.folder}/", "")
    for pattern, written in ALIKE:
        text = pattern.sub(written, text)
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.mission("C4", "C5", "F7", "P3")
@pytest.mark.parametrize("path", sorted((TRANSCRIPTS / "controlled").glob("*.txt")), ids=lambda path: path.stem)
def test_the_transcript_holds(path: Path, fleet: ControlledFleet, way: str) -> None:
    transcript = path.read_text(encoding="utf-8")

    played = play(transcript, fleet)

    if os.environ.get("TRANSCRIPTS") == "write" and way == "socket":
        path.write_text(played.rstrip("\n") + "\n", encoding="utf-8")
    else:
        assert played.rstrip("\n") == transcript.rstrip("\n")


def test_there_is_a_transcript() -> None:
    assert list((TRANSCRIPTS / "controlled").glob("*.txt"))
