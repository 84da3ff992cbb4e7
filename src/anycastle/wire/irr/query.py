"""Queries of the `!` protocol: values <-> lines. Source: the IRRd manual, "Whois queries", "IRRd style queries"."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.errors import MisuseError, ParseError
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.irr import SOURCE_CHARACTERS, SetName, parse_set_name
from anycastle.model.prefix import Family, Prefix, parse_prefix

QUERY_OCTETS_MAX: Final = 1024
"""Octets of a query: IRRd's longest is a list of sources."""

TIMEOUT_S: Final = (1, 1000)
"""The bounds that IRRd has for `!t`."""


class Search(Enum):
    """Which routes of a prefix are meant; the value is the option of `!r`."""

    EXACT = ""
    ORIGINS = "o"
    ONE_LESS_SPECIFIC = "l"
    LESS_SPECIFIC = "L"
    """All that cover it, and the prefix itself."""
    MORE_SPECIFIC = "M"
    """All within it, without the prefix itself."""


@dataclass(frozen=True, slots=True)
class KeepOpen:
    """`!!`: many queries on one connection. It is not answered."""


@dataclass(frozen=True, slots=True)
class Quit:
    """`!q`: close the connection."""


@dataclass(frozen=True, slots=True)
class Identify:
    """`!n`: who asks."""

    text: str


@dataclass(frozen=True, slots=True)
class Timeout:
    """`!t`: seconds of silence after which the server hangs up."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Version:
    """`!v`: what the server is."""


@dataclass(frozen=True, slots=True)
class UseSources:
    """`!s`: which registries are asked, in this order, until told otherwise."""

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListSources:
    """`!s-lc`: which registries are asked."""


@dataclass(frozen=True, slots=True)
class SetMembers:
    """`!i`: the members of an as-set; `recursive` gives the ASNs of all sets in it."""

    name: SetName
    recursive: bool = False


@dataclass(frozen=True, slots=True)
class OriginPrefixes:
    """`!g` (IPv4), `!6` (IPv6): the prefixes that an ASN has route objects for."""

    origin: ASN
    family: Family


@dataclass(frozen=True, slots=True)
class SetPrefixes:
    """`!a4`, `!a6`: the prefixes of all ASNs of a set; `!a` without a name asks whether there is such a query."""

    name: SetName | None
    family: Family | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """`!r`: the route objects about a prefix."""

    prefix: Prefix
    search: Search = Search.EXACT


@dataclass(frozen=True, slots=True)
class ObjectByKey:
    """`!m`: the object of a class and key, in the first source that has it."""

    kind: str
    key: str


Query = (
    KeepOpen
    | Quit
    | Identify
    | Timeout
    | Version
    | UseSources
    | ListSources
    | SetMembers
    | OriginPrefixes
    | SetPrefixes
    | Routes
    | ObjectByKey
)


@dataclass(frozen=True, slots=True)
class Question:
    """A query, with the sources that it is about; none named leaves it to the server.

    The protocol has no such thing: a choice of sources (`!s`) stands until the next one. Who asks sees to it.
    """

    query: Query
    sources: tuple[str, ...] = ()


_BARE: Final[Mapping[str, Query]] = {"!!": KeepOpen(), "!q": Quit(), "!v": Version(), "!s-lc": ListSources()}
_FAMILY_DIGITS: Final = {Family.IPV4: "4", Family.IPV6: "6", None: ""}


def encode_query(query: Query) -> bytes:
    """Give the line of a query. Raises `MisuseError` for a text that would be more than one line, or too long."""
    line = _line(query)
    if not (line.isascii() and line.isprintable()) or len(line) >= QUERY_OCTETS_MAX:
        raise MisuseError(f"{line[:60]!r} is no query: it is too long, or holds more than plain characters")
    return line.encode("ascii") + b"\n"


def _line(query: Query) -> str:
    match query:
        case KeepOpen() | Quit() | Version() | ListSources():
            return next(line for line, each in _BARE.items() if each == query)
        case Identify(text):
            return f"!n{text}"
        case Timeout(seconds):
            return f"!t{seconds}"
        case UseSources(sources):
            return f"!s{','.join(sources)}"
        case SetMembers(name, recursive):
            return f"!i{name.name}" + (",1" if recursive else "")
        case OriginPrefixes(origin, family):
            return f"!{'g' if family is Family.IPV4 else '6'}AS{origin}"
        case SetPrefixes(set_name, of):
            return f"!a{_FAMILY_DIGITS[of]}{'' if set_name is None else set_name.name}"
        case Routes(prefix, search):
            return f"!r{prefix}" + (f",{search.value}" if search.value else "")
        case ObjectByKey(kind, key):
            return f"!m{kind},{key}"


def parse_query(line: str) -> Query:
    """Give the query of a line, as a server reads it. Raises `ParseError`."""
    bare = _BARE.get(line)
    if bare is not None:
        return bare
    command, rest = line[:2], line[2:].strip()
    match command:
        case "!n":
            return Identify(rest)
        case "!t":
            return _timeout(rest)
        case "!s":
            return UseSources(_sources(_needed(rest, "s")))
        case "!i":
            name, comma, option = _needed(rest, "i").partition(",")
            return SetMembers(_name(name), recursive=bool(comma) and option == "1")
        case "!g" | "!6":
            family = Family.IPV4 if command == "!g" else Family.IPV6
            return OriginPrefixes(parse_asn(_needed(rest, command[1])), family)
        case "!a":
            return _set_prefixes(rest)
        case "!r":
            return _routes(_needed(rest, "r"))
        case "!m":
            kind, comma, key = _needed(rest, "m").partition(",")
            if not comma:
                raise ParseError(f"Invalid argument for object lookup: {rest}")
            return ObjectByKey(kind.lower(), key)
    raise ParseError(f"Unrecognised command: {line[1:2]}")


def _needed(rest: str, command: str) -> str:
    if not rest:
        raise ParseError(f"Missing parameter for {command} query")
    return rest


def _name(text: str) -> SetName:
    name = parse_set_name(text)
    if name.source:
        raise ParseError(f"{text}: choose the source by !s{name.source}")
    return name


def _sources(text: str) -> tuple[str, ...]:
    sources = tuple(source.strip().upper() for source in text.split(","))
    if not all(source and set(source) <= SOURCE_CHARACTERS for source in sources):
        raise ParseError(f"Invalid sources: {text}")
    return sources


def _timeout(rest: str) -> Timeout:
    low, high = TIMEOUT_S
    if not (rest.isascii() and rest.isdigit() and len(rest) <= 4 and low <= int(rest) <= high):
        raise ParseError(f"Invalid value for timeout: {rest}")
    return Timeout(int(rest))


def _set_prefixes(rest: str) -> SetPrefixes:
    family = {"4": Family.IPV4, "6": Family.IPV6}.get(rest[:1])
    name = rest if family is None else rest[1:]
    return SetPrefixes(_name(name) if name else None, family)


def _routes(rest: str) -> Routes:
    prefix, _, option = rest.partition(",")
    try:
        return Routes(
            parse_prefix(prefix if "/" in prefix else f"{prefix}/{128 if ':' in prefix else 32}"), Search(option)
        )
    except ValueError:
        raise ParseError(f"Invalid route search option: {option}") from None
