"""Values of the model to plain ones and back, by their types: dataclasses of this project, and what these are made of.

A dataclass becomes a mapping of its fields; where several can stand, `kind` tells which. Prefixes, addresses and
communities are texts, as files have them. Sets are sorted, and a mapping whose keys are no texts is a sorted list of
pairs: the same value always becomes the same octets. What does not fit comes back as a `ParseError` with its place.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints

import msgspec

from anycastle.base.errors import AnycastleError, ParseError
from anycastle.model.community import (
    ExtendedCommunity,
    LargeCommunity,
    StandardCommunity,
    parse_community,
)
from anycastle.model.prefix import Prefix, parse_address, parse_prefix

_TEXTS: Final[Mapping[type, Callable[[str], Any]]] = {
    Prefix: parse_prefix,
    IPv4Address: parse_address,
    IPv6Address: parse_address,
    StandardCommunity: parse_community,
    LargeCommunity: parse_community,
    ExtendedCommunity: parse_community,
}
"""Types that are written as a text -> how it is read."""

_NUMBER: Final = (int, float)


def to_plain(value: Any) -> Any:
    """Give a value of the model as mappings, lists, texts and numbers."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if type(value) in _TEXTS:
        return str(value)
    if is_dataclass(value):
        kind: Any = type(value)
        hints = _hints(kind)
        return {field.name: _field_to_plain(hints[field.name], getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, frozenset | set):
        return sorted(map(to_plain, value), key=msgspec.json.encode)
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    if isinstance(value, Mapping):
        return _mapping_to_plain(value)
    raise TypeError(f"{type(value).__name__} is no part of the model")


def _field_to_plain(hint: Any, value: Any) -> Any:
    """Give a field's value; a whole number where a fraction may stand is written as one, as it will be read."""
    fraction = hint is float or float in get_args(hint)
    return float(value) if fraction and type(value) is int else to_plain(value)


def _mapping_to_plain(mapping: Mapping[Any, Any]) -> Any:
    if all(isinstance(key, str) for key in mapping):
        return {key: to_plain(mapping[key]) for key in sorted(mapping)}
    pairs = [[to_plain(key), to_plain(value)] for key, value in mapping.items()]
    return sorted(pairs, key=msgspec.json.encode)


def from_plain(wanted: Any, plain: Any, place: str = "") -> Any:
    """Give the value of a type from what `to_plain` made of one. Raises `ParseError`, with the place."""
    wanted = wanted.__supertype__ if isinstance(wanted, NewType) else wanted
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(wanted), plain, place)
    if origin in (tuple, frozenset):
        return _many(origin, get_args(wanted), plain, place)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(get_args(wanted), plain, place)
    if wanted in _TEXTS:
        return _text(wanted, plain, place)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _member(wanted, plain, place)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _dataclass(wanted, plain, place)
    return _scalar(wanted, plain, place)


def _wrong(place: str, expected: str, plain: Any) -> ParseError:
    shown = re.sub(r"\s+", " ", repr(plain))[:60]
    return ParseError(f"{place or 'the whole'}: {expected} is wanted, and not {shown}")


def _scalar(wanted: type, plain: Any, place: str) -> Any:
    if wanted is float and isinstance(plain, _NUMBER) and not isinstance(plain, bool):
        return float(plain)
    if wanted is bytes and isinstance(plain, str):
        try:
            return bytes.fromhex(plain)
        except ValueError as error:
            raise _wrong(place, "octets as hexadecimal digits", plain) from error
    if wanted in (int, str, bool, type(None)) and type(plain) is wanted:
        return plain
    raise _wrong(place, "nothing" if wanted is type(None) else wanted.__name__, plain)


def _text(wanted: type, plain: Any, place: str) -> Any:
    if not isinstance(plain, str):
        raise _wrong(place, wanted.__name__, plain)
    try:
        made = _TEXTS[wanted](plain)
    except AnycastleError as error:
        raise ParseError(f"{place}: {error}") from error
    if type(made) is not wanted:
        raise _wrong(place, wanted.__name__, plain)
    return made


def _member(wanted: type[Enum], plain: Any, place: str) -> Any:
    try:
        return wanted(plain)
    except ValueError as error:
        raise _wrong(place, " or ".join(repr(each.value) for each in wanted), plain) from error


def _one_of(kinds: tuple[Any, ...], plain: Any, place: str) -> Any:
    """Give the value of the first type that it fits; of dataclasses `kind` says which it is."""
    if plain is None and type(None) in kinds:
        return None
    named = [each for each in kinds if isinstance(each, type) and is_dataclass(each) and each not in _TEXTS]
    if named and len(named) > 1:
        kind = plain.get("kind") if isinstance(plain, dict) else None
        chosen = next((each for each in named if _kind_of(each) == kind), None)
        if chosen is None:
            raise _wrong(f"{place}.kind", " or ".join(sorted(_kind_of(each) for each in named)), kind)
        return from_plain(chosen, plain, place)
    errors = []
    for each in kinds:
        if each is not type(None):
            try:
                return from_plain(each, plain, place)
            except ParseError as error:
                errors.append(error)
    raise errors[-1]


def _many(origin: type, arguments: tuple[Any, ...], plain: Any, place: str) -> Any:
    if not isinstance(plain, list):
        raise _wrong(place, "a list", plain)
    if origin is tuple and arguments[-1] is not Ellipsis:
        if len(plain) != len(arguments):
            raise _wrong(place, f"a list of {len(arguments)}", plain)
        pairs = zip(arguments, plain, strict=True)
        return tuple(from_plain(each, part, f"{place}[{number}]") for number, (each, part) in enumerate(pairs))
    return origin(from_plain(arguments[0], part, f"{place}[{number}]") for number, part in enumerate(plain))


def _mapping(arguments: tuple[Any, ...], plain: Any, place: str) -> dict[Any, Any]:
    key_type, value_type = arguments
    if key_type is str and isinstance(plain, dict):
        return {key: from_plain(value_type, value, f"{place}.{key}") for key, value in plain.items()}
    if not isinstance(plain, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in plain):
        if plain == {}:
            return {}
        raise _wrong(place, "a mapping" if key_type is str else "a list of pairs", plain)
    return {
        from_plain(key_type, key, f"{place}[{number}] key"): from_plain(value_type, value, f"{place}[{number}]")
        for number, (key, value) in enumerate(plain)
    }


def _dataclass(wanted: type, plain: Any, place: str) -> Any:
    if not isinstance(plain, dict):
        raise _wrong(place, wanted.__name__, plain)
    hints, known = _hints(wanted), {field.name: field for field in fields(wanted)}
    strange = sorted(plain.keys() - known.keys())
    if strange:
        raise ParseError(f"{place or 'the whole'}: {wanted.__name__} has no {', '.join(strange)}")
    values = {}
    for name, field in known.items():
        if not field.init:
            continue
        if name in plain:
            values[name] = from_plain(hints[name], plain[name], f"{place}.{name}".lstrip("."))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ParseError(f"{place or 'the whole'}: {wanted.__name__} lacks {name}")
    try:
        return wanted(**values)
    except AnycastleError as error:
        raise ParseError(f"{place or 'the whole'}: {error}") from error


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@lru_cache
def _kind_of(kind: Any) -> str:
    return next((str(field.default) for field in fields(kind) if field.name == "kind"), kind.__name__)
