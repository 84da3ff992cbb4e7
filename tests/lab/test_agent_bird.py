"""The agent on BIRD, in network namespaces."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.lab.netns import run
from tests.lab.agent_rigs import ADDRESSES, BirdRig, Rig, finished, until
from tests.lab.agent_rows import AgentRows
from tests.lab.namespaces import needs_root
from tests.lab.observer import Step

pytestmark = [
    pytest.mark.lab,
    needs_root,
    pytest.mark.skipif(
        shutil.which("bird", path="/usr/sbin:/usr/bin") is None, reason="needs the Debian package bird2"
    ),
]


@pytest.fixture(params=[False, True], ids=["plain", "graceful-restart"])
def rig(request: pytest.FixtureRequest) -> Iterator[BirdRig]:
    with tempfile.TemporaryDirectory(prefix="anycastle-") as folder:
        made = BirdRig(Path(folder), graceful=request.param)
        yield made
        finished(made)
        assert not made.namespace.exists


class TestBird(AgentRows):
    """BIRD keeps every row."""

    def expect_farewell(self, rig: Rig, steps: list[Step], down: Step) -> None:
        assert "Cease" in down.text


@pytest.mark.mission("C2", "I1")
class TestBirdAlone:
    """Rows that only a router of somebody else's, or a namespace, can show."""

    def test_an_address_is_there_before_the_first_announcement_and_until_after_the_last(self, rig: BirdRig) -> None:
        seen: list[tuple[str, bool]] = []

        def there() -> bool:
            return f" {ADDRESSES['dns']}/32" in run("ip", "-n", rig.namespace.name, "addr", "show", "dev", "lo")

        def note(step: Step) -> None:
            if step.kind in ("announced", "withdrawn"):
                seen.append((step.kind, there()))

        rig.prepare = lambda: (BirdRig.prepare(rig), setattr(rig.observer, "on_step", note))  # type: ignore[method-assign]
        rig.begin(rig.service(manage_addresses=True))
        rig.cli("drain", "dns", "--reason", "new line cards", "--soak", "0", "--wait", "0.2")
        until(lambda: not there(), "the address is gone")
        rig.expect_announced()
        rig.cli("undrain", "dns", "--reason", "done")
        rig.expect_announced("dns")
        rig.stop_agent()
        assert not there()
        states = [state for number, state in enumerate(seen) if not number or state != seen[number - 1]]
        assert states == [("announced", True), ("withdrawn", True), ("announced", True), ("withdrawn", True)]

    def test_an_edit_by_hand_is_told_and_never_overwritten(self, rig: BirdRig) -> None:
        rig.begin(rig.service())
        edited = rig.announcements.read_text().replace("anycastle_transit_prepend = 0", "anycastle_transit_prepend = 3")
        rig.announcements.write_text(edited)
        rig.kill_service()
        until(lambda: "edited by hand" in rig.page("/readyz")[1], "the agent says so")
        assert "edited by hand" in rig.expect_event("router_diverged").fields["problem"]
        assert rig.announced() == {"dns"}
        assert rig.announcements.read_text() == edited
        rig.announcements.unlink()
        rig.expect_announced()
        rig.expect_ready()

    def test_what_a_human_took_away_is_announced_again(self, rig: BirdRig) -> None:
        rig.begin(rig.service())
        run("birdc", "-s", str(rig.socket), "disable", "anycastle4")
        until(lambda: "withdrawn" in rig.observer.kinds(), "it is gone")
        rig.expect_announced("dns")
        assert rig.expect_event("router_diverged")
