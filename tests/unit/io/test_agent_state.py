from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.health.drain import Drain
from anycastle.health.permits import Permit
from anycastle.health.state import AgentState, SavedPenalty
from anycastle.io.agent_state import AgentStateFile
from anycastle.model.permit import PermitState
from anycastle.model.stance import DrainStep

STATE = AgentState(
    permits={"dns": Permit(PermitState.USED, 7), "web": Permit(PermitState.HELD)},
    drains={"dns": Drain(DrainStep.SHUTTING, "ada", "new kernel", Timestamp(5.0), 1.0, 2.0, Timestamp(99.0))},
    penalties={"web": SavedPenalty(1234.5, Timestamp(6.0), suppressed=True)},
)


@pytest.mark.mission("C16")
def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    file = AgentStateFile(tmp_path / "agent.json")
    assert file.load() is None
    file.save(STATE)
    assert AgentStateFile(tmp_path / "agent.json").load() == STATE


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is damaged"),
        (b'{"version": 1, "state"', "is damaged"),
        (b'{"version": 1, "state": {"permits": {"dns": {"state": "some", "epoch": 1}}}}', "is damaged"),
        (b'{"version": 2, "state": {}}', "is of version 2; this release reads version 1"),
    ],
)
def test_a_state_that_cannot_be_read_stops_the_agent(tmp_path: Path, octets: bytes, said: str) -> None:
    path = tmp_path / "agent.json"
    path.write_bytes(octets)
    with pytest.raises(WorldError, match=said) as caught:
        AgentStateFile(path).load()
    assert not caught.value.retryable


def test_a_state_that_is_not_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="cannot be read"):
        AgentStateFile(tmp_path).load()
