import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.daemons.assigned import Start, begin_with, fitted
from anycastle.io.access_file import AccessFile
from anycastle.io.assignment_file import AssignmentFile
from anycastle.io.assignment_json import encode
from anycastle.model.asn import ASN
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.fleet import Fleet
from tests.unit.health.world import fleet, service

pytestmark = pytest.mark.mission("C3", "F7")

TOLD = fleet(service(pops=("ams",)), pops=("ams",))
FILES = fleet()


def with_upstreams(made: Fleet, *names: str) -> Fleet:
    place = made.pops[0]
    upstreams = tuple(replace(place.upstreams[0], name=name) for name in names)
    return replace(made, pops=(replace(place, upstreams=upstreams), *made.pops[1:]))


def begin(folder: Path, files: Fleet | str) -> Start:
    async def load() -> Fleet:
        if isinstance(files, str):
            raise MisuseError(files)
        return files

    return asyncio.run(
        begin_with(AssignmentFile(folder / "assignment.json"), AccessFile(folder / "controller.json"), "ams", load)
    )


def stored(folder: Path, told: Fleet = TOLD) -> Path:
    AssignmentFile(folder / "assignment.json").save(encode(told), Timestamp(5.0))
    return folder


def test_without_an_assignment_the_files_count(tmp_path: Path) -> None:
    assert begin(tmp_path, FILES) == Start(FILES, None, None)
    with pytest.raises(MisuseError, match="no such folder"):
        begin(tmp_path, "no such folder")


def test_the_assignment_counts_and_the_machine_is_as_the_files_have_it(tmp_path: Path) -> None:
    start = begin(stored(tmp_path), with_upstreams(fleet(service("web")), "transit", "peer"))
    assert [each.name for each in start.fleet.services] == ["dns"]
    assert [each.name for each in start.fleet.pops] == ["ams"]
    assert [each.name for each in start.fleet.pops[0].upstreams] == ["transit", "peer"]
    assert start.assignment is not None
    assert start.assignment.fleet == TOLD
    assert start.trouble is None


def test_the_assignment_is_enough_where_the_files_are_of_no_use(tmp_path: Path) -> None:
    start = begin(stored(tmp_path), "pops/ams.yaml:1:1: no")
    assert start.fleet == TOLD
    assert start.trouble == "it lives by its assignment alone: pops/ams.yaml:1:1: no"


def test_the_controllers_that_the_files_named_last_are_dialled_without_them(tmp_path: Path) -> None:
    access = ControllerAccess(("controller.example.net",))
    assert begin(stored(tmp_path), replace(FILES, controller=access)).fleet.controller == access
    AccessFile(tmp_path / "controller.json").save(access)
    assert begin(tmp_path, "no").fleet.controller == access
    AccessFile(tmp_path / "controller.json").save(None)
    assert begin(tmp_path, "no").fleet.controller is None
    (tmp_path / "controller.json").write_text("{")
    start = begin(tmp_path, "no")
    assert start.fleet.controller is None
    assert start.trouble is not None
    assert "is damaged" in start.trouble


def test_an_assignment_of_another_pop_stops_the_agent(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="is for fra, and this is the agent of ams"):
        begin(stored(tmp_path, fleet(service(pops=("fra",)), pops=("fra",))), FILES)


def test_a_damaged_one_stops_the_agent(tmp_path: Path) -> None:
    (tmp_path / "assignment.json").write_text("{")
    with pytest.raises(WorldError, match="is damaged"):
        begin(tmp_path, FILES)


def test_upstreams_that_run_already_stay_and_are_told_nothing() -> None:
    running = with_upstreams(FILES, "transit", "peer")
    made = fitted(TOLD, running, "ams")
    assert made.pops[0].upstreams == running.pops[0].upstreams
    assert not made.services[0].policy("ams", "peer", made.services[0].prefixes[0]).announce


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (with_upstreams(TOLD, "transit", "peer"), "the upstream peer"),
        (replace(TOLD, asn=ASN(64999)), "the ASN"),
        (replace(TOLD, pops=(replace(TOLD.pops[0], router=replace(TOLD.pops[0].router, driver="bird")),)),
         "the router"),
    ],
)  # fmt: skip
def test_what_the_agent_does_not_run_is_refused(told: Fleet, wrong: str) -> None:
    with pytest.raises(MisuseError, match=f"{wrong} of ams is not what its agent runs: bring its files up to date"):
        fitted(told, FILES, "ams")
