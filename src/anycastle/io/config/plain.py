"""A fleet as plain values (text, numbers, lists, mappings): the normalised form that `config show` prints.

Every default is filled in, every policy is laid out per PoP and upstream, and units are in the names (`interval_s`).
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from anycastle.model.community import ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix

_AS_TEXT = (Prefix, IPv4Address, IPv6Address, StandardCommunity, LargeCommunity, ExtendedCommunity)

_HELD = "held"
"""What no file says: routes that a rollout holds."""


def plain_fleet(fleet: Fleet) -> dict[str, Any]:
    """Give the fleet as plain values, the same for the same fleet to the last octet."""
    value = _plain(fleet)
    assert isinstance(value, dict)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.name != _HELD}
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, frozenset):
        return sorted(_plain(each) for each in value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Give text keys; a pair of names (PoP, upstream) becomes two levels."""
    plain: dict[str, Any] = {}
    for key, each in value.items():
        if isinstance(key, tuple):
            outer, inner = key
            plain.setdefault(outer, {})[inner] = _plain(each)
        else:
            plain[str(key)] = _plain(each)
    return plain
