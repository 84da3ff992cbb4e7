"""Following a measurement: each result once, whichever way it came."""

import json
import time
from collections.abc import Iterator

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.atlas_api.client import AtlasAPI
from anycastle.io.atlas_api.stream import Follower
from tests.unit.io.atlas_api.server import NUMBER, Atlas, result, served

NOW = int(time.time())
SUBSCRIBED = ["atlas_subscribed", {"streamType": "result", "msm": NUMBER}]


@pytest.fixture
def atlas() -> Iterator[Atlas]:
    with served(Atlas()) as found:
        yield found


def followed(atlas: Atlas, number: int, seconds: float = 20.0) -> tuple[list[int], Follower, list[str]]:
    """Follow until so many results have come."""
    told: list[str] = []
    with AtlasAPI(atlas.address, told=told.append, pause_s=0.01) as api:
        follower = Follower(api, NUMBER, atlas.stream, told.append, (0.01, 0.02))
        probes = []
        for line in follower.results(NOW - 100, time.time() + seconds):
            probes.append(json.loads(line)["prb_id"])
            if len(probes) == number:
                break
    return probes, follower, told


@pytest.mark.mission("I3")
def test_what_came_before_and_what_comes_now_is_given_once(atlas: Atlas) -> None:
    atlas.results = [result(1, NOW - 50), result(2, NOW - 10)]
    atlas.streamed = [
        ["atlas_metadata", {}], SUBSCRIBED, ["atlas_result", result(2, NOW - 10)], "no json", ["atlas_result", 7],
        ["atlas_result", dict(reversed(result(1, NOW - 50).items()))], ["atlas_result", result(3, NOW)],
    ]  # fmt: skip
    probes, follower, _ = followed(atlas, 3)
    assert probes == [1, 2, 3]
    assert follower.streams == 1
    assert atlas.subscriptions == [["atlas_subscribe", {"streamType": "result", "msm": NUMBER}]]


@pytest.mark.mission("I3")
def test_what_came_while_the_stream_was_lost_is_fetched(atlas: Atlas) -> None:
    atlas.streamed = [
        SUBSCRIBED, ["atlas_result", result(1, NOW)], None,
        SUBSCRIBED, ["atlas_result", result(1, NOW)], ["atlas_result", result(3, NOW + 1)],
    ]  # fmt: skip
    told: list[str] = []
    with AtlasAPI(atlas.address, pause_s=0.01) as api:
        follower = Follower(api, NUMBER, atlas.stream, told.append, (0.01, 0.02))
        lines = follower.results(NOW - 100, time.time() + 20)
        assert json.loads(next(lines))["prb_id"] == 1
        atlas.results = [result(1, NOW), result(2, NOW)]  # while nobody listened
        assert [json.loads(next(lines))["prb_id"] for _ in range(2)] == [2, 3]
    assert follower.streams == 2
    assert "the stream is lost" in told[0]


def test_a_refusal_of_the_stream_ends_it(atlas: Atlas) -> None:
    atlas.streamed = [["atlas_error", {"detail": "no such measurement"}]]
    with pytest.raises(WorldError, match="no such measurement"):
        followed(atlas, 1)


def test_it_ends_in_time_also_where_nobody_is_there(atlas: Atlas) -> None:
    atlas.streamed = [SUBSCRIBED]
    assert followed(atlas, 1, seconds=0.3)[0] == []
    atlas.stream = "ws://127.0.0.1:9/"
    probes, _, told = followed(atlas, 1, seconds=0.3)
    assert probes == []
    assert "refused" in told[0]
