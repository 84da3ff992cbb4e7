"""A BGP speaker on asyncio: several neighbours, dialled and accepted, and the routes that each is sent.

It keeps no MinRouteAdvertisementIntervalTimer (RFC 4271 §9.2.1.1), on purpose: a withdrawal that waits is an outage,
and whoever decides here already gathers changes into batches and dampens flapping.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from anycastle.io.clock import now
from anycastle.io.speaker.config import SpeakerConfig
from anycastle.io.speaker.core import SpeakerCore
from anycastle.io.speaker.event import SpeakerEvent, SpeakerWarning
from anycastle.io.speaker.sockets import Sockets, engines_of
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Family
from anycastle.rib.route import Route
from anycastle.rib.table import RIB
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated

EVENTS_WAITING_MAX = 10_000
"""Events that an iterator may be behind; beyond it the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class NeighbourStatus:
    """One neighbour as it stands."""

    upstream: str
    neighbour: Address
    state: State
    reason: str
    """Why it is not established, or was last lost."""
    negotiated: Negotiated | None
    routes_sent: int
    routes_received: int


class Speaker:
    """Speaks BGP with the configured neighbours.

    In a plain speaker `set_routes` says what each upstream is announced. With `SpeakerConfig.network` it is an emulated
    network: a whole RIB, and `originate` says what it announces of its own.
    """

    def __init__(self, config: SpeakerConfig, on_event: Callable[[SpeakerEvent], None] | None = None) -> None:
        self.config = config
        self._on_event = on_event
        self._iterators: set[asyncio.Queue[SpeakerEvent]] = set()
        self._core = SpeakerCore(config, engines_of(config), self._emit)
        self._sockets = Sockets(config, self._core, lambda text: self._emit(SpeakerWarning("connection", text)))

    @property
    def listening(self) -> tuple[tuple[Address, int], ...]:
        """Addresses and ports on which connections are accepted."""
        return self._sockets.listening

    @property
    def rib(self) -> RIB:
        """The RIB of an emulated network. Raises `MisuseError` for a plain speaker."""
        return self._core.rib

    async def start(self) -> None:
        """Listen, and begin with every neighbour. Raises `WorldError` when a socket cannot be had."""
        await self._sockets.start()

    async def stop(self, text: str, *, withdraw: bool = True) -> None:
        """Withdraw everything, then end each session with Cease and `text` (RFC 9003), and close.

        Without `withdraw`, neighbours that agreed on graceful restart are left without a word and keep our routes.
        """
        await self._sockets.stop(text, withdraw=withdraw)

    def set_routes(self, wanted: Announcements) -> None:
        """Announce exactly `wanted`, to each upstream its own; only differences are sent. Raises `MisuseError`."""
        self._sockets.perform(self._core.set_routes(wanted, now().monotonic))

    def originate(self, routes: Iterable[Route]) -> None:
        """Hold exactly these routes of our own in an emulated network. Raises `MisuseError` for a plain speaker."""
        self._sockets.perform(self._core.originate(routes, now().monotonic))

    def exported(self) -> Announcements:
        """Give what the neighbours with an established session really were sent."""
        return self._core.exported()

    def configured(self) -> Announcements:
        """Give what `set_routes` asked for last, whether or not a session is up to carry it."""
        return self._core.configured()

    def received(self, upstream: str) -> tuple[Route, ...]:
        """Give the routes of an upstream's neighbours, before policy, as far as they are kept."""
        return tuple(
            route
            for neighbour in self.config.neighbours
            if neighbour.upstream == upstream
            for route in self._core.received_from(neighbour.name)
        )

    def status(self) -> tuple[NeighbourStatus, ...]:
        """Give the state of every neighbour, in the order of the configuration."""
        return tuple(
            NeighbourStatus(
                session.config.upstream,
                session.config.address,
                session.engine.state,
                self._core.reasons.get(name, ""),
                session.engine.negotiated,
                len(self._core.sent_to(name)),
                len(self._core.received_from(name)),
            )
            for name, session in self._sockets.sessions.items()
        )

    def request_refresh(self, upstream: str, family: Family) -> None:
        """Ask an upstream's established neighbours for their routes again (RFC 2918)."""
        for session in self._sockets.sessions.values():
            if session.config.upstream == upstream and session.engine.negotiated is not None:
                session.request_refresh(family)

    async def events(self) -> AsyncIterator[SpeakerEvent]:
        """Give what happens from now on, for ever."""
        waiting: asyncio.Queue[SpeakerEvent] = asyncio.Queue(EVENTS_WAITING_MAX)
        self._iterators.add(waiting)
        try:
            while True:
                yield await waiting.get()
        finally:
            self._iterators.discard(waiting)

    def _emit(self, event: SpeakerEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)
        for waiting in self._iterators:
            if waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(event)
