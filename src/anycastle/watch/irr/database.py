"""Registry objects in memory, asked by the queries of the `!` protocol: what a file holds answers as a server does.

Sources have an order: that in which they are named in a query, or in which the objects brought them.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.irr import ASSet, AutNum, Member, RouteObject, SetName, format_member, parse_set_name
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.wire.irr.objects import RegistryObject, write_object
from anycastle.wire.irr.query import (
    Identify,
    ListSources,
    ObjectByKey,
    OriginPrefixes,
    Query,
    Routes,
    Search,
    SetMembers,
    SetPrefixes,
    Timeout,
    UseSources,
    Version,
)
from anycastle.wire.irr.reply import Data, NoSuchKey, Nothing, Refused, Reply
from anycastle.wire.irr.rpsl import format_rpsl

VERSION: Final = "IRRd -- version 4 (as anycastle speaks it)"
"""What it calls itself; clients look for the first word."""

SETS_MAX: Final = 50_000
"""Sets that a recursive query goes through; where there are more it is refused, and nothing is cut silently."""

_TOO_MANY: Final = Refused(f"more than {SETS_MAX} sets")


class _Source:
    """The objects of one registry."""

    def __init__(self) -> None:
        self.routes: dict[Prefix, list[RouteObject]] = defaultdict(list)
        self.by_origin: dict[tuple[ASN, Family], dict[Prefix, None]] = defaultdict(dict)
        self.sets: dict[str, ASSet] = {}
        self.networks: dict[ASN, AutNum] = {}
        self.by_reference: dict[str, list[AutNum]] = defaultdict(list)
        self._ordered: list[Prefix] = []

    def add(self, each: RegistryObject) -> None:
        match each:
            case RouteObject(prefix, origin):
                self.routes[prefix].append(each)
                self.by_origin[origin, prefix.family][prefix] = None
            case ASSet(name):
                self.sets[name.name] = each
            case AutNum(asn):
                self.networks[asn] = each
                for set_name in each.member_of:
                    self.by_reference[set_name].append(each)

    def within(self, prefix: Prefix) -> Iterator[Prefix]:
        """Give the prefixes with routes that lie in a prefix, itself not included."""
        if len(self._ordered) != len(self.routes):
            self._ordered = sorted(self.routes)
        for at in range(bisect_left(self._ordered, prefix), len(self._ordered)):
            each = self._ordered[at]
            if not prefix.contains(each):
                return
            if each != prefix:
                yield each

    def members(self, held: ASSet) -> tuple[Member, ...]:
        """Give a set's members, those by reference included (RFC 2622 §5.1)."""
        members = dict.fromkeys(held.members)
        allowed = set(held.members_by_reference)
        if allowed:
            for network in self.by_reference.get(held.name.name, ()):
                if "ANY" in allowed or allowed & set(network.maintainers):
                    members[network.asn] = None
        return tuple(members)


class Database:
    """Objects, by source."""

    def __init__(self, objects: Iterable[RegistryObject] = ()) -> None:
        self._sources: dict[str, _Source] = {}
        self.count = 0
        for each in objects:
            self.add(each)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources there are, in their order."""
        return tuple(self._sources)

    def add(self, each: RegistryObject) -> None:
        """Take an object; one of the same key and source is replaced, but for routes, which may be many."""
        self._sources.setdefault(each.source, _Source()).add(each)
        self.count += 1

    def answer(self, query: Query, sources: Sequence[str] = ()) -> Reply:
        """Give the reply to a query about these sources, or about all."""
        unknown = [source for source in sources if source not in self._sources]
        if unknown:
            return Refused(f"One or more selected sources are unavailable: {', '.join(unknown)}")
        asked = [self._sources[source] for source in sources or self._sources]
        match query:
            case UseSources(wanted):
                refusal = self.answer(Version(), wanted)
                return refusal if isinstance(refusal, Refused) else Nothing()
            case ListSources():
                return Data(",".join(sources or self._sources))
            case Version():
                return Data(VERSION)
            case Identify() | Timeout():
                return Nothing()
            case OriginPrefixes(origin, family):
                return _listed(_of_origins(asked, [origin], [family]))
            case Routes(prefix, search):
                return self._routes(asked, prefix, search)
            case SetMembers(name, recursive):
                if not recursive:
                    return _listed(_set_members(asked, name))
                networks = self._networks(asked, name)
                return _TOO_MANY if networks is None else _listed(f"AS{asn}" for asn in networks)
            case SetPrefixes(None):
                return Refused("Missing required set name for A query")  # by IRRd's words clients know that it has it
            case SetPrefixes(SetName() as name, of):
                origins = self._networks(asked, name)
                if origins is None:
                    return _TOO_MANY
                return _listed(_of_origins(asked, origins, [of] if of is not None else list(Family)))
            case ObjectByKey(kind, key):
                return _by_key(asked, kind, key)
        return Nothing()

    def _routes(self, asked: list[_Source], prefix: Prefix, search: Search) -> Reply:
        covering = [_shortened(prefix, length) for length in range(prefix.length, -1, -1)]
        match search:
            case Search.EXACT | Search.ORIGINS:
                wanted: Iterable[Prefix] = [prefix]
            case Search.LESS_SPECIFIC:
                wanted = covering
            case Search.ONE_LESS_SPECIFIC:
                near = (each for each in covering[1:] if any(each in source.routes for source in asked))
                wanted = [each for each in [next(near, None)] if each is not None]
            case Search.MORE_SPECIFIC:
                wanted = sorted({each for source in asked for each in source.within(prefix)})
        found = [route for each in wanted for source in asked for route in source.routes.get(each, ())]
        if search is Search.ORIGINS:
            return _listed(dict.fromkeys(f"AS{route.origin}" for route in found))
        return _texts(found)

    def _networks(self, asked: list[_Source], name: SetName) -> list[ASN] | None:
        """Give the ASNs of a set and of all sets in it, in the order found; None where those sets are too many."""
        seen, waiting, found = {name}, deque([name]), dict[ASN, None]()
        while waiting:
            each = waiting.popleft()
            where = [self._sources[each.source]] if each.source in self._sources and each.source else asked
            for member in _members_of(where, each):
                if not isinstance(member, SetName):
                    found[member] = None
                elif member not in seen:
                    seen.add(member)
                    waiting.append(member)
            if len(seen) > SETS_MAX:
                return None
        return list(found)


def _members_of(asked: list[_Source], name: SetName) -> tuple[Member, ...]:
    """Give the members of a set, from the first source that has it."""
    for source in asked:
        held = source.sets.get(name.name)
        if held is not None:
            return source.members(held)
    return ()


def _set_members(asked: list[_Source], name: SetName) -> list[str]:
    held = next((source.sets[name.name] for source in asked if name.name in source.sets), None)
    unreadable = () if held is None else held.unreadable
    return [*map(format_member, _members_of(asked, name)), *unreadable]


def _of_origins(asked: list[_Source], origins: Iterable[ASN], families: Iterable[Family]) -> list[str]:
    keys = [(origin, family) for origin in origins for family in families]
    found = dict.fromkeys(prefix for key in keys for source in asked for prefix in source.by_origin.get(key, ()))
    return [str(prefix) for prefix in found]


def _by_key(asked: list[_Source], kind: str, key: str) -> Reply:
    try:
        found = [each for source in asked for each in _of_key(source, kind, key)]
    except ParseError as error:
        return Refused(str(error))
    return _texts(found[:1])


def _of_key(source: _Source, kind: str, key: str) -> Iterator[RegistryObject]:
    match kind:
        case "as-set":
            name = parse_set_name(key).name
            if name in source.sets:
                yield source.sets[name]
        case "aut-num":
            asn = parse_asn(key)
            if asn in source.networks:
                yield source.networks[asn]
        case "route" | "route6":
            text, found, origin = key.upper().replace(" ", "").replace("-", "").partition("AS")
            if found:
                routes = source.routes.get(parse_prefix(text), ())
                yield from (route for route in routes if route.origin == parse_asn(origin))


def _shortened(prefix: Prefix, length: int) -> Prefix:
    shift = prefix.family.bits - length
    return Prefix(prefix.family, prefix.network >> shift << shift, length)


def _listed(words: Iterable[str]) -> Reply:
    text = " ".join(words)
    return Data(text) if text else NoSuchKey()  # as IRRd has it, though its manual speaks of C


def _texts(objects: Iterable[RegistryObject]) -> Reply:
    text = "\n".join(format_rpsl(write_object(each)) for each in objects)
    return Data(text.rstrip("\n")) if text else NoSuchKey()
