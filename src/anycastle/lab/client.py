"""A client network's probes: DNS queries at an even pace, clocked when they are sent, each from a port of its own.

A query counts as lost when no answer has come `TIMEOUT_S` after it was sent. What a client saw is a tally of queries
that the lab reads afterwards.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.message

TIMEOUT_S = 1.0

Route = Callable[[], tuple[tuple[str, int], float] | None]
"""() -> where a packet of this client ends up now and how long it takes there, in seconds; None where nowhere."""


@dataclass(slots=True)
class Query:
    """One query. `answered_by` is what the answer said of itself."""

    sent_at: float
    answered_at: float | None = None
    answered_by: str | None = None


@dataclass(slots=True)
class Tally:
    """All queries of one client, in the order of their sending."""

    client: str
    queries: list[Query] = field(default_factory=list)

    def lost(self, since: float = 0.0, until: float = float("inf")) -> int:
        """Count the queries of a span of time that were never answered."""
        return sum(query.answered_at is None for query in self.queries if since <= query.sent_at < until)

    def served_by(self) -> str | None:
        """Give the PoP of the last answer."""
        return next((query.answered_by for query in reversed(self.queries) if query.answered_by is not None), None)

    def first_answer_from_elsewhere(self, pop: str, since: float) -> float | None:
        """Give when the first query sent after `since` and answered by another PoP than `pop` was answered."""
        answers = (q.answered_at for q in self.queries if q.sent_at >= since and q.answered_by not in (None, pop))
        return next((at for at in answers if at is not None), None)


class Client(asyncio.DatagramProtocol):
    """Asks `id.server. CH TXT` all the time, along whatever route its network has at that moment."""

    def __init__(self, name: str, route: Route, rate_per_s: float) -> None:
        self.tally = Tally(name)
        self._route = route
        self._interval_s = 1.0 / rate_per_s
        self._waiting: dict[int, Query] = {}
        self._next_id = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._question = dns.message.make_query("id.server.", "TXT", "CH").to_wire()[2:]

    async def start(self) -> None:
        """Begin to ask."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._timer = loop.call_later(self._interval_s, self._ask, loop.time() + self._interval_s)

    def pause(self) -> None:
        """Ask no more; what is under way may still be answered."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        """Ask no more, and take no answer."""
        self.pause()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport

    def error_received(self, exc: Exception) -> None:
        """Take a refusal for what it is, no answer: the query is lost when its time is up."""

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:  # noqa: ARG002
        """Note an answer once it would have come all the way back."""
        query = self._waiting.get(int.from_bytes(data[:2], "big"))
        route = self._route()
        if query is None:
            return
        back_s = route[1] if route is not None else 0.0
        asyncio.get_running_loop().call_later(back_s, self._answered, int.from_bytes(data[:2], "big"), data)

    def _answered(self, number: int, data: bytes) -> None:
        query = self._waiting.pop(number, None)
        now = asyncio.get_running_loop().time()
        if query is not None and now - query.sent_at <= TIMEOUT_S:
            query.answered_at = now
            query.answered_by = _identity(data)

    def _ask(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(due + self._interval_s, self._ask, due + self._interval_s)
        query = Query(loop.time())
        self.tally.queries.append(query)
        number = self._next_id = (self._next_id + 1) % 65536
        self._waiting[number] = query
        route = self._route()
        if route is not None:
            address, one_way_s = route
            loop.call_later(one_way_s, self._arrive, number, address)

    def _arrive(self, number: int, address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(number.to_bytes(2, "big") + self._question, address)


def _identity(answer: bytes) -> str | None:
    """Give the TXT of an answer to our own question: the last record, whose text fills the rest of the message."""
    message = dns.message.from_wire(answer)
    for rrset in message.answer:
        for record in rrset:
            return str(record.to_text()).strip('"')
    return None
