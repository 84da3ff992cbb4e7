"""The agent on the embedded speaker: real processes on loopback, without root."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.agent_rigs import EmbeddedRig, Rig, finished
from tests.lab.agent_rows import AgentRows
from tests.lab.observer import Step


@pytest.fixture(params=[False, True], ids=["plain", "graceful-restart"])
def rig(request: pytest.FixtureRequest) -> Iterator[EmbeddedRig]:
    with tempfile.TemporaryDirectory(prefix="anycastle-") as folder:
        made = EmbeddedRig(Path(folder), graceful=request.param)
        yield made
        finished(made)


class TestEmbedded(AgentRows):
    """The embedded speaker keeps every row."""

    def expect_farewell(self, rig: Rig, steps: list[Step], down: Step) -> None:
        assert [step.kind for step in steps[: steps.index(down)]] == ["withdrawn", "update"]
        assert "the speaker was stopped" in down.text
