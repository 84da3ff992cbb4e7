"""The log: pages of it, and as it grows."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import StoredEvent
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker, Person, person_with
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Events, Name
from anycastle.web.stream import PAGE, EventStream, event_plain, frame

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["log"])

Kinds = Annotated[list[Name] | None, Query(max_length=50, description="Kinds of events; all where none is named.")]
Sequence = Annotated[int | None, Query(ge=0, le=2**53)]


class Filter:
    """Which events are asked for, within what somebody may see."""

    def __init__(
        self,
        kind: Kinds = None,
        pop: Annotated[Name | None, Query()] = None,
        service: Annotated[list[Name] | None, Query(max_length=100)] = None,
    ) -> None:
        self._kinds, self._pop, self._services = kind or None, pop, service or None

    def services(self, asker: Person) -> frozenset[str] | None:
        """Give the services whose events are seen; None for all, and for events of no service."""
        asked = None if self._services is None else frozenset(self._services)
        if asker.grant.services is None:
            return asked
        return asker.grant.services if asked is None else asked & asker.grant.services

    async def page(
        self,
        parts: Parts,
        asker: Person,
        after: int,
        limit: int,
        since: Timestamp | None = None,
        *,
        newest: bool = False,
    ) -> list[StoredEvent]:
        """Give events after a number."""
        return await parts.store.events(
            after, limit, kinds=self._kinds, pop=self._pop, services=self.services(asker), since=since, newest=newest
        )


@ROUTER.get("/events", response_model=Events)
async def events(
    parts: PartsOf,
    asker: Asker,
    wanted: Annotated[Filter, Depends(Filter)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Sequence = None,
    since: Annotated[AwareDatetime | None, Query(description="RFC 3339.")] = None,
    newest: Annotated[bool, Query(description="The last that fit, instead of the first.")] = False,
) -> Any:
    """List events, the oldest first. `next` is where the following page begins, also where nothing is there yet."""
    after = cursor or 0
    wall = None if since is None else Timestamp(since.timestamp())
    found = await wanted.page(parts, asker, after, limit, wall, newest=newest)
    return {"items": [event_plain(each) for each in found], "next": found[-1].sequence if found else after}


@ROUTER.get(
    "/events/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    parts: PartsOf,
    asker: Asker,
    wanted: Annotated[Filter, Depends(Filter)],
    cursor: Sequence = None,
    heartbeat_s: Annotated[float, Query(ge=1, le=60, description="How often it is to show that it is alive.")] = 15.0,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None,
) -> EventStream:
    """Send events as they are stored: from Last-Event-ID, else from `cursor`, else from now on."""
    if parts.streams >= parts.settings.streams_max:
        parts.measure.limited.labels("streams").inc()
        raise Problem(ProblemKind.TOO_MANY, "too many streams are open", headers={"Retry-After": "30"})
    last = (await parts.store.head()).sequence
    asked = last_event_id if last_event_id is not None else cursor
    after = last if asked is None else asked
    if after > last:
        raise Problem(ProblemKind.EVENTS_UNKNOWN, f"event {after} is asked for, and {last} is the last", {"last": last})
    parts.streams += 1
    parts.measure.streams.set(parts.streams)
    return EventStream(_frames(parts, asker, wanted, after, heartbeat_s), parts.settings.send_s, parts.stream_ended)


async def _frames(parts: Parts, asker: Person, wanted: Filter, after: int, heartbeat_s: float) -> AsyncIterator[bytes]:
    """Give what is sent: events, and where there is none a line that shows the stream is alive and how far it is."""
    yield b": events after %d\n\n" % after
    while True:
        try:
            last = (await parts.store.head()).sequence
            found = await wanted.page(parts, asker, after, PAGE)
            for event in found:
                yield frame(event)
            after = found[-1].sequence if len(found) == PAGE else max([after, last, *(each.sequence for each in found)])
            if found:
                continue
            await parts.tail.beyond(after, min(heartbeat_s, parts.settings.heartbeat_s))
            if await person_with(parts.people, asker.secret) is None:
                yield b": the token is over\n\n"
                return
        except WorldError:
            yield b": the store is away\n\n"
            return
        yield b"id: %d\n: alive\n\n" % after
