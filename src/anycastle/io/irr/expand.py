"""As-sets asked for at a registry: expanded by ourselves or by the server, and the prefixes of their ASNs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.io.irr.registry import Registry
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.irr import Member, SetName
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.watch.irr.expansion import Bounds, Expanded, Expansion
from anycastle.wire.irr.printable import printable
from anycastle.wire.irr.query import OriginPrefixes, Question, SetMembers
from anycastle.wire.irr.reply import Data, ManyKeys, Refused, Reply

PREFIXES_MAX: Final = 2_000_000
"""Prefixes of one set: twice the Internet's table of 2025."""


async def expand(registry: Registry, roots: Iterable[Member], bounds: Bounds = Bounds()) -> Expanded:
    """Expand as-sets set by set, so that what is missing is known. Raises `WorldError`."""
    expansion = Expansion(roots, bounds)
    while questions := expansion.questions():
        for question, reply in zip(questions, await registry.ask(questions), strict=True):
            expansion.take(question, reply)
    return expansion.result()


async def expand_by_server(registry: Registry, roots: Iterable[Member]) -> Expanded:
    """Let the server expand as-sets: one question each, and no word of what is missing. Raises `WorldError`."""
    members = list(roots)
    asns = {member for member in members if not isinstance(member, SetName)}
    names = [member for member in members if isinstance(member, SetName)]
    questions = [
        Question(SetMembers(SetName(name.name), recursive=True), (name.source,) if name.source else ())
        for name in names
    ]
    unreadable: list[str] = []
    for name, reply in zip(names, await registry.ask(questions), strict=True):
        for item in items(reply, str(name)):
            try:
                asns.add(parse_asn(item))
            except ParseError:
                unreadable.append(f"{printable(item[:80])} in {name}")
    return Expanded(frozenset(asns), MappingProxyType(dict.fromkeys(names, 0)), unreadable=tuple(unreadable))


@dataclass(frozen=True, slots=True)
class Originated:
    """The prefixes that ASNs have route objects for; `silent` are those that have none."""

    prefixes: frozenset[Prefix] = field(repr=False)  # asyncio.run has its result's repr made, and throws it away
    silent: tuple[ASN, ...]
    unreadable: tuple[str, ...] = ()


async def originated(registry: Registry, asns: Iterable[ASN], families: Iterable[Family]) -> Originated:
    """Give the prefixes of ASNs. Raises `WorldError`."""
    of_asns, of_families = sorted(asns), tuple(families)
    questions = [Question(OriginPrefixes(asn, family)) for asn in of_asns for family in of_families]
    prefixes: set[Prefix] = set()
    speaking: set[ASN] = set()
    unreadable: list[str] = []
    for question, reply in zip(questions, await registry.ask(questions), strict=True):
        assert isinstance(question.query, OriginPrefixes)
        for item in items(reply, f"AS{question.query.origin}"):
            try:
                prefixes.add(_prefix(item))
            except ParseError:
                unreadable.append(f"{printable(item[:80])} of AS{question.query.origin}")
            speaking.add(question.query.origin)
        if len(prefixes) > PREFIXES_MAX:
            raise WorldError(f"more than {PREFIXES_MAX} prefixes", retryable=False)
    silent = tuple(asn for asn in of_asns if asn not in speaking)
    return Originated(frozenset(prefixes), silent, tuple(unreadable))


def _prefix(text: str) -> Prefix:
    """Parse as `parse_prefix` does, in a third of the time. Raises `ParseError`."""
    host, _, length = text.partition("/")
    if not (length.isascii() and length.isdigit() and len(length) <= 3):  # int() takes `+24` and `2_4` too
        return parse_prefix(text)
    family = Family.IPV6 if ":" in host else Family.IPV4
    try:
        octets = inet_pton(AF_INET if family is Family.IPV4 else AF_INET6, host)
        return Prefix(family, int.from_bytes(octets), int(length))
    except (OSError, ValueError, MisuseError):  # ValueError: a NUL
        return parse_prefix(text)  # which says what is wrong


def items(reply: Reply, subject: str) -> tuple[str, ...]:
    """Give the words of a reply; none where there is nothing. Raises `WorldError` where it was refused."""
    match reply:
        case Data():
            return reply.items
        case Refused(why):
            raise WorldError(f"{subject}: the server refuses: {why}", retryable=False)
        case ManyKeys():
            raise WorldError(f"{subject}: the server holds more than one object of that key", retryable=False)
    return ()
