"""What Internet routing registries hold: routes, sets of ASNs and the networks themselves (RFC 2622, RFC 4012)."""

from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.prefix import Prefix

SET_NAME_CHARACTERS_MAX: Final = 128
"""Characters of a set's name with its source: the longest of 2025 have 60."""

_NAME_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
SOURCE_CHARACTERS: Final = _NAME_CHARACTERS
"""Characters of a registry's name, in capitals."""

_ANY: Final = "AS-ANY"
"""Looks like a name, and stands for every network (RFC 2622 §5)."""


@dataclass(frozen=True, slots=True, order=True)
class SetName:
    """The name of an as-set, hierarchical or not, in capitals; `source` is the registry that is meant, or empty."""

    name: str
    source: str = ""

    @property
    def hierarchical(self) -> bool:
        """Whether the name starts with an ASN, so that nobody but its holder can register it (RFC 2622 §5)."""
        first, colon, _ = self.name.partition(":")
        return bool(colon) and not first.startswith("AS-")

    def __str__(self) -> str:
        return f"{self.source}::{self.name}" if self.source else self.name


Member = ASN | SetName


@dataclass(frozen=True, slots=True, order=True)
class RouteObject:
    """A route or route6 object: this origin may announce this prefix. `last_modified` is as the registry writes it."""

    prefix: Prefix
    origin: ASN
    source: str = ""
    maintainers: tuple[str, ...] = ()
    last_modified: str = ""

    def __str__(self) -> str:
        return f"{self.prefix} AS{self.origin}" + (f" of {self.source}" if self.source else "")


@dataclass(frozen=True, slots=True)
class ASSet:
    """An as-set object. `unreadable` are members that are neither ASNs nor names of sets."""

    name: SetName
    members: tuple[Member, ...]
    members_by_reference: tuple[str, ...] = ()
    """Maintainers whose networks may declare themselves members; `ANY` for all."""
    source: str = ""
    maintainers: tuple[str, ...] = ()
    last_modified: str = ""
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AutNum:
    """An aut-num object: a network, its maintainers, and the sets that it declares itself a member of."""

    asn: ASN
    name: str = ""
    member_of: tuple[str, ...] = ()
    source: str = ""
    maintainers: tuple[str, ...] = ()
    last_modified: str = ""


def parse_set_name(text: str) -> SetName:
    """Parse `AS-EXAMPLE`, `AS64500:AS-EXAMPLE` or `RIPE::AS-EXAMPLE`. Raises `ParseError`. Source: RFC 2622 §5."""
    raw = text.strip()
    source, _, name = raw.upper().rpartition("::")
    if len(raw) > SET_NAME_CHARACTERS_MAX:
        raise ParseError(f"{raw[:40]!r}... is not the name of an as-set: it has {len(raw)} characters")
    if raw.startswith("::") or (source and not set(source) <= _NAME_CHARACTERS):
        raise ParseError(f"{raw!r} names no source before '::'; write RIPE::AS-EXAMPLE")
    parts = name.split(":")
    if not all(map(_is_part, parts)) or not any(part.startswith("AS-") for part in parts):
        raise ParseError(f"{raw!r} is not the name of an as-set; write AS-EXAMPLE or AS64500:AS-EXAMPLE")
    if _ANY in parts:
        raise ParseError(f"{raw!r} stands for every network")
    return SetName(name, source)


def _is_part(part: str) -> bool:
    if part.startswith("AS-"):
        return len(part) > len("AS-") and set(part) <= _NAME_CHARACTERS
    return part[:2] == "AS" and part[2:].isascii() and part[2:].isdigit() and int(part[2:12]) <= 0xFFFFFFFF


def parse_member(text: str) -> Member:
    """Parse a member of an as-set: an ASN, or the name of another. Raises `ParseError`."""
    try:
        return parse_asn(text)
    except ParseError:
        return parse_set_name(text)


def format_member(member: Member) -> str:
    """Give a member as registries write it."""
    return str(member) if isinstance(member, SetName) else f"AS{member}"
