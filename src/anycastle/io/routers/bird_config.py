"""What BIRD reads of ours: the file with the announcements, and the snippet that the operator pastes once.

The snippet holds what never changes: attributes of a route that BIRD keeps to itself, and for each upstream a function
that turns them into what this upstream is told. The file holds two static protocols, whose routes carry those
attributes. So a change touches routes only: had the filters changed, BIRD would send every route of the session again.

Each export function ends by setting all of our attributes to the same constants. A route then looks the same to an
upstream whose own attributes did not change, and with `export table on` BIRD tells it nothing; without it, BIRD repeats
what it told. The snippet leaves that option off, since BIRD 2.0.12 then no longer sends MED.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.limits import AS_PATH_PREPEND_MAX
from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import Community, ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.model.pop import PoP
from anycastle.model.prefix import Family, Prefix, parse_prefix

STATIC: Final = {Family.IPV4: "anycastle4", Family.IPV6: "anycastle6"}
"""Names of our static protocols."""

_HEADER: Final = "# Written by anycastle, and only by it. To hand it back after an edit, remove this file. sha256:"
_SYMBOL_MAX: Final = 64  # SYM_MAX_LEN of conf/conf.h
_EMPTY: Final = {"communities": "-empty-", "large": "---empty---", "extended": "--empty--"}
_TYPES: Final = {
    "prepend": "int",
    "med": "int",
    "preference": "int",
    "communities": "clist",
    "large": "lclist",
    "extended": "eclist",
}
_ADDED_TO: Final = {"communities": "bgp_community", "large": "bgp_large_community", "extended": "bgp_ext_community"}
_ROUTE: Final = re.compile(r"^\s+route (\S+) ", re.MULTILINE)


class EditedError(Exception):
    """The file is not what we wrote."""


def symbols(pop: PoP) -> dict[str, str]:
    """Give upstream -> what its names in BIRD begin with. Raises `MisuseError` where BIRD cannot tell two apart."""
    found: dict[str, str] = {}
    for upstream in pop.upstreams:
        symbol = "anycastle_" + re.sub(r"[^A-Za-z0-9]", "_", upstream.name)
        if symbol in found.values():
            raise MisuseError(f"{pop.name}: BIRD cannot tell upstream {upstream.name} from another; rename one")
        if len(symbol) + len("_communities") > _SYMBOL_MAX:
            raise MisuseError(f"{pop.name}: the upstream's name {upstream.name} is too long for BIRD")
        found[upstream.name] = symbol
    return found


def export_function(symbol: str) -> str:
    """Give the name of the function that the operator's export filter calls."""
    return symbol.replace("anycastle_", "anycastle_export_", 1)


# -- the file ----------------------------------------------------------------------------------------------------------


def render(wanted: Announcements, names: dict[str, str]) -> str:
    """Give the file's text; the same announcements give the same text."""
    by_prefix: dict[Prefix, list[Announcement]] = {}
    for route in sorted(wanted, key=_place):
        by_prefix.setdefault(route.prefix, []).append(route)
    lines: list[str] = []
    for family, protocol in STATIC.items():
        lines.append(f"protocol static {protocol} {{")
        lines.append(f"  {family};")
        lines += [_route(prefix, routes, names) for prefix, routes in by_prefix.items() if prefix.family is family]
        lines.append("}")
    body = "\n".join([*lines, ""])
    return f"{_HEADER}{hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def _place(route: Announcement) -> tuple[int, int, int, str]:
    """Give the order of prefixes in plain numbers, which are compared several times as fast."""
    prefix = route.prefix
    return prefix.family, prefix.network, prefix.length, route.upstream


def _route(prefix: Prefix, routes: Iterable[Announcement], names: dict[str, str]) -> str:
    settings = " ".join(_settings(names[route.upstream], route.attributes) for route in routes)
    return f"  route {prefix} blackhole {{ {settings} }};"


def _settings(symbol: str, attributes: RouteAttributes) -> str:
    settings = [f"{symbol}_prepend = {attributes.prepend};"]
    if attributes.med is not None:
        settings.append(f"{symbol}_med = {attributes.med};")
    if attributes.local_preference is not None:
        settings.append(f"{symbol}_preference = {attributes.local_preference};")
    for part, members in _by_part(attributes.communities).items():
        if members:
            value = _EMPTY[part]
            for member in members:
                value = f"add({value}, {member})"
            settings.append(f"{symbol}_{part} = {value};")
    return " ".join(settings)


def _by_part(communities: Iterable[Community]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {part: [] for part in _EMPTY}
    for community in sorted(communities, key=lambda community: (type(community).__name__, str(community))):
        match community:
            case StandardCommunity(administrator, value):
                parts["communities"].append(f"({administrator}, {value})")
            case LargeCommunity(administrator, local_1, local_2):
                parts["large"].append(f"({administrator}, {local_1}, {local_2})")
            case ExtendedCommunity():
                parts["extended"].append(format_extended(community))
    return parts


def format_extended(community: ExtendedCommunity) -> str:
    """Give an extended community as BIRD writes it."""
    text = str(community)
    if text.startswith("0x"):
        return f"(generic, 0x{community.octets >> 32:08x}, 0x{community.octets & 0xFFFFFFFF:08x})"
    kind, administrator, value = text.split(":")
    return f"({'ro' if kind == 'soo' else kind}, {administrator}, {value})"


def prefixes_of(text: str) -> frozenset[Prefix]:
    """Give the prefixes in a file of ours. Raises `EditedError` when somebody else has changed it."""
    header, _, body = text.partition("\n")
    if header != _HEADER + hashlib.sha256(body.encode()).hexdigest():
        raise EditedError
    return frozenset(parse_prefix(found) for found in _ROUTE.findall(body))


def removal_of_stale(directory: str, lease_s: int) -> str:
    """Give the command that removes a file whose agent has shown no sign of life for a lease, before BIRD starts."""
    return f"/usr/bin/find {directory} -name announcements.conf -not -newermt '{lease_s} seconds ago' -delete"


# -- the snippet -------------------------------------------------------------------------------------------------------


def include_pattern(file: Path) -> str:
    """Give the file's path as a pattern, which BIRD lets match nothing.

    BIRD refuses a missing file, and a pattern in a missing folder. So the pattern is in the second folder of the path,
    whose parent is there on any machine: `/run/anycastl[e]/bird/announcements.conf`.
    """
    parts = list(file.absolute().parts)
    parts[2] = f"{parts[2][:-1]}[{parts[2][-1]}]"
    return str(Path(*parts))


def bird_snippet(asn: ASN, pop: PoP, file: Path) -> str:
    """Give what the operator puts into bird.conf once; `file` is where the driver writes (`BirdDriver.include`)."""
    names = symbols(pop)
    lines = [f"# anycastle: PoP {pop.name}. Paste above the BGP protocols; again whenever the upstreams change."]
    for symbol in names.values():
        lines += [f"attribute {kind} {symbol}_{part};" for part, kind in _TYPES.items()]
    lines += _forget_function(names)
    for symbol in names.values():
        lines += _export_function(symbol, asn)
    lines += [
        "# The brackets matter: where the file is not there, BIRD starts all the same, with nothing announced.",
        f'include "{include_pattern(file)}";',
        "",
        "# In each BGP protocol, the channels export by the upstream's function:",
    ]
    lines += [
        f"#   {upstream}: ipv4 {{ ...; export where {export_function(symbol)}(); }};"
        for upstream, symbol in names.items()
    ]
    return "\n".join([*lines, ""])


def _forget_function(names: dict[str, str]) -> list[str]:
    values = [f"  {symbol}_{part} = {_EMPTY.get(part, '0')};" for symbol in names.values() for part in _TYPES]
    return ["function anycastle_forget()", "{", *values, "}"]


def _export_function(symbol: str, asn: ASN) -> list[str]:
    prepends = [
        f"  if {symbol}_prepend >= {count} then bgp_path.prepend({asn});" for count in range(1, AS_PATH_PREPEND_MAX + 1)
    ]
    communities = [
        f"  if defined({symbol}_{part}) then {attribute} = add({attribute}, {symbol}_{part});"
        for part, attribute in _ADDED_TO.items()
    ]
    return [
        f"function {export_function(symbol)}()",
        "{",
        f"  if !defined({symbol}_prepend) then return false;",
        *prepends,
        f"  if defined({symbol}_med) then bgp_med = {symbol}_med;",
        f"  if defined({symbol}_preference) then bgp_local_pref = {symbol}_preference;",
        *communities,
        "  anycastle_forget();",
        "  return true;",
        "}",
    ]
