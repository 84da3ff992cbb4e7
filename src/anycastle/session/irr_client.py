"""Our side of IRRd's `!` protocol: questions and octets go in, commands come out.

Theory of operation. A connection begins with `!!`, our name and `!s-lc`, whose answer is what the server asks where
nothing else is chosen. Questions wait in a queue; `WINDOW` of them are under way at once, and replies come in their
order. Each question says which sources it means; `!s` goes ahead of it where those are not the ones chosen last. When
the connection is lost, what was not answered is queued again, in its order: a query changes nothing, and may be asked
twice. The caller dials, and decides when to give up.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.wire.irr.query import Identify, KeepOpen, ListSources, Query, Question, UseSources, encode_query
from anycastle.wire.irr.reply import REPLY_OCTETS_MAX, Data, IRRError, Refused, Reply, ReplyFramer

WINDOW: Final = 64
"""Questions under way at once: a round trip of 100 ms then costs 1.6 ms a question."""

QUESTIONS_MAX: Final = 4096
"""Questions waiting, those under way included."""

SILENCE_S: Final = 30.0
"""Silence of a server that owes an answer, after which it counts as gone."""

ANSWER_S: Final = 300.0
"""Time for one answer, however it drips in: IRRd's manual speaks of minutes for its largest."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The oldest question that was asked and not answered has its reply."""

    question: Question
    reply: Reply


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is of no use any more: close it. What was not answered will be asked on the next one."""

    why: str


Command = Say | Answered | Lost


class IRRClient:
    """One server. `deadline` says when to call `wake`."""

    def __init__(self, name: str = "anycastle", longest: int = REPLY_OCTETS_MAX) -> None:
        self._name = name
        self._longest = longest
        self._waiting: deque[tuple[Question, bytes]] = deque()
        """Questions, and their lines."""
        self._asked: deque[tuple[Question | Query, bytes]] = deque()
        """Under way: questions, and queries of our own between them, with their lines."""
        self._framer: ReplyFramer | None = None
        self._default: tuple[str, ...] | None = None
        self._chosen: tuple[str, ...] = ()
        self._void: Refused | None = None
        """The choice of sources was refused: what is asked under it is answered from others, and does not count."""
        self._silent = FAR_FUTURE
        self._late = FAR_FUTURE

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        return min(self._silent, self._late)

    @property
    def idle(self) -> bool:
        """Whether every question is answered."""
        return not self._waiting and not any(isinstance(each, Question) for each, _ in self._asked)

    def connected(self, now: Instant) -> list[Command]:
        """A connection is up: introduce ourselves, and ask what waits."""
        self._framer = ReplyFramer(self._longest)
        self._default, self._chosen, self._void = None, (), None
        self._asked.clear()
        own: tuple[Query, ...] = (Identify(self._name), ListSources())
        self._asked.extend((query, encode_query(query)) for query in own)
        self._watch(now)
        greeting = encode_query(KeepOpen()) + b"".join(line for _, line in self._asked)
        return [Say(greeting), *self._send()]

    def ask(self, questions: Iterable[Question], now: Instant) -> list[Command]:
        """Take questions. Raises `MisuseError` for one that is no line, or where too many wait; then none is taken."""
        fresh = [(question, encode_query(question.query)) for question in questions]
        if len(fresh) + len(self._waiting) + len(self._asked) > QUESTIONS_MAX:
            raise MisuseError(f"more than {QUESTIONS_MAX} questions at once")
        for sources in {question.sources for question, _ in fresh}:
            encode_query(UseSources(sources))
        idle = not self._asked
        self._waiting.extend(fresh)
        if self._framer is None or not fresh:
            return []
        commands = self._send()
        if idle:
            self._watch(now)
        return commands

    def received(self, octets: bytes, now: Instant) -> list[Command]:
        """Octets of the server, cut anywhere."""
        if self._framer is None:
            return []
        self._silent = after(now, SILENCE_S)
        commands: list[Command] = []
        self._framer.feed(octets)
        try:
            for reply in self._framer:
                commands += self._reply(reply)
                self._watch(now)
        except IRRError as error:
            return [*commands, *self.disconnected(str(error))]
        sent = self._send()
        if sent:
            self._watch(now)
        return commands + sent

    def disconnected(self, why: str) -> list[Command]:
        """The connection is gone: what was under way waits again."""
        if self._framer is None:
            return []
        self._framer = None
        self._waiting.extendleft((each, line) for each, line in reversed(self._asked) if isinstance(each, Question))
        self._asked.clear()
        self._silent = self._late = FAR_FUTURE
        return [Lost(why)]

    def wake(self, now: Instant) -> list[Command]:
        """Give up a server that is silent, or that does not come to an end."""
        if now < self.deadline:
            return []
        what = f"{SILENCE_S:g} s of silence" if now >= self._silent else f"an answer that takes over {ANSWER_S:g} s"
        return self.disconnected(what)

    def _watch(self, now: Instant) -> None:
        owes = bool(self._asked)
        self._silent = after(now, SILENCE_S) if owes else FAR_FUTURE
        self._late = after(now, ANSWER_S) if owes else FAR_FUTURE

    def _send(self) -> list[Command]:
        """Ask as many as the window lets through, each behind its choice of sources."""
        lines: list[bytes] = []
        commands: list[Command] = []
        while self._waiting and len(self._asked) < WINDOW:
            wanted = self._waiting[0][0].sources
            if wanted != self._chosen:
                sources = wanted or self._default
                if sources is None:
                    break  # the server has not said yet what it asks by default
                if not sources:
                    refusal = Refused("the server does not tell its sources: name them, or none at all")
                    commands.append(Answered(self._waiting.popleft()[0], refusal))
                    continue
                lines.append(encode_query(UseSources(sources)))
                self._asked.append((UseSources(sources), lines[-1]))
                self._chosen = wanted
            question = self._waiting.popleft()
            self._asked.append(question)
            lines.append(question[1])
        return [*commands, Say(b"".join(lines))] if lines else commands

    def _reply(self, reply: Reply) -> list[Command]:
        if not self._asked:
            raise IRRError("a reply that answers nothing")
        match self._asked.popleft()[0]:
            case Question() as question:
                return [Answered(question, reply if self._void is None else self._void)]
            case ListSources():
                if isinstance(reply, Data):
                    self._default = tuple(source for source in reply.text.strip().split(",") if source)
                else:
                    self._default = ()
            case UseSources(sources):
                self._void = (
                    Refused(f"sources {','.join(sources)}: {reply.why}") if isinstance(reply, Refused) else None
                )
        return []
