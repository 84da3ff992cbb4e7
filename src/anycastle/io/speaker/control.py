"""The speaker as a process of its own: requests over a Unix socket that only its owner may open.

Each request is one JSON object on a line, with `op`:

- `set`: `{"routes": [...]}`, announce exactly these
- `exported`: what the neighbours with an established session were sent
- `configured`: what was last asked for with `set`
- `status`: every neighbour's state
- `events`: `{"after": n, "wait_s": s}`, what happened after event `n`, waiting up to `s` for the first
- `refresh`: `{"upstream": name, "family": "ipv4"}`
- `stop`: `{"text": reason, "withdraw": true}`, end every session

Events are kept in a ring: a client that falls further behind than `EVENTS_KEPT` sees the gap in the numbers.
"""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.announcement_json import AnnouncementShape, announcements_of, shapes_of
from anycastle.io.local_socket import LINE_BYTES_MAX, LocalServer, Reply
from anycastle.io.speaker.event import SessionDown, SessionUp, SpeakerEvent, SpeakerWarning
from anycastle.io.speaker.speaker import NeighbourStatus, Speaker
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Family
from anycastle.session.fsm import State

_Shape = TypeVar("_Shape")
EVENTS_KEPT = 4096
WAIT_MAX_S = 60.0
_FAMILIES = {str(family): family for family in Family}


class NeighbourShape(msgspec.Struct, frozen=True):
    """One neighbour's state, as it goes over the socket."""

    upstream: str
    neighbour: str
    state: str
    reason: str
    families: tuple[str, ...]
    graceful_restart: bool
    """Whether the neighbour keeps our routes while we restart."""
    peer_asn: int | None
    hold_time_s: int | None
    routes_sent: int
    routes_received: int


class EventShape(msgspec.Struct, frozen=True):
    """One event: its number, which only grows, and what happened in words."""

    number: int
    kind: str
    upstream: str
    neighbour: str
    state: str
    cause: str
    text: str


class ControlServer:
    """Serves one speaker on a Unix socket. Hand `note` every event of the speaker."""

    def __init__(self, path: Path) -> None:
        self._server = LocalServer(path, self._handle)
        self._speaker: Speaker | None = None
        self._events: deque[EventShape] = deque(maxlen=EVENTS_KEPT)
        self._number = 0
        self._fresh = asyncio.Event()
        self.told = asyncio.Event()
        """Set once a client said what to announce."""
        self.stopped = asyncio.Event()
        """Set once a client asked for the end and the sessions are closed."""

    async def start(self, speaker: Speaker) -> None:
        """Begin to serve. Raises `WorldError`."""
        self._speaker = speaker
        await self._server.start()

    async def close(self) -> None:
        """Stop serving."""
        await self._server.close()

    def note(self, event: SpeakerEvent) -> None:
        """Keep an event for those who ask; what is about single routes is not kept."""
        shape = _event_shape(self._number + 1, event)
        if shape is None:
            return
        self._number += 1
        self._events.append(shape)
        self._fresh.set()

    async def _handle(self, request: dict[str, Any]) -> Reply:
        speaker = self._speaker
        if speaker is None:
            raise MisuseError("the speaker has not started yet")
        match request:
            case {"op": "set", "routes": routes}:
                speaker.set_routes(_routes_of(routes))
                self.told.set()
                return {"ok": True}
            case {"op": "exported"}:
                return {"routes": msgspec.to_builtins(shapes_of(speaker.exported()))}
            case {"op": "configured"}:
                return {"routes": msgspec.to_builtins(shapes_of(speaker.configured()))}
            case {"op": "status"}:
                return {"neighbours": msgspec.to_builtins([_status_shape(each) for each in speaker.status()])}
            case {"op": "events"}:
                return await self._wait(int(request.get("after", 0)), float(request.get("wait_s", 0.0)))
            case {"op": "refresh", "upstream": str(upstream), "family": str(family)} if family in _FAMILIES:
                speaker.request_refresh(upstream, _FAMILIES[family])
                return {"ok": True}
            case {"op": "stop"}:
                await speaker.stop(str(request.get("text", "")), withdraw=bool(request.get("withdraw", True)))
                self.stopped.set()
                return {"ok": True}
        raise MisuseError(f"no such request: {str(request)[:200]}")

    async def _wait(self, after: int, wait_s: float) -> Reply:
        loop = asyncio.get_running_loop()
        end = loop.time() + min(max(wait_s, 0.0), WAIT_MAX_S)
        while self._number <= after and (left := end - loop.time()) > 0:
            self._fresh.clear()
            try:
                await asyncio.wait_for(self._fresh.wait(), left)
            except TimeoutError:
                break
        return {"events": msgspec.to_builtins([each for each in self._events if each.number > after])}


class SpeakerClient:
    """Speaks to a `ControlServer`. Every method raises `WorldError`; requests are answered in order."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    async def set_routes(self, wanted: Announcements) -> None:
        """Announce exactly `wanted`."""
        await self._ask({"op": "set", "routes": msgspec.to_builtins(shapes_of(wanted))})

    async def exported(self) -> Announcements:
        """Read what the neighbours were really sent."""
        return await self._routes("exported")

    async def configured(self) -> Announcements:
        """Read what was last asked for."""
        return await self._routes("configured")

    async def status(self) -> tuple[NeighbourShape, ...]:
        """Read every neighbour's state."""
        reply = await self._ask({"op": "status"})
        return self._convert(reply.get("neighbours"), tuple[NeighbourShape, ...])

    async def events(self, after: int, wait_s: float = 0.0) -> tuple[EventShape, ...]:
        """Read what happened after event `after`, waiting up to `wait_s` for the first."""
        reply = await self._ask({"op": "events", "after": after, "wait_s": wait_s}, wait_s)
        return self._convert(reply.get("events"), tuple[EventShape, ...])

    async def refresh(self, upstream: str, family: Family) -> None:
        """Ask an upstream for its routes again."""
        await self._ask({"op": "refresh", "upstream": upstream, "family": str(family)})

    async def stop(self, text: str, *, withdraw: bool = True) -> None:
        """End every session."""
        await self._ask({"op": "stop", "text": text, "withdraw": withdraw})

    async def _routes(self, which: str) -> Announcements:
        reply = await self._ask({"op": which})
        return announcements_of(self._convert(reply.get("routes"), list[AnnouncementShape]))

    def _convert(self, value: object, shape: type[_Shape]) -> _Shape:
        try:
            return msgspec.convert(value, shape)
        except msgspec.ValidationError as error:
            raise WorldError(f"{self._path}: the speaker is of another version: {error}", retryable=False) from error

    async def _ask(self, request: dict[str, Any], longer_s: float = 0.0) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s + longer_s):
                reader, writer = await asyncio.open_unix_connection(str(self._path), limit=LINE_BYTES_MAX)
                try:
                    writer.write(msgspec.json.encode(request) + b"\n")
                    line = await reader.readline()
                finally:
                    writer.close()
            reply = msgspec.json.decode(line, type=dict[str, Any])
        except TimeoutError as error:
            raise WorldError(f"{self._path}: no answer within {self._timeout_s:g} s") from error
        except OSError as error:
            raise WorldError(f"{self._path}: {error.strerror}; is the speaker running?") from error
        except (ValueError, msgspec.DecodeError) as error:
            raise WorldError(f"{self._path}: the speaker's answer is cut short") from error
        if "error" in reply:
            raise WorldError(str(reply["error"]), retryable=False)
        return reply


def _routes_of(routes: object) -> Announcements:
    try:
        return announcements_of(msgspec.convert(routes, list[AnnouncementShape]))
    except msgspec.ValidationError as error:
        raise MisuseError(f"routes: {error}") from error


def _status_shape(status: NeighbourStatus) -> NeighbourShape:
    negotiated = status.negotiated
    return NeighbourShape(
        upstream=status.upstream,
        neighbour=str(status.neighbour),
        state=status.state.value,
        reason=status.reason,
        families=tuple(map(str, sorted(negotiated.families))) if negotiated else (),
        graceful_restart=negotiated is not None and negotiated.peer_restart is not None,
        peer_asn=negotiated.peer_asn if negotiated else None,
        hold_time_s=negotiated.hold_time_s if negotiated else None,
        routes_sent=status.routes_sent,
        routes_received=status.routes_received,
    )


def _event_shape(number: int, event: SpeakerEvent) -> EventShape | None:
    match event:
        case SessionUp():
            state = State.ESTABLISHED.value
            return EventShape(number, "session-up", event.upstream, str(event.neighbour), state, "", "")
        case SessionDown():
            state, cause = event.state.value, event.cause.value
            return EventShape(number, "session-down", event.upstream, str(event.neighbour), state, cause, event.reason)
        case SpeakerWarning():
            return EventShape(number, "warning", "", event.subject, "", "", event.text)
    return None
