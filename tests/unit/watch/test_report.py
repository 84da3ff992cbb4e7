"""What is shown of a prefix, and its history in BGPlay's shape."""

import json

import pytest

from anycastle.watch.report import history, related, shown
from tests.unit.watch.scene import OURS, OWN, START, UPSTREAMS, Scene


@pytest.mark.mission("C6", "M4")
def test_the_present_and_the_past() -> None:
    scene = Scene()
    scene.seed(6)
    scene.wait(100)
    scene.see([1, 2], 666)
    scene.lose([3])
    scene.see([0], 1, prefix=OURS.__class__(OURS.family, OURS.network, 25))
    told = shown(scene.engine, OURS)
    assert json.loads(json.dumps(told)) == told
    assert told["visibility"]["able"] == 6
    assert told["visibility"]["missing"] == [1003]
    assert told["origins"] == {"AS64500": 3, "AS666": 2}
    assert told["neighbours"] == {"AS64496": 3, "AS1001": 1, "AS1002": 1}
    assert [each["kind"] for each in told["findings"]] == ["origin_change"]
    assert told["related"] == ["192.0.2.0/25"]
    assert {str(prefix) for prefix in related(scene.engine, OURS)} == {"192.0.2.0/25"}

    past = history(scene.engine, OURS)
    assert json.loads(json.dumps(past)) == past
    assert (past["query_starttime"], past["query_endtime"]) == (START, START + 100)
    assert len(past["initial_state"]) == 6
    assert past["initial_state"][0]["path"] == [1000, 3356, UPSTREAMS[0], OWN]
    assert [(each["timestamp"], each["type"]) for each in past["events"]] == [
        (START + 100, "A"), (START + 100, "A"), (START + 100, "W"),
    ]  # fmt: skip
    assert past["origins"] == [{"as_number": 666, "first": START + 100}, {"as_number": 64500, "first": START}]
