"""A rollout as an operator reads it: how each step stands, what it waits for, what can be done."""

from typing import Any

import pytest

from anycastle.cli import rollout_text
from anycastle.cli.when import span


def rollout(state: str, step: int, **more: Any) -> dict[str, Any]:
    steps = [{"number": number, "units": number, "pops": [f"pop{number}"]} for number in (1, 2, 3)]
    return {
        "number": 7, "revision": "r", "who": "ann", "reason": "less load", "approved_by": None, "state": state,
        "step": step, "since": 0.0, "paused_by": None, "why": "", "waits_for": "", "marks": [], "steps": steps,
        "prefixes": ["192.0.2.0/24"], "policy": {"bake_s": 60.0, "patience_s": 600.0, "gates": []}, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "step", "stands"),
    [
        ("waiting", 0, ["to come", "to come", "to come"]),
        ("applying", 2, ["done", "applying", "to come"]),
        ("baking", 2, ["done", "baking", "to come"]),
        ("rolling back", 2, ["to go back", "goes back next", "is as before"]),
        ("rolled back", 0, ["is as before"] * 3),
        ("aborted", 0, ["is as before"] * 3),
        ("finished", 3, ["done"] * 3),
    ],
)
def test_each_step_stands_somewhere(state: str, step: int, stands: list[str]) -> None:
    assert [row[1] for row in rollout_text.steps_table(rollout(state, step)).rows] == stands


@pytest.mark.parametrize(
    ("told", "ways"),
    [
        (rollout("waiting", 0, marks=["a floor is lowered"]), ["approve", "pause", "abort"]),
        (rollout("waiting", 0, marks=["a floor is lowered"], approved_by="bob"), ["pause", "abort"]),
        (rollout("applying", 1), ["pause", "abort"]),
        (rollout("baking", 1, paused_by="ann"), ["resume", "promote", "abort"]),
        (rollout("rolling back", 1), ["pause"]),
    ],
)
def test_what_can_be_done_is_said(told: dict[str, Any], ways: list[str]) -> None:
    assert rollout_text.ways_on(told) == "next: " + ", ".join(f"anycastle rollout {way} 7" for way in ways)


@pytest.mark.parametrize("state", ["finished", "rolled back", "aborted"])
def test_nothing_can_be_done_with_one_that_has_ended(state: str) -> None:
    assert rollout_text.ways_on(rollout(state, 0)) == ""


def test_what_others_wrote_stays_on_its_line_and_moves_no_cursor() -> None:
    told = rollout("baking", 1, reason="a\nb\x1b[2J", waits_for="data: ams:\tnothing")
    (row,) = rollout_text.list_table([told]).rows
    assert all("\n" not in cell and "\x1b" not in cell for cell in row)
    assert row[-1] == "waits for data: ams: nothing"
    lines = list(rollout_text.heading(told, 125.0))
    assert "  since      1970-01-01 00:00:00 UTC, for 2 min 5 s" in lines
    assert "  waits for  data: ams: nothing" in lines
    assert not any("\x1b" in line for line in lines)


def test_of_many_pops_some_are_named() -> None:
    told = rollout("baking", 1)
    told["steps"][0]["pops"] = [f"p{number}" for number in range(20)]
    assert rollout_text.steps_table(told).rows[0][3] == "p0, p1, p2, p3, p4, p5, p6, p7 and 12 more"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (0.4, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (90_061, "1 d 1 h")]
)
def test_a_span_is_said_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text
