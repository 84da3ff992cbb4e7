"""Drives the embedded BGP speaker: as a process of its own over its socket, or in this process.

As a process (`anycastle speaker run`) it outlives the agent: an agent that restarts disturbs no session, and one that
dies leaves its announcements to the watchdog.
"""

from collections.abc import Iterable
from pathlib import Path

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.routers.contract import SessionState, SessionStatus
from anycastle.io.speaker.control import NeighbourShape, SpeakerClient
from anycastle.io.speaker.speaker import NeighbourStatus, Speaker
from anycastle.model.announcement import Announcements
from anycastle.model.asn import ASN
from anycastle.model.pop import PoP
from anycastle.model.prefix import Family, parse_address
from anycastle.session.fsm import State

FAMILIES = {str(family): family for family in Family}

ANSWER_S = 2.0
"""How long a speaker may take to answer; one that hangs must be told of soon."""

_STATES = {
    State.ESTABLISHED.value: SessionState.ESTABLISHED,
    State.IDLE.value: SessionState.DOWN,
}
"""The speaker's word for a state -> what an operator cares about; every other is on its way."""

SPEAKER_SOCKET = "speaker.sock"
"""Name of the speaker's socket in the PoP's run directory."""


class EmbeddedDriver:
    """Drives a speaker process."""

    def __init__(self, asn: ASN, pop: PoP, run_dir: Path) -> None:  # noqa: ARG002  every driver is made alike
        self._client = SpeakerClient(run_dir / SPEAKER_SOCKET, ANSWER_S)

    async def start(self) -> None:
        """Ask the speaker for its state, to see that it is there."""
        await self._client.status()

    async def apply(self, wanted: Announcements) -> None:
        """Have the speaker announce exactly `wanted`."""
        await self._client.set_routes(wanted)

    async def exported(self) -> Announcements:
        """Read what the established sessions were sent."""
        return await self._client.exported()

    async def configured(self) -> Announcements:
        """Read what the speaker was told."""
        return await self._client.configured()

    async def sessions(self) -> tuple[SessionStatus, ...]:
        """Give the state of every neighbour."""
        return tuple(map(_session_of, await self._client.status()))

    async def shut(self, text: str) -> None:
        """Leave the sessions up: they are the speaker's, which outlives the agent."""

    async def close(self) -> None:
        """Nothing is held between requests."""


class InProcessDriver:
    """Drives a speaker of this process, which it starts and stops."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    async def start(self) -> None:
        """Start the speaker."""
        await self.speaker.start()

    async def apply(self, wanted: Announcements) -> None:
        """Have the speaker announce exactly `wanted`."""
        try:
            self.speaker.set_routes(wanted)
        except MisuseError as error:
            raise WorldError(str(error), retryable=False) from error

    async def exported(self) -> Announcements:
        """Give what the established sessions were sent."""
        return self.speaker.exported()

    async def configured(self) -> Announcements:
        """Give what the speaker was told."""
        return self.speaker.configured()

    async def sessions(self) -> tuple[SessionStatus, ...]:
        """Give the state of every neighbour."""
        return tuple(map(_status_of, self.speaker.status()))

    async def shut(self, text: str) -> None:
        """End every session with Cease and `text`."""
        await self.speaker.stop(text)

    async def close(self) -> None:
        """End what `shut` did not end, without a word: neighbours with graceful restart keep the routes."""
        await self.speaker.stop("", withdraw=False)


def _session_of(shape: NeighbourShape) -> SessionStatus:
    return SessionStatus(
        upstream=shape.upstream,
        neighbour=parse_address(shape.neighbour),
        state=_STATES.get(shape.state, SessionState.CONNECTING),
        families=frozenset(FAMILIES[family] for family in shape.families if family in FAMILIES),
        detail=shape.reason,
        graceful_restart=shape.graceful_restart,
    )


def _status_of(status: NeighbourStatus) -> SessionStatus:
    negotiated = status.negotiated
    families: Iterable[Family] = negotiated.families if negotiated else ()
    return SessionStatus(
        upstream=status.upstream,
        neighbour=status.neighbour,
        state=_STATES.get(status.state.value, SessionState.CONNECTING),
        families=frozenset(families),
        detail=status.reason,
        graceful_restart=negotiated is not None and negotiated.peer_restart is not None,
    )
