"""An engine that is put down and taken up again between any two steps goes on as one that was not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.base.ports import Timestamp
from anycastle.io import response_json
from anycastle.response.engine import ResponseEngine
from anycastle.response.policy import Policy
from anycastle.response.signal import Silence, Subject
from tests.property.test_response import DAY, Watched, day
from tests.unit.response.world import TOPOLOGY


class Restarted(Watched):
    """As `Watched`, with the engine written and read again after each step."""

    def check(self, notices: list) -> None:  # type: ignore[type-arg]
        super().check(notices)
        engine = self.engine
        documents = {response_json.ENGINE: response_json.encode(engine.kept())}
        documents |= {
            f"{response_json.INCIDENT}{number}": response_json.encode(each) for number, each in engine.incidents.items()
        }
        stored = response_json.decode_all(documents)
        assert stored.engine is not None
        self.engine = ResponseEngine(TOPOLOGY, engine.policy)
        self.engine.restore(stored.engine, stored.incidents)
        assert self.engine.incidents == engine.incidents
        assert list(self.engine.incidents) == list(engine.incidents)


def test_an_engine_that_was_told_nothing_is_kept_too() -> None:
    octets = response_json.encode(ResponseEngine(TOPOLOGY).kept())
    (kept,) = [response_json.decode_all({response_json.ENGINE: octets}).engine]
    assert kept is not None
    again = ResponseEngine(TOPOLOGY)
    again.restore(kept, [])
    assert again.tick(Timestamp(0.0)) == []


@pytest.mark.mission("C15", "C16")
@settings(max_examples=30)
@given(st.integers(0, 10**9))
def test_days_with_restarts_are_the_same_days(seed: int) -> None:
    told = []
    for kind in (Watched, Restarted):
        watched = kind(Policy())
        quiet = Silence("s", Timestamp(0.0), Timestamp(DAY / 2), Subject(pop="nrt9"), "work")
        watched.check(watched.engine.silence(quiet, Timestamp(0.0)))
        for at, what, thing in day(random.Random(seed)):
            watched.do(at, what, thing)
        watched.until(2 * DAY + 8000)
        told.append((watched.notices, watched.engine.incidents, watched.engine.held))
    assert told[0] == told[1], f"seed {seed}"
