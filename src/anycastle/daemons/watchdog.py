"""The watchdog's process: ends the agent's leases when the agent dies or hangs.

It is small and apart: it shares nothing with the agent but a Unix socket, over which the agent renews its leases, and
it drives the router itself. The agent starts it and leaves it running when it is killed; the next agent finds it there.
It ends when the agent has left in good order and no lease is left to end, or when nobody was heard for long. An agent
whose router is set up in another way than the one that it was started for sends it away and starts its own.
"""

import asyncio
import hashlib
import os
import pickle
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from anycastle.base.errors import AnycastleError, ParseError, WorldError
from anycastle.base.ports import FAR_FUTURE, Instant, Timestamp
from anycastle.health.commands import LeaseTerm
from anycastle.health.lease import Lapse, LeaseKeeper
from anycastle.io.announcement_json import AnnouncementShape, announcements_of, shapes_of
from anycastle.io.clock import now
from anycastle.io.local_socket import LINE_BYTES_MAX, LocalServer
from anycastle.io.routers.contract import RouterDriver
from anycastle.model.announcement import Announcements
from anycastle.model.event import Event, LeaseLapsed
from anycastle.model.service import Lease, LeaseEnd

RETRY_S = 1.0
"""How soon to try again when the router did not take a withdrawal."""

ABANDONED_S = 60.0
"""How long a watchdog without an agent, and without a lease to end, waits for the next agent."""


DISCHARGE_TIMEOUT_S = 5.0
"""How long a stopping agent tries to leave its last terms with the watchdog; one that heard none ends the old ones."""

DISCHARGE_POLL_S = 0.1

UNANSWERED_MAX = 1000
"""Words without an answer, beyond which nothing more is said."""

STARTING_S = 10.0
"""How long a watchdog may take to start, before another is started beside it."""


class TermShape(msgspec.Struct, frozen=True):
    """A lease's term on the socket."""

    service: str
    end: str
    duration_s: float
    hold_s: float
    routes: list[AnnouncementShape]


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the agent says: new terms, or nothing but that it lives; or its last terms, when it stops in good order."""

    terms: list[TermShape] | None = None
    leaving: bool = False
    charge: str = ""
    """The agent's `Charge.fingerprint`, beside terms."""
    at: float = 0.0
    """The machine's monotonic clock when terms were said: older ones that arrive later, over another connection, are
    void."""


class WatchdogDaemon:
    """Keeps the leases of one agent."""

    def __init__(
        self, pop: str, driver: RouterDriver, socket_path: Path, events_path: Path | None, fingerprint: str = ""
    ) -> None:
        self.pop = pop
        self._fingerprint = fingerprint
        self.driver = driver
        self.keeper = LeaseKeeper()
        self._server = LocalServer(socket_path, self._heard)
        self._events_path = events_path
        self._changed = asyncio.Event()
        self._left = False
        self._ended = False
        self._terms_at = 0.0

    async def run(self) -> None:
        """Watch until the agent has left with nothing to end, or nobody was heard for long."""
        await self._server.start()
        try:
            while not self._over():
                await self._wait()
                await self._end_leases()
        finally:
            await self._server.close()
            await self.driver.close()

    def _over(self) -> bool:
        return self._ended or (self._left and self.keeper.deadline == FAR_FUTURE)

    async def _wait(self) -> None:
        """Wait for a word, for the next lapse, or until nobody was heard for so long that nobody will be."""
        self._changed.clear()
        deadline = self.keeper.deadline
        timeout = ABANDONED_S if deadline == FAR_FUTURE else max(0.0, deadline - now().monotonic)
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            self._ended = deadline == FAR_FUTURE

    async def _heard(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            word = msgspec.convert(request, Word)
            terms = None if word.terms is None else tuple(_term_of(shape) for shape in word.terms)
        except (msgspec.ValidationError, ParseError, ValueError) as error:
            raise WorldError(f"not understood: {error}", retryable=False) from error
        if terms is None:
            self.keeper.alive(now().monotonic)
        elif word.at and word.at < self._terms_at:
            return {"watching": not self._ended}  # a later connection said otherwise since
        else:
            self._terms_at = word.at
            self.keeper.renew(terms, now().monotonic)
            self._ended = word.charge != self._fingerprint
        self._left = word.leaving
        self._changed.set()
        return {"watching": not self._ended}

    async def _end_leases(self) -> None:
        lapses, standing = self.keeper.wake(now().monotonic)
        if not lapses:
            return
        self._changed.clear()  # a word that is not heard yet; the one that brought the lapse is
        while not self._changed.is_set():
            if await self._apply(standing):
                self._record(lapses)
                return
            try:
                await asyncio.wait_for(self._changed.wait(), RETRY_S)
            except TimeoutError:
                continue

    async def _apply(self, standing: Announcements) -> bool:
        try:
            await self.driver.apply(await self._remaining(standing))
        except AnycastleError as error:
            print(f"watchdog of {self.pop}: {error}; trying again", file=sys.stderr, flush=True)  # noqa: T201
            return False
        return True

    async def _remaining(self, standing: Announcements) -> Announcements:
        """Give what the router is to announce; where it does not tell what it does now, what was agreed on."""
        try:
            return self.keeper.remaining(await self.driver.configured())
        except AnycastleError:
            return standing

    def _record(self, lapses: list[Lapse]) -> None:
        for lapse in lapses:
            text = f"watchdog of {self.pop}: the agent was silent for {lapse.silent_s:.1f} s; {lapse.service} withdrawn"
            print(text, file=sys.stderr, flush=True)  # noqa: T201
        if self._events_path is None:
            return
        from anycastle.io.event_log import EventLog

        at = Timestamp(now().wall)
        events = [Event(at, self.pop, LeaseLapsed(lapse.service, "withdraw", lapse.silent_s)) for lapse in lapses]
        try:
            with EventLog(self._events_path) as log:
                log.append(events)
        except WorldError as error:  # the leases that are still to end matter more
            print(f"watchdog of {self.pop}: not in the event log: {error}", file=sys.stderr, flush=True)  # noqa: T201


class WatchdogClient:
    """The agent's end: renews, starts the watchdog where there is none, and says when nobody watches.

    The watchdog answers each word with a line, in their order; so what it has taken is known, and what it may be about
    to take: `keeps`.
    """

    def __init__(self, charge: "Charge") -> None:
        self._charge = charge
        self._writer: asyncio.StreamWriter | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._terms: tuple[LeaseTerm, ...] | None = None
        self._told: tuple[LeaseTerm, ...] | None = None
        self._unanswered: deque[tuple[LeaseTerm, ...] | None] = deque()
        """The words of this connection that have no answer yet: their terms, or None for a mere sign of life."""
        self._taken: tuple[LeaseTerm, ...] | None = None
        """The terms by which the watchdog lives, as it said in this connection."""
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = Instant(-FAR_FUTURE)
        self.problem: str | None = "the watchdog has not been reached yet"

    def renew(self, terms: tuple[LeaseTerm, ...]) -> None:
        """Tell the watchdog the terms where they are new, else only that the agent lives. Never waits."""
        self._terms = terms
        if self._writer is None or self._writer.is_closing():
            self._reconnect()
            return
        buffered = self._writer.transport.get_write_buffer_size()
        if buffered > LINE_BYTES_MAX or len(self._unanswered) >= UNANSWERED_MAX:
            self.problem = "the watchdog does not read"
            return
        news = terms is not self._told
        self._writer.write(msgspec.json.encode(self._word(terms) if news else Word()) + b"\n")
        self._unanswered.append(terms if news else None)
        self._told = terms

    def keeps(self, service: str) -> bool:
        """Tell whether the watchdog is sure to keep a service: it said so, and was told nothing else since.

        One that does not answer may be about to end it.
        """
        if self._taken is None:
            return False
        known = [self._taken, *(terms for terms in self._unanswered if terms is not None)]
        return all(_kept(service, terms) for terms in known)

    async def discharge(self, terms: tuple[LeaseTerm, ...]) -> None:
        """Tell the watchdog that the agent stops in good order, and what is to be ended after it."""
        if self._connecting is not None:
            self._connecting.cancel()
        word = msgspec.json.encode(self._word(terms, leaving=True)) + b"\n"
        try:
            async with asyncio.timeout(DISCHARGE_TIMEOUT_S):
                while not await self._say_last(word) and (terms or self._starting()):
                    await self._start()
                    await asyncio.sleep(DISCHARGE_POLL_S)
        except TimeoutError:
            self.problem = "the watchdog could not be told that the agent stops"

    async def _say_last(self, word: bytes) -> bool:
        """Say a word on a connection of its own; tell whether a watchdog of ours heard it."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._charge.socket_path))
            try:
                writer.write(word)
                answer = msgspec.json.decode(await reader.readline(), type=dict[str, Any])
            finally:
                writer.close()
        except (OSError, msgspec.DecodeError):
            return False
        return bool(answer.get("watching"))

    def _word(self, terms: tuple[LeaseTerm, ...], *, leaving: bool = False) -> Word:
        return Word([_shape_of(term) for term in terms], leaving, self._charge.fingerprint, now().monotonic)

    def _reconnect(self) -> None:
        if self._connecting is None or self._connecting.done():
            self._writer = None
            self._forget()
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._charge.socket_path))
        except OSError:
            self.problem = "the watchdog is being started"
            await self._start()
            return
        self._writer, self.problem = writer, None
        try:
            if self._terms is not None:
                self.renew(self._terms)
            await self._read_replies(reader)
        finally:
            self._writer = None
            self._forget()
            writer.close()

    def _forget(self) -> None:
        """Know nothing of the watchdog any more: the next one may be another."""
        self._told = self._taken = None
        self._unanswered.clear()

    def _starting(self) -> bool:
        """Tell whether a watchdog that we started may be on its way."""
        running = self._process is not None and self._process.poll() is None
        return running and now().monotonic < self._started_at + STARTING_S

    async def _start(self) -> None:
        """Start a watchdog, but no second one while the first is on its way."""
        if not self._starting():
            self._started_at = now().monotonic
            self._process = await asyncio.to_thread(start_watchdog, self._charge)

    async def _read_replies(self, reader: asyncio.StreamReader) -> None:
        """Read until the watchdog goes away."""
        try:
            while line := await reader.readline():
                reply = msgspec.json.decode(line, type=dict[str, Any])
                self.problem = f"the watchdog says: {reply['error']}" if "error" in reply else None
                answered = self._unanswered.popleft() if self._unanswered else None
                if not reply.get("watching"):
                    self._taken = None
                elif answered is not None:
                    self._taken = answered
        except (OSError, ValueError) as error:
            self.problem = f"the watchdog's connection broke: {error}"
        else:
            self.problem = "the watchdog went away"


@dataclass(frozen=True, slots=True)
class Charge:
    """All that a watchdog is given at its start; `driver` names a row of `io.routers.DRIVERS`."""

    pop: str
    driver: Any
    socket_path: Path
    events_path: Path | None
    log_path: Path

    @property
    def fingerprint(self) -> str:
        """What tells a charge from another, also in another process."""
        return hashlib.sha256(repr((self.pop, self.driver, self.events_path)).encode()).hexdigest()


def start_watchdog(charge: Charge) -> subprocess.Popen[bytes]:
    """Start a watchdog in a session of its own, so that what ends the agent does not end it."""
    with charge.log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "anycastle.daemons.watchdog"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
        )
        assert process.stdin is not None
        # A pipe between this process and its child: nobody else can put a pickle into it.
        process.stdin.write(pickle.dumps(charge))
        process.stdin.close()
        return process


def _kept(service: str, terms: tuple[LeaseTerm, ...]) -> bool:
    """Tell whether terms end nothing of a service: it is to be kept, or is not in them."""
    return all(term.lease.end is LeaseEnd.KEEP or not term.announcements for term in terms if term.service == service)


def _term_of(shape: TermShape) -> LeaseTerm:
    lease = Lease(LeaseEnd(shape.end), shape.duration_s, shape.hold_s)
    return LeaseTerm(shape.service, lease, announcements_of(shape.routes))


def _shape_of(term: LeaseTerm) -> TermShape:
    lease = term.lease
    return TermShape(term.service, lease.end.value, lease.duration_s, lease.hold_s, shapes_of(term.announcements))


def main() -> None:
    """Run as a process: the charge comes over standard input."""
    charge: Charge = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  our parent wrote it
    os.chdir("/")
    daemon = WatchdogDaemon(
        charge.pop, charge.driver.make(), charge.socket_path, charge.events_path, charge.fingerprint
    )
    try:
        asyncio.run(daemon.run())
    except WorldError as error:
        sys.exit(f"watchdog of {charge.pop}: {error}")


if __name__ == "__main__":
    main()
