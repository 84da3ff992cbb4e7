"""What the API is made of: given to it once, found in each request."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from anycastle.base.ports import Instant
from anycastle.io.budgets import Budgets
from anycastle.io.foretelling import Foreteller
from anycastle.io.observed import Observed
from anycastle.io.store.people import People
from anycastle.io.store.port import Store
from anycastle.io.stored_incidents import StoredIncidents
from anycastle.io.told_findings import ToldFindings
from anycastle.io.watched import Watched
from anycastle.model.fleet import Fleet
from anycastle.web.concerned import Fleets
from anycastle.web.controller import Controller
from anycastle.web.exports import Exports, exports_of
from anycastle.web.limits import RateLimiter
from anycastle.web.logins import Logins
from anycastle.web.measure import Measure
from anycastle.web.problems import Problem
from anycastle.web.public_standing import PublicStanding, public_standing
from anycastle.web.reports import OfReports
from anycastle.web.settings import WebSettings
from anycastle.web.standings import BriefStanding, brief_of
from anycastle.web.stream import Tail
from anycastle.web.upstreams import Told, told_of


@dataclass
class Parts:
    """The parts."""

    store: Store
    people: People
    controller: Controller
    settings: WebSettings
    fleets: Fleets
    tail: Tail
    measure: Measure
    by_address: RateLimiter
    by_person: RateLimiter
    observed: Observed
    incidents: StoredIncidents
    watched: Watched
    told: ToldFindings
    budgets: Budgets
    logins: Logins | None = None
    """How people log in; None where there are tokens alone."""
    foreteller: Foreteller | None = None
    """What predicts shifts; None where no graph was given."""
    exports: OfReports[Exports | None] = field(default_factory=lambda: OfReports(exports_of))
    of_upstreams: OfReports[Told | None] = field(default_factory=lambda: OfReports(told_of))
    standings: OfReports[BriefStanding] = field(default_factory=lambda: OfReports(brief_of))
    public_standings: OfReports[PublicStanding] = field(default_factory=lambda: OfReports(public_standing))
    under_way: set[str] = field(default_factory=set)
    """Keys of requests that are being answered."""
    board: tuple[Instant, dict[str, Any] | Problem] | None = None
    """What the public was told last, or why not, and when that was made."""
    board_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one that makes it."""
    streams: int = 0
    """Streams that are open."""

    async def desired(self) -> Fleet | None:
        """Give the fleet that is desired by default; None before the first wish."""
        return await self.fleets.fleet((await self.controller.kept()).desired.revision)

    def stream_ended(self, slow: bool) -> None:
        """Take that a stream is over."""
        self.streams -= 1
        self.measure.streams.set(self.streams)
        if slow:
            self.measure.cut.labels("slow").inc()


def make_parts(
    store: Store,
    people: People,
    controller: Controller,
    settings: WebSettings = WebSettings(),
    logins: Logins | None = None,
    watched: Watched | None = None,
    foreteller: Foreteller | None = None,
    budgets: Budgets | None = None,
) -> Parts:
    """Give the parts of an application."""
    by_address, by_person = RateLimiter(settings.by_address), RateLimiter(settings.by_person)
    fleets, tail, measure = Fleets(store), Tail(store), Measure()
    return Parts(
        store, people, controller, settings, fleets, tail, measure, by_address, by_person, Observed(store),
        StoredIncidents(store), watched or Watched(), ToldFindings(store), budgets or Budgets(), logins, foreteller,
    )  # fmt: skip


def parts_of(request: Request) -> Parts:
    """Give the parts that a request's application is made of."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]
