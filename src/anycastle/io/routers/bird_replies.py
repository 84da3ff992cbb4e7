"""BIRD's replies about protocols and routes, as values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.routers.bird_socket import Reply
from anycastle.model.announcement import RouteAttributes
from anycastle.model.community import Community, ExtendedCommunity, LargeCommunity, StandardCommunity, parse_community
from anycastle.model.prefix import Address, Family, Prefix, parse_address, parse_prefix

_PROTOCOL_LINE: Final = 1002
_PROTOCOL_DETAIL: Final = 1006
_ROUTE_LINE: Final = 1007
_ATTRIBUTES: Final = 1012
_FAMILIES: Final = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEMBER: Final = re.compile(r"\(([^)]*)\)")
_ROUTE: Final = re.compile(r"\s*(\S+/\d+)?\s+[a-z].*?\[(\S+) ")


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol of BIRD, as `show protocols all` tells it; the BGP parts only where it is one."""

    name: str
    kind: str
    state: str
    info: str
    neighbour: Address | None = None
    established: bool = False
    families: frozenset[Family] = frozenset()
    last_error: str = ""
    graceful_restart: bool | None = None
    imported: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a reply: its prefix, the protocol that it came from, and its attributes as BIRD writes them."""

    prefix: Prefix
    source: str
    fields: Mapping[str, str]


def parse_protocols(reply: Reply) -> list[Protocol]:
    """Give the protocols of `show protocols [all]`."""
    found: list[tuple[str, list[str]]] = []
    for code, text in reply.lines:
        if code == _PROTOCOL_LINE:
            found.append((text, []))
        elif code == _PROTOCOL_DETAIL and found:
            found[-1][1].append(text)
    return [_protocol(head, details) for head, details in found]


def _protocol(head: str, details: list[str]) -> Protocol:
    name, kind, _, state, *rest = head.split(None, 5)
    info = rest[1].strip() if len(rest) > 1 else ""
    if kind != "BGP":
        return Protocol(name, kind, state, info)
    fields = _fields(details)
    neighbour = _address(fields.get("Neighbor address", ""))
    established = fields.get("BGP state") == "Established"
    return Protocol(
        name,
        kind,
        state,
        info,
        neighbour,
        established,
        _families_up(details),
        fields.get("Last error", ""),
        _keeps_routes(details) if established else None,
        sum(int(count) for count in re.findall(r"Routes: +(\d+) imported", "\n".join(details))),
    )


def _fields(details: Iterable[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in details:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields


def _address(text: str) -> Address | None:
    try:
        return parse_address(text.partition("%")[0])
    except ParseError:
        return None  # a range of neighbours, or none


def _families_up(details: Iterable[str]) -> frozenset[Family]:
    families, channel = set(), ""
    for line in details:
        words = line.split()
        if words[:1] == ["Channel"]:
            channel = words[1]
        elif words[:2] == ["State:", "UP"] and channel in _FAMILIES:
            families.add(_FAMILIES[channel])
    return frozenset(families)


def _keeps_routes(details: Iterable[str]) -> bool:
    """Tell whether both sides announced graceful restart: ours with it in full, the neighbour at least as a helper."""
    sides: dict[str, set[str]] = {"Local capabilities": set(), "Neighbor capabilities": set()}
    side: set[str] = set()
    for line in details:
        words = line.strip()
        side = sides.get(words, side)
        side.add(words.partition(":")[0])
    return "Restart time" in sides["Local capabilities"] and "Graceful restart" in sides["Neighbor capabilities"]


def parse_routes(reply: Reply) -> list[Route]:
    """Give the routes of `show route ...`; their attributes only with `all`."""
    found: list[tuple[Prefix, str, list[tuple[str, str]]]] = []
    prefix: Prefix | None = None
    for code, text in reply.lines:
        if code == _ROUTE_LINE and (match := _ROUTE.match(text)):
            prefix = _prefix(match[1]) if match[1] else prefix
            assert prefix is not None
            found.append((prefix, match[2], []))
        elif code == _ATTRIBUTES and found:
            _add_attribute(found[-1][2], text)
    return [Route(prefix, source, dict(pairs)) for prefix, source, pairs in found]


@lru_cache(maxsize=8192)
def _prefix(text: str) -> Prefix:
    return parse_prefix(text)


def _add_attribute(pairs: list[tuple[str, str]], text: str) -> None:
    if text.startswith("\t\t") and pairs:  # a long set goes on
        name, value = pairs[-1]
        pairs[-1] = (name, f"{value} {text.strip()}")
        return
    name, _, value = text.strip().partition(":")
    pairs.append((name, value.strip()))


@dataclass(frozen=True, slots=True)
class Words:
    """The names under which a route carries what an upstream is told."""

    med: str
    preference: str
    communities: str
    large: str
    extended: str


BGP: Final = Words("BGP.med", "BGP.local_pref", "BGP.community", "BGP.large_community", "BGP.ext_community")
"""As BGP carries it, after the export filter."""


def words_of(symbol: str) -> Words:
    """Give the names of our own attributes for an upstream."""
    return Words(*(f"{symbol}_{part}" for part in ("med", "preference", "communities", "large", "extended")))


def attributes_of(
    fields: Mapping[str, str], words: Words, prepend: int, known: Mapping[str, ExtendedCommunity]
) -> RouteAttributes:
    """Give a route's attributes in the model's terms.

    BIRD writes different extended communities the same way, so `known` says which one a text stands for.
    """
    med, preference = fields.get(words.med), fields.get(words.preference)
    return RouteAttributes(
        prepend=prepend,
        med=None if med is None else int(med),
        local_preference=None if preference is None else int(preference),
        communities=frozenset(_communities(fields, words, known)),
    )


def path_length(fields: Mapping[str, str]) -> int:
    """Give the ASNs in a path before BGP adds our own: the prepends."""
    return len(fields.get("BGP.as_path", "").split())


def quoted(symbol: str) -> str:
    """Give a protocol's name as a command takes it."""
    return symbol if _PLAIN.fullmatch(symbol) else f"'{symbol}'"


def _communities(
    fields: Mapping[str, str], words: Words, known: Mapping[str, ExtendedCommunity]
) -> Iterable[Community]:
    for text in _MEMBER.findall(fields.get(words.communities, "")):
        administrator, value = text.split(",")
        yield StandardCommunity(int(administrator), int(value))
    for text in _MEMBER.findall(fields.get(words.large, "")):
        yield LargeCommunity(*(int(part) for part in text.split(",")))
    for text in _MEMBER.findall(fields.get(words.extended, "")):
        yield known.get(f"({text})") or _extended(text)


def _extended(text: str) -> ExtendedCommunity:
    kind, administrator, value = (part.strip() for part in text.split(","))
    if kind == "generic":
        return ExtendedCommunity(int(administrator, 16) << 32 | int(value, 16))
    if kind.startswith("unknown "):  # a type that BIRD has no word for: `unknown 0xTTTT`, as its layout says
        type_octets = int(kind.removeprefix("unknown "), 16)
        shift = 16 if type_octets >> 8 & 0x3F in (0x01, 0x02) else 32  # RFC 4360 §3.2, RFC 5668
        return ExtendedCommunity(type_octets << 48 | int(administrator) << shift | int(value))
    found = parse_community(f"{'soo' if kind == 'ro' else kind}:{administrator}:{value}")
    assert isinstance(found, ExtendedCommunity)
    return found
