"""A neighbour of the PoP under test: a speaker on a thread of its own that notes each step of what it is told."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.event import BestChanged, RoutesReceived, SessionDown, SessionUp, SpeakerEvent
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Family
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from anycastle.rib.route import Route
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.session.fsm import State
from tests.lab.namespaces import Namespace

OWN, PEER = ASN(64500), ASN(64601)
"""The PoP's ASN, and the observer's."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the observer saw: `up`, `down`, `announced` and `withdrawn` by its own table, or `update`."""

    kind: str
    text: str
    """A prefix, or why the session ended."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A route as the observer has it; prepends are counted beyond the one ASN of eBGP."""

    prepend: int
    communities: frozenset[Community]


class Observer:
    """Speaks as AS64601 with the PoP at `pop`, and dials it at once whenever the session is gone."""

    def __init__(
        self, address: str, pop: str, ports: tuple[int, int], *, graceful: bool, namespace: Namespace | None = None
    ) -> None:
        self.steps: list[Step] = []
        self.table: dict[str, Route] = {}
        self.on_step: Callable[[Step], None] = lambda _step: None
        self._namespace = namespace
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        own_port, pop_port = ports
        session = SessionConfig(
            local_asn=PEER,
            peer_asn=OWN,
            identifier=IPv4Address("10.255.255.1"),
            peer=pop,
            families=(Family.IPV4,),
            hold_time_s=90,
            connect_retry_s=0.3,
            idle_hold_s=0.05,
            idle_hold_max_s=0.3,
            graceful_restart=RestartConfig() if graceful else None,
        )
        policy = NeighbourPolicy("pop", OWN, Relationship.CUSTOMER)
        neighbour = NeighbourConfig(
            "pop", ip_address(pop), session, port=pop_port, local_address=ip_address(address), policy=policy
        )
        listen = ((ip_address(address), own_port),)
        self._config = SpeakerConfig((neighbour,), listen, NetworkPolicy(PEER))
        self._speaker: Speaker | None = None
        self._thread = threading.Thread(target=self._live, name="observer")

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(10), "the observer did not start"

    def stop(self) -> None:
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    @property
    def established(self) -> bool:
        assert self._speaker is not None
        return self._speaker.status()[0].state is State.ESTABLISHED

    def routes(self) -> dict[str, Heard]:
        return {prefix: _heard(route) for prefix, route in dict(self.table).items()}

    @property
    def updates(self) -> int:
        """How many announcements and withdrawals of a prefix came, repetitions included."""
        return sum(step.kind == "update" for step in self.steps)

    def kinds(self, since: int = 0) -> list[str]:
        return [step.kind for step in self.steps[since:]]

    def _live(self) -> None:
        if self._namespace is None:
            asyncio.run(self._speak())
        else:
            self._namespace.call(lambda: asyncio.run(self._speak()))

    async def _speak(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._speaker = Speaker(self._config, self._note)
        await self._speaker.start()
        self._started.set()
        await self._end.wait()
        await self._speaker.stop("the observer has seen enough")

    def _note(self, event: SpeakerEvent) -> None:
        match event:
            case SessionUp():
                self._add("up", "")
            case SessionDown(state=State.ESTABLISHED):
                self._add("down", event.reason)
            case RoutesReceived():
                for route in event.announced:
                    self._add("update", str(route.prefix))
                for prefix in event.withdrawn:
                    self._add("update", str(prefix))
            case BestChanged():
                for change in event.changes:
                    self._changed(str(change.prefix), change.new)
            case _:
                pass

    def _changed(self, prefix: str, route: Route | None) -> None:
        if route is None:
            self.table.pop(prefix, None)
            self._add("withdrawn", prefix)
        else:
            self.table[prefix] = route
            self._add("announced", prefix)

    def _add(self, kind: str, text: str) -> None:
        step = Step(kind, text)
        self.on_step(step)
        self.steps.append(step)


def _heard(route: Route) -> Heard:
    path = str(route.attributes.as_path).split()
    return Heard(len(path) - 1, frozenset(route.attributes.communities))
