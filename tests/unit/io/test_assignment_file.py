from pathlib import Path

import msgspec
import pytest

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.assignment_file import Assignment, AssignmentFile
from anycastle.io.assignment_json import digest, encode
from anycastle.model.fleet import Fleet
from tests.unit.health.world import fleet, service

pytestmark = pytest.mark.mission("C3", "F7")


def assignment() -> Fleet:
    return fleet(service(pops=("ams",)), pops=("ams",))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path, octets = tmp_path / "assignment.json", encode(assignment())
    assert AssignmentFile(path).load() is None
    AssignmentFile(path).save(octets, Timestamp(5.0))
    assert AssignmentFile(path).load() == Assignment(assignment(), digest(octets), Timestamp(5.0))


def test_a_file_cut_at_any_octet_stops_the_agent_and_says_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "assignment.json"
    AssignmentFile(path).save(encode(assignment()), Timestamp(5.0))
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(WorldError, match=r"is damaged: .*; `anycastle agent forget-assignment` makes") as caught:
            AssignmentFile(path).load()
        assert not caught.value.retryable


def test_a_value_that_changed_on_disk_is_found(tmp_path: Path) -> None:
    path = tmp_path / "assignment.json"
    AssignmentFile(path).save(encode(assignment()), Timestamp(5.0))
    path.write_bytes(path.read_bytes().replace(b"64500", b"64501"))
    with pytest.raises(WorldError, match="not those that were written"):
        AssignmentFile(path).load()


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "assignment.json"
    AssignmentFile(path).save(encode(assignment()), Timestamp(5.0))
    stored = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(stored | {"version": 2}))
    with pytest.raises(WorldError, match="of version 2; this release reads version 1"):
        AssignmentFile(path).load()
