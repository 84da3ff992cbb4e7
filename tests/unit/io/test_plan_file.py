import json
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.plan_file import plain_plan, read_plan, write_plan
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.model.service import Policy
from anycastle.model.stance import Stance
from anycastle.rollout.check_input import Evidence
from anycastle.rollout.foreseen import ForeseenPoP, ForeseenShift, Loss
from anycastle.rollout.plan import Plan
from tests.unit.rollout.state import STEERED, V4, V6, fleet, live, plan, report, saying, service


def full() -> Plan:
    """A plan with something in every part of it."""
    far = RouteAttributes(2, 50, 90, frozenset({StandardCommunity(1, 2), LargeCommunity(1, 2, 3)}))
    made = service()
    laid = {("fra", "one"): Policy(attributes=far, steered=STEERED), ("fra", "two"): Policy(announce=False)}
    after = fleet(replace(made, policies={**made.policies, **laid}))
    sick = saying(report(fleet(), "ams"), stance=Stance.WITHDRAW, reason="hard checks fail")
    said = report(fleet(), "iad")
    edited = replace(said, exported=said.exported - {Announcement(V6, "one")})
    shift = ForeseenShift(
        "dns", V4, "graph g", (ForeseenPoP("fra", 0.1, 0.2, None, 3.0, 0.5),), 0.1, 0.0, 1.0, 0.2,
        (Loss("ams", "fra", 1.0, 2.0),),
    )  # fmt: skip
    now = live(fleet(), replace(sick, exported=frozenset(), wanted=frozenset()), edited, without=("nrt",))
    return plan(after, now, Evidence(foreseen=(shift,)))


@pytest.mark.mission("C3")
def test_a_plan_that_was_saved_is_read_as_it_was(tmp_path: Path) -> None:
    made = full()
    assert made.difference.changes
    assert made.difference.explained
    assert made.difference.drifts
    assert made.findings
    assert made.steps
    write_plan(made, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == made
    assert json.loads((tmp_path / "plan.json").read_text()) == json.loads(json.dumps(plain_plan(made)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "truncated"),
        ("{}", "its format is not anycastle-plan"),
        ('{"format": "anycastle-plan", "version": 1}', "it is of version 1; this release reads 2; make the plan anew"),
        ('{"format": "anycastle-plan", "version": 3}', "it is of version 3; this release reads 2"),
        ('{"format": "anycastle-plan", "version": 2}', "missing required field"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ParseError, match=why):
        read_plan(path)


def test_a_plan_whose_parts_do_not_fit_is_refused(tmp_path: Path) -> None:
    shape = plain_plan(full())
    shape["steps"][0]["changes"] = [999]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(shape))
    with pytest.raises(ParseError):
        read_plan(path)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        read_plan(tmp_path / "plan.json")
