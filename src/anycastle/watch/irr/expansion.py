"""As-sets -> the ASNs in them, set by set: questions come out, replies go in.

Theory of operation. Breadth first, so that a set's depth is its shortest way from what was asked for. A set is asked
for once, however often it is named: loops end by that, and are told. A set without members is asked for by its key,
which tells an empty one from one that is not there. Nothing is cut silently: what bounds keep out makes the answer
`incomplete`, and nobody is to build a filter from that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN
from anycastle.model.irr import Member, SetName, format_member, parse_member
from anycastle.wire.irr.printable import printable
from anycastle.wire.irr.query import ObjectByKey, Question, SetMembers
from anycastle.wire.irr.reply import Data, NoSuchKey, Nothing, Refused, Reply

REMARKS_MAX: Final = 1000
"""Members that cannot be read, and refusals, that are kept to be told."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far an expansion goes. The largest sets of 2025 hold some 60,000 ASNs in 20,000 sets, 20 deep."""

    depth: int = 64
    sets: int = 50_000
    asns: int = 200_000


@dataclass(frozen=True, slots=True)
class Expanded:
    """What a set came to."""

    asns: frozenset[ASN] = field(repr=False)
    sets: Mapping[SetName, int] = field(repr=False)
    """Each set that was found -> its depth, from 0."""
    missing: tuple[SetName, ...] = ()
    """Named as members, and not registered."""
    empty: tuple[SetName, ...] = ()
    loops: tuple[SetName, ...] = ()
    """Sets on a circle, or between two."""
    unreadable: tuple[str, ...] = ()
    """Members that are neither ASNs nor names of sets, as `member in SET`."""
    incomplete: tuple[str, ...] = ()
    """Why it is not the whole; empty where it is."""


class Expansion:
    """One expansion. Ask what `questions` gives, `take` each reply, until there are no questions."""

    def __init__(self, roots: Iterable[Member], bounds: Bounds = Bounds()) -> None:
        self._bounds = bounds
        self._asns: set[ASN] = set()
        self._depths: dict[SetName, int] = {}
        self._members: dict[SetName, tuple[SetName, ...]] = {}
        self._wanted: list[SetName] = []
        self._unclear: list[SetName] = []
        self._missing: set[SetName] = set()
        self._empty: set[SetName] = set()
        self._unreadable: dict[str, None] = {}
        self._incomplete: dict[str, None] = {}
        self._asked: dict[Question, SetName] = {}
        for root in roots:
            self._add(root, 0)

    def questions(self) -> list[Question]:
        """Give what is to be asked next; each once."""
        asked = {Question(SetMembers(SetName(name.name)), _sources(name)): name for name in self._wanted}
        asked |= {Question(ObjectByKey("as-set", name.name), _sources(name)): name for name in self._unclear}
        self._wanted, self._unclear = [], []
        self._asked |= asked
        return list(asked)

    def take(self, question: Question, reply: Reply) -> None:
        """Take the reply to a question of ours."""
        name = self._asked.pop(question)
        match question.query, reply:
            case SetMembers(), Data() if reply.items:
                self._take_members(name, reply.items)
            case SetMembers(), Data() | NoSuchKey() | Nothing():
                self._unclear.append(name)
            case ObjectByKey(), Data():
                self._empty.add(name)
            case ObjectByKey(), NoSuchKey() | Nothing():
                self._missing.add(name)
            case _, Refused(why):
                self._cut(f"{name}: {why}")
            case _:
                self._cut(f"{name}: the server holds more than one object of that name")

    def result(self) -> Expanded:
        """Give what was found."""
        sets = {name: depth for name, depth in self._depths.items() if name not in self._missing}
        return Expanded(
            frozenset(self._asns),
            MappingProxyType(sets),
            tuple(sorted(self._missing)),
            tuple(sorted(self._empty)),
            _circles(self._members),
            tuple(self._unreadable),
            tuple(self._incomplete),
        )

    def _take_members(self, name: SetName, items: Iterable[str]) -> None:
        depth = self._depths[name] + 1
        sets: dict[SetName, None] = {}
        for item in items:
            try:
                member = parse_member(item)
            except ParseError:
                if len(self._unreadable) < REMARKS_MAX:
                    self._unreadable[f"{printable(item[:80])} in {name}"] = None
                continue
            if isinstance(member, SetName):
                sets[member] = None
            self._add(member, depth)
        self._members[name] = tuple(sets)

    def _add(self, member: Member, depth: int) -> None:
        bounds = self._bounds
        if not isinstance(member, SetName):
            if member not in self._asns and len(self._asns) >= bounds.asns:
                self._cut(f"more than {bounds.asns} ASNs")
                return
            self._asns.add(member)
        elif member not in self._depths:
            if depth > bounds.depth:
                self._cut(f"{format_member(member)} lies deeper than {bounds.depth} sets")
            elif len(self._depths) >= bounds.sets:
                self._cut(f"more than {bounds.sets} sets")
            else:
                self._depths[member] = depth
                self._wanted.append(member)

    def _cut(self, why: str) -> None:
        if len(self._incomplete) < REMARKS_MAX:
            self._incomplete[why] = None


def _sources(name: SetName) -> tuple[str, ...]:
    return (name.source,) if name.source else ()


def _circles(members: Mapping[SetName, tuple[SetName, ...]]) -> tuple[SetName, ...]:
    """Give the sets that remain when all that lead nowhere, and all that nothing leads to, are taken away."""
    ahead = {name: {each for each in held if each in members} for name, held in members.items()}
    behind: dict[SetName, set[SetName]] = {name: set() for name in ahead}
    for name, held in ahead.items():
        for each in held:
            behind[each].add(name)
    for forward, backward in ((ahead, behind), (behind, ahead)):
        ends = [name for name, held in forward.items() if not held]
        while ends:
            end = ends.pop()
            del forward[end]
            for name in backward.pop(end):
                forward[name].discard(end)
                if not forward[name]:
                    ends.append(name)
    return tuple(sorted(ahead))
