"""Session hold: one TCP or TLS session, on which something is asked now and then; how long it lives, and why it ends.

A route that moves takes an established session to a PoP that knows nothing of it. That PoP resets it, or a filter there
lets its packets vanish; either way the client loses what short probes never show. The session ends when it is reset,
closed, silent for `answer_timeout_s`, when the server calls itself otherwise than before, or when it was held for
`hold_s`, which is what should happen. After any other end a fresh connection asks who answers now: another PoP says
that the route moved, the same one that it was the server, or something on the way.

The engine is given the time and what came. It says what to send and when it wants to be woken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.ports import Instant, after
from anycastle.probe.result import Failure, FailureKind, Observation
from anycastle.probe.session_dialects import ANSWER_OCTETS_MAX, Dialect

SPEAKS: Final = ("text", "http", "dns")
"""What is said on a session."""


@dataclass(frozen=True, slots=True)
class SessionAsk:
    """A session."""

    speaks: str = "http"
    """Of `SPEAKS`."""
    hold_s: float = 60.0
    every_s: float = 5.0
    answer_timeout_s: float = 3.0
    """Longer than some retransmissions take; a path that heals within it costs no session."""
    tls: bool = False
    host: str | None = None
    """For the Host field, SNI and verification; None: the target's host."""
    path: str = "/"
    site_header: str = ""
    identity: str = "id.server"
    """What is asked for over DNS: of `anycastle.probe.kinds.dns.IDENTITIES`."""
    send: bytes = b"\n"
    until: bytes = b"\n"
    """Ends an answer of text."""
    verify: bool = True
    ca_file: str | None = None
    kind: str = field(default="session", init=False)

    @property
    def timeout_s_min(self) -> float:
        """Give how long a probe may take at least: it connects, holds, waits for the last answer, and asks again."""
        return self.hold_s + 3 * self.answer_timeout_s


class End(Enum):
    """Why a session ended."""

    HELD = "held"
    """We closed it, after its time."""
    RESET = "reset"
    CLOSED = "closed"
    """The other end closed it in order."""
    SILENCE = "silence"
    MOVED = "moved"
    """The server calls itself otherwise than before."""
    GARBAGE = "garbage"
    """What came is no answer."""


@dataclass(frozen=True, slots=True)
class SessionSeen(Observation):
    """One session's life."""

    end: End
    lived_s: float
    """From the open connection to its end."""
    answers: int
    rtt_ms_min: float | None
    rtt_ms_max: float | None
    first: str
    """What the server called itself in the first answer that told it."""
    last: str
    """And in the last one."""
    now: str = ""
    """What it calls itself on a fresh connection after an end that was not ours."""
    trouble: str = ""
    """Why a fresh connection did not get an answer; or what the garbage was."""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give who answers now, then who answered last."""
        return tuple((source, text) for source, text in (("again", self.now), ("session", self.last)) if text)


class Session:
    """One session under way, from the moment at which it is open."""

    def __init__(self, ask: SessionAsk, dialect: Dialect, name_of: Callable[[str], str], now: Instant) -> None:
        """`name_of` gives of a server's text the name that must not change; '' where it has none."""
        self._ask = ask
        self._dialect = dialect
        self._name_of = name_of
        self._began = self._ended_at = now
        self._next_at = now
        self._asked_at: Instant | None = None
        self._buffered = b""
        self._rtts_ms: list[float] = []  # the least and the greatest
        self._first = self._last = self._trouble = ""
        self.answers = 0
        self.end: End | None = None

    def due(self, now: Instant) -> bytes | None:
        """Give octets to send now."""
        if self._asked_at is not None and now >= self._asked_at + self._ask.answer_timeout_s:
            self._end(End.SILENCE, now)
        elif self._asked_at is None and now >= self._began + self._ask.hold_s:
            self._end(End.HELD, now)
        if self.end is not None or self._asked_at is not None or now < self._next_at:
            return None
        self._asked_at = now
        self._next_at = after(now, self._ask.every_s)
        return self._dialect.request(self.answers)

    @property
    def deadline(self) -> Instant:
        """Give when `due` next has something to say."""
        if self._asked_at is not None:
            return after(self._asked_at, self._ask.answer_timeout_s)
        return min(self._next_at, after(self._began, self._ask.hold_s))

    def received(self, octets: bytes, now: Instant) -> None:
        """Take what came; what nobody asked for, such as a greeting, is passed over."""
        if self._asked_at is None or self.end is not None:
            return
        self._buffered += octets
        try:
            answer = self._dialect.answer(self._buffered, self.answers)
        except ParseError as error:
            self._trouble = str(error)
            self._end(End.GARBAGE, now)
            return
        if answer is not None:
            self._buffered = b""
            self._take(answer.identity, now)
        elif len(self._buffered) > ANSWER_OCTETS_MAX:
            self._trouble = f"an answer has no end in {len(self._buffered)} octets"
            self._end(End.GARBAGE, now)

    def _take(self, identity: str, now: Instant) -> None:
        assert self._asked_at is not None
        rtt_ms = (now - self._asked_at) * 1000
        self._rtts_ms = [min([rtt_ms, *self._rtts_ms]), max([rtt_ms, *self._rtts_ms])]
        self._asked_at = None
        self.answers += 1
        name = self._name_of(identity)
        if not name:
            return
        known = self._name_of(self._first)
        self._first = self._first or identity
        self._last = identity
        if known and name != known:
            self._end(End.MOVED, now)

    def lost(self, now: Instant, *, reset: bool) -> None:
        """Take that the connection is gone: reset, or closed in order."""
        self._end(End.RESET if reset else End.CLOSED, now)

    def _end(self, end: End, now: Instant) -> None:
        if self.end is None:
            self.end, self._ended_at = end, now

    def seen(self, now_identity: str = "", trouble: str = "") -> SessionSeen:
        """Give its life; and what a fresh connection had to say."""
        least, most = (round(each, 3) for each in self._rtts_ms) if self._rtts_ms else (None, None)
        return SessionSeen(
            end=self.end or End.HELD,
            lived_s=round(self._ended_at - self._began, 3),
            answers=self.answers,
            rtt_ms_min=least,
            rtt_ms_max=most,
            first=self._first,
            last=self._last,
            now=now_identity,
            trouble=self._trouble or trouble,
        )


_KINDS: Final = {
    End.RESET: FailureKind.RESET,
    End.CLOSED: FailureKind.RESET,
    End.SILENCE: FailureKind.TIMEOUT,
    End.MOVED: FailureKind.SITE,
    End.GARBAGE: FailureKind.PROTOCOL,
}
_WORDS: Final = {
    End.RESET: "the session was reset",
    End.CLOSED: "the server closed the session",
    End.SILENCE: "the session fell silent",
    End.MOVED: "the session's server changed",
    End.GARBAGE: "the session's server said what is no answer",
}


def judge(ask: SessionAsk, seen: SessionSeen, name_of: Callable[[str], str]) -> Failure | None:
    """Give why a session did not last. `name_of` is the engine's."""
    if seen.end is End.HELD:
        return None
    count = f"{seen.answers} answer{'s' * (seen.answers != 1)}"
    words = f"{_WORDS[seen.end]} after {seen.lived_s:.1f} s of {ask.hold_s:g} s and {count}"
    before, now = name_of(seen.last), name_of(seen.now)
    if seen.end is End.MOVED:
        words += f": {name_of(seen.first)} before, {before} now"
    elif before and now and before != now:
        words += f": {before} before, {now} now"
    elif before and now:
        words += f"; {now} answers still"
    elif seen.trouble:
        words += f" ({seen.trouble})"
    return Failure(_KINDS[seen.end], "session", words)
