"""One reader per kind of value: node -> model value, refused with a message that says what to write.

Each reader is used as a pydantic type: `Duration`, `PrefixText` and so on carry the reader and the JSON Schema.
"""

import re
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Address, ip_network
from typing import Annotated, Any, Final, TypeVar

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from anycastle.base.errors import ParseError
from anycastle.base.limits import AS_PATH_PREPEND_MAX
from anycastle.io.config import units
from anycastle.io.config.findings import FindingKind, did_you_mean
from anycastle.io.config.nodes import Node, Placed, Scalar, described, shown
from anycastle.io.config.resolution import AMBIGUOUS_BOOLEANS, LEADING_ZERO, SEXAGESIMAL
from anycastle.model.asn import ASN, is_reserved, parse_asn
from anycastle.model.community import WELL_KNOWN, Community, parse_community
from anycastle.model.prefix import Address, Prefix, parse_address, parse_prefix

V = TypeVar("V")
W = TypeVar("W", bound=Enum)

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
ALL: Final = "all"
_NAME: Final = re.compile(NAME_PATTERN)
_NOT_UNICAST: Final = {  # RFC 6890 and the IANA special-purpose registries
    "this network": parse_prefix("0.0.0.0/8"),
    "loopback": parse_prefix("127.0.0.0/8"),
    "link-local": parse_prefix("169.254.0.0/16"),
    "multicast": parse_prefix("224.0.0.0/4"),
    "reserved": parse_prefix("240.0.0.0/4"),
    "unspecified, loopback and mapped": parse_prefix("::/8"),
    "link-local (IPv6)": parse_prefix("fe80::/10"),
    "multicast (IPv6)": parse_prefix("ff00::/8"),
}
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)?")


def refuse(kind: FindingKind, message: str) -> PydanticCustomError:
    """Give the error that carries a finding through pydantic."""
    return PydanticCustomError("finding", "{message}", {"kind": kind, "message": message})


def scalar(node: Any, what: str) -> Scalar:
    """Give the node as one value, or refuse it as `what` is needed."""
    assert isinstance(node, Node)
    if isinstance(node, Scalar) and node.value is not None:
        return node
    if isinstance(node, Scalar):
        raise refuse(FindingKind.EMPTY, f"nothing stands here; write {what} or remove the key")
    raise refuse(FindingKind.WRONG_TYPE, f"{what} is needed here, not {described(node)}")


def parsed(parse: Callable[[str], V], what: str) -> Callable[[Any], V]:
    """Give a reader from a parser that raises `ParseError`."""

    def read(node: Any) -> V:
        text = scalar(node, what).text
        try:
            return parse(text)
        except units.UnitError as error:
            raise refuse(FindingKind.UNIT, str(error)) from None
        except ParseError as error:
            raise refuse(FindingKind.BAD_VALUE, str(error)) from None

    return read


def read_text(node: Any) -> str:
    """Read one line of text."""
    value = scalar(node, "text")
    if not isinstance(value.value, str):
        message = f'text is needed here, not {described(value)}; write "{value.text}" in quotes if it is meant as text'
        raise refuse(FindingKind.WRONG_TYPE, message)
    if not value.value.strip():
        raise refuse(FindingKind.EMPTY, "the text is empty")
    if _UNPRINTABLE.search(value.value):
        raise refuse(FindingKind.BAD_VALUE, "the text holds a line break or a control character")
    return value.value


def read_octets(node: Any) -> bytes:
    """Read text that is sent or expected as UTF-8; escapes such as `\\r\\n` work in double quotes."""
    value = scalar(node, "text")
    if not isinstance(value.value, str) or not value.value:
        raise refuse(FindingKind.WRONG_TYPE, f'text is needed here, not {described(value)}; write it as "…"')
    return value.value.encode()


def read_hexadecimal(node: Any) -> bytes:
    """Read octets as hexadecimal digits."""
    text = scalar(node, "hexadecimal digits").text
    if not re.fullmatch(r"([0-9a-fA-F]{2})+", text):
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not pairs of hexadecimal digits")
    return bytes.fromhex(text)


def read_name(node: Any) -> str:
    """Read a name: a label of metrics and a word of the command line."""
    text = read_text(node)
    if text == ALL:
        raise refuse(FindingKind.BAD_VALUE, "`all` stands for every one and cannot be a name")
    if not _NAME.fullmatch(text):
        message = (
            f"{shown(text)} is not a name: letters, digits, `.`, `_`, `-`; at most 63, the first a letter or digit"
        )
        raise refuse(FindingKind.BAD_VALUE, message)
    return text


def read_placed_name(node: Any) -> Placed[str]:
    """Read a name that refers to something, with its place."""
    return Placed(read_text(node), node)


def read_path(node: Any) -> str:
    """Read an absolute path of the PoP's file system."""
    text = read_text(node)
    if not text.startswith("/"):
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not an absolute path; it begins with /")
    return text


def read_secret_path(node: Any) -> str:
    """Read the path of a secret's file; the text is not repeated, as it could be the secret itself."""
    text = scalar(node, "the path of a file").text
    if not text.startswith("/") or _UNPRINTABLE.search(text):
        raise refuse(
            FindingKind.SECRET,
            "the absolute path of a file is needed here; a secret itself is never written into the fleet",
        )
    return text


def read_boolean(node: Any) -> bool:
    """Read `true` or `false`."""
    value = scalar(node, "true or false")
    if isinstance(value.value, bool):
        return value.value
    meant = AMBIGUOUS_BOOLEANS.get(value.text)
    if meant:
        message = f"{value.text} is text in YAML 1.2 and a boolean in YAML 1.1; write {meant}"
        raise refuse(FindingKind.PITFALL, message)
    raise refuse(FindingKind.WRONG_TYPE, f"true or false is needed here, not {described(value)}")


def _number_pitfall(value: Scalar, what: str) -> None:
    if value.quoted and re.fullmatch(r"[0-9.]+", value.text):
        raise refuse(FindingKind.WRONG_TYPE, f"{what} is needed here; write {value.text} without quotes")
    if not value.quoted and LEADING_ZERO.fullmatch(value.text):
        plain = value.text.replace("_", "").lstrip("0") or "0"
        message = f"{value.text} is {plain} in YAML 1.2 and octal in YAML 1.1; write it without the leading zero"
        raise refuse(FindingKind.PITFALL, message)
    if not value.quoted and SEXAGESIMAL.fullmatch(value.text):
        message = f"{value.text} is text in YAML 1.2 and a number of base 60 in YAML 1.1; write {what}"
        raise refuse(FindingKind.PITFALL, message)


def integer(low: int, high: int) -> Callable[[Any], int]:
    """Give a reader of whole numbers from `low` to `high`."""
    what = f"a whole number from {low} to {high}"

    def read(node: Any) -> int:
        value = scalar(node, what)
        _number_pitfall(value, what)
        if isinstance(value.value, bool) or not isinstance(value.value, int):
            raise refuse(FindingKind.WRONG_TYPE, f"{what} is needed here, not {described(value)}")
        if not low <= value.value <= high:
            raise refuse(FindingKind.BAD_VALUE, f"{value.text} is outside {low} to {high}")
        return value.value

    return read


def number(low: float, high: float, what: str) -> Callable[[Any], float]:
    """Give a reader of numbers from `low` to `high`."""

    def read(node: Any) -> float:
        value = scalar(node, what)
        _number_pitfall(value, what)
        if isinstance(value.value, bool) or not isinstance(value.value, int | float):
            raise refuse(FindingKind.WRONG_TYPE, f"{what} is needed here, not {described(value)}")
        if not low <= value.value <= high:  # also refuses .nan
            raise refuse(FindingKind.BAD_VALUE, f"{value.text} is outside {low:g} to {high:g}")
        return float(value.value)

    return read


def duration(low_s: float, high_s: float) -> Callable[[Any], float]:
    """Give a reader of durations from `low_s` to `high_s`, both included."""
    read_any = parsed(units.parse_duration, "a duration such as 1s or 250ms")

    def read(node: Any) -> float:
        seconds = read_any(node)
        if not low_s <= seconds <= high_s:
            low, high = units.format_duration(low_s), units.format_duration(high_s)
            raise refuse(FindingKind.BAD_VALUE, f"{node.text} is outside {low} to {high}")
        return seconds

    return read


def read_hold_time(node: Any) -> int:
    """Read a hold time: 0 or 3 s to 65535 s (RFC 4271 §4.2)."""
    seconds = parsed(units.parse_duration, "a duration such as 30s")(node)
    if seconds != int(seconds) or 0 < seconds < 3:
        raise refuse(FindingKind.HOLD_TIME, f"a hold time is 0s, or 3s and more in whole seconds, not {node.text}")
    if seconds > 65535:
        raise refuse(FindingKind.BAD_VALUE, f"{node.text} is more than BGP can say (65535s)")
    return int(seconds)


def read_capacity(node: Any) -> float:
    """Read a capacity above zero."""
    value = parsed(units.parse_capacity, "a capacity such as 10G")(node)
    if value <= 0:
        raise refuse(FindingKind.BAD_VALUE, "a capacity is above zero; leave out what has none")
    return value


def read_asn(node: Any) -> ASN:
    """Read an AS number that a network may have."""
    asn = parsed(parse_asn, "an AS number")(node)
    if is_reserved(asn):
        raise refuse(FindingKind.RESERVED_ASN, f"AS {asn} is reserved; no network has it")
    return asn


def read_router_id(node: Any) -> IPv4Address:
    """Read a router id: four octets, not zero (RFC 6286 §2.1)."""
    address = parsed(parse_address, "an IPv4 address")(node)
    if not isinstance(address, IPv4Address) or not int(address):
        raise refuse(
            FindingKind.BAD_VALUE, f"{shown(node.text)} is not a router id: an IPv4 address other than 0.0.0.0"
        )
    return address


def read_prefix(node: Any) -> Placed[Prefix]:
    """Read a prefix that the Internet would carry, with its place."""
    prefix = parsed(parse_prefix, "a prefix such as 192.0.2.0/24")(node)
    longest = prefix.family.longest_announced
    if prefix.length > longest:
        cover = ip_network((prefix.first, longest), strict=False)
        message = f"{prefix} is longer than /{longest}, the longest that the Internet carries"
        message += f"; did you mean {cover}?"
        raise refuse(FindingKind.PREFIX_LENGTH, message)
    for name, special in _NOT_UNICAST.items():
        if special.overlaps(prefix):
            raise refuse(FindingKind.NOT_UNICAST, f"{prefix} cannot be announced: {special} is {name}")
    return Placed(prefix, node)


def read_placed_address(node: Any) -> Placed[Address]:
    """Read an address, with its place."""
    return Placed(parsed(parse_address, "an IPv4 or IPv6 address")(node), node)


def read_literal_community(node: Any) -> Community:
    """Read a community as numbers or a well-known name."""
    return parsed(parse_community, "a community such as 64500:1")(node)


def read_community(node: Any) -> Placed[Community | str]:
    """Read a community, or a word that an upstream's vocabulary must know."""
    text = scalar(node, "a community or a word of the vocabulary").text
    try:
        return Placed(parse_community(text), node)
    except ParseError as error:
        if _NAME.fullmatch(text) and not text[0].isdigit():
            return Placed(text, node)
        raise refuse(FindingKind.BAD_VALUE, str(error)) from None


def read_timestamp(node: Any) -> float:
    """Read an RFC 3339 time with its zone, as seconds since 1970."""
    text = scalar(node, "a time such as 2026-03-01T02:00:00Z").text
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not a time; write 2026-03-01T02:00:00Z")
    if match[2] is None:
        raise refuse(FindingKind.UNIT, f"{text} has no zone; write {text}Z for UTC, or an offset such as +01:00")
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise refuse(FindingKind.BAD_VALUE, f"{text} is not a time: no such day, hour or offset") from None


def one_of(words: type[W]) -> Callable[[Any], W]:
    """Give a reader of an enumeration's words."""
    return word({member.value: member for member in words})


def word(words: dict[str, V]) -> Callable[[Any], V]:
    """Give a reader of the words given."""
    known = ", ".join(words)

    def read(node: Any) -> V:
        text = scalar(node, f"one of {known}").text
        if text not in words:
            near = did_you_mean(text, words)
            raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not one of {known}{near if 'did' in near else ''}")
        return words[text]

    return read


def vocabulary_word(text: str) -> str:
    """Check a word of a vocabulary, which must not hide a community."""
    if text in WELL_KNOWN:
        raise refuse(FindingKind.BAD_VALUE, f"{text!r} is a well-known community already; take another word")
    if not _NAME.fullmatch(text) or text[0].isdigit():
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not a word: it begins with a letter, without `:`")
    return text


def _text_schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, **({"examples": list(examples)} if examples else {})})


def _integer_schema(low: int, high: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": low, "maximum": high})


def words_schema(words: type[Enum]) -> WithJsonSchema:
    """Give the JSON Schema of an enumeration's words."""
    return WithJsonSchema({"enum": [member.value for member in words]})


_YEAR_S: Final = 366 * 86400.0
_DAY_S: Final = 86400.0
_DURATION_SCHEMA: Final = _text_schema(units.DURATION_PATTERN, "1s", "250ms", "5m")
_ADDRESS_SCHEMA: Final = WithJsonSchema({"type": "string", "examples": ["192.0.2.53", "2001:db8:53::53"]})
_COMMUNITY_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "examples": ["64500:1", "64500:1:2", "rt:64500:1", *sorted(WELL_KNOWN)]}
)
_PREFIX_PATTERN: Final = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"

Text = Annotated[str, PlainValidator(read_text), WithJsonSchema({"type": "string", "minLength": 1})]
Octets = Annotated[bytes, PlainValidator(read_octets), WithJsonSchema({"type": "string", "minLength": 1})]
Hexadecimal = Annotated[bytes, PlainValidator(read_hexadecimal), _text_schema("^([0-9a-fA-F]{2})+$", "00ff")]
Name = Annotated[str, PlainValidator(read_name), _text_schema(NAME_PATTERN)]
NameReference = Annotated[Placed[str], PlainValidator(read_placed_name), _text_schema(NAME_PATTERN)]
Path = Annotated[str, PlainValidator(read_path), _text_schema("^/", "/run/bird/bird.ctl")]
SecretPath = Annotated[str, PlainValidator(read_secret_path), _text_schema("^/", "/etc/anycastle/secrets/transit-a")]
Boolean = Annotated[bool, PlainValidator(read_boolean), WithJsonSchema({"type": "boolean"})]
Interval = Annotated[float, PlainValidator(duration(0.001, _DAY_S)), _DURATION_SCHEMA]
Span = Annotated[float, PlainValidator(duration(0.0, _YEAR_S)), _DURATION_SCHEMA]
PositiveSpan = Annotated[float, PlainValidator(duration(0.001, _YEAR_S)), _DURATION_SCHEMA]
SettlingSpan = Annotated[float, PlainValidator(duration(2.0, _DAY_S)), _DURATION_SCHEMA]
"""Not below two seconds: an agent's log is read each second, and a change has to be known before it has settled."""
HoldTime = Annotated[int, PlainValidator(read_hold_time), _text_schema(units.DURATION_PATTERN, "30s", "9s")]
Capacity = Annotated[float, PlainValidator(read_capacity), _text_schema(units.CAPACITY_PATTERN, "10G", "400M", "50k")]
ASNText = Annotated[
    ASN,
    PlainValidator(read_asn),
    WithJsonSchema({"type": ["integer", "string", "number"], "examples": [64500, "AS64500", "1.10"]}),
]
RouterId = Annotated[IPv4Address, PlainValidator(read_router_id), WithJsonSchema({"type": "string", "format": "ipv4"})]
PrefixText = Annotated[
    Placed[Prefix], PlainValidator(read_prefix), _text_schema(_PREFIX_PATTERN, "192.0.2.0/24", "2001:db8:53::/48")
]
AddressText = Annotated[Address, PlainValidator(parsed(parse_address, "an IPv4 or IPv6 address")), _ADDRESS_SCHEMA]
PlacedAddress = Annotated[Placed[Address], PlainValidator(read_placed_address), _ADDRESS_SCHEMA]
LiteralCommunity = Annotated[Community, PlainValidator(read_literal_community), _COMMUNITY_SCHEMA]
CommunityText = Annotated[Placed[Community | str], PlainValidator(read_community), _COMMUNITY_SCHEMA]
TimestampText = Annotated[
    float, PlainValidator(read_timestamp), WithJsonSchema({"type": "string", "format": "date-time"})
]
Port = Annotated[int, PlainValidator(integer(1, 65535)), _integer_schema(1, 65535)]
Prepend = Annotated[int, PlainValidator(integer(0, AS_PATH_PREPEND_MAX)), _integer_schema(0, AS_PATH_PREPEND_MAX)]
FourOctets = Annotated[int, PlainValidator(integer(0, 2**32 - 1)), _integer_schema(0, 2**32 - 1)]
Count = Annotated[int, PlainValidator(integer(0, 10**6)), _integer_schema(0, 10**6)]
PositiveCount = Annotated[int, PlainValidator(integer(1, 10**7)), _integer_schema(1, 10**7)]
Run = Annotated[int, PlainValidator(integer(1, 100)), _integer_schema(1, 100)]
Hops = Annotated[int, PlainValidator(integer(1, 254)), _integer_schema(1, 254)]
Pings = Annotated[int, PlainValidator(integer(1, 20)), _integer_schema(1, 20)]
Days = Annotated[int, PlainValidator(integer(0, 3650)), _integer_schema(0, 3650)]
Status = Annotated[int, PlainValidator(integer(100, 599)), _integer_schema(100, 599)]
Latitude = Annotated[
    float,
    PlainValidator(number(-90, 90, "degrees north")),
    WithJsonSchema({"type": "number", "minimum": -90, "maximum": 90}),
]
Longitude = Annotated[
    float,
    PlainValidator(number(-180, 180, "degrees east")),
    WithJsonSchema({"type": "number", "minimum": -180, "maximum": 180}),
]
Penalty = Annotated[
    float,
    PlainValidator(number(0.001, 1e9, "a number above zero")),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
Number = Annotated[float, PlainValidator(number(-1e300, 1e300, "a number")), WithJsonSchema({"type": "number"})]
