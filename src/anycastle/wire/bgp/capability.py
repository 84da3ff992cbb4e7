"""Capabilities of OPEN (RFC 5492): the values, and the one table that decodes and encodes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from anycastle.base.errors import MisuseError
from anycastle.wire.bgp import (
    capability_01_multiprotocol,
    capability_02_route_refresh,
    capability_05_extended_next_hop,
    capability_06_extended_message,
    capability_09_role,
    capability_64_graceful_restart,
    capability_65_four_octet_asn,
    capability_69_add_path,
    capability_70_enhanced_route_refresh,
)
from anycastle.wire.bgp.capability_01_multiprotocol import MultiProtocol
from anycastle.wire.bgp.capability_02_route_refresh import RouteRefresh
from anycastle.wire.bgp.capability_05_extended_next_hop import ExtendedNextHop
from anycastle.wire.bgp.capability_06_extended_message import ExtendedMessage
from anycastle.wire.bgp.capability_09_role import Role, RoleValue
from anycastle.wire.bgp.capability_64_graceful_restart import GracefulRestart, RestartFamily
from anycastle.wire.bgp.capability_65_four_octet_asn import FourOctetASN
from anycastle.wire.bgp.capability_69_add_path import AddPath, AddPathFamily, AddPathMode
from anycastle.wire.bgp.capability_70_enhanced_route_refresh import EnhancedRouteRefresh

__all__ = [
    "AddPath",
    "AddPathFamily",
    "AddPathMode",
    "Capability",
    "EnhancedRouteRefresh",
    "ExtendedMessage",
    "ExtendedNextHop",
    "FourOctetASN",
    "GracefulRestart",
    "MultiProtocol",
    "RestartFamily",
    "Role",
    "RoleValue",
    "RouteRefresh",
    "UnknownCapability",
    "decode_capability",
    "encode_capability",
]


@dataclass(frozen=True, slots=True)
class UnknownCapability:
    """A capability that is not known here; the receiver ignores it (RFC 5492 §3)."""

    code: int
    value: bytes = b""


Capability = (
    MultiProtocol
    | RouteRefresh
    | ExtendedNextHop
    | ExtendedMessage
    | Role
    | GracefulRestart
    | FourOctetASN
    | AddPath
    | EnhancedRouteRefresh
    | UnknownCapability
)


class _Codec(NamedTuple):
    code: int
    kind: type[Capability]
    decode: Callable[[bytes], Capability | None]
    encode: Callable[[Any], bytes]


_TABLE: Final = (
    _Codec(
        capability_01_multiprotocol.CODE,
        MultiProtocol,
        capability_01_multiprotocol.decode,
        capability_01_multiprotocol.encode,
    ),
    _Codec(
        capability_02_route_refresh.CODE,
        RouteRefresh,
        capability_02_route_refresh.decode,
        capability_02_route_refresh.encode,
    ),
    _Codec(
        capability_05_extended_next_hop.CODE,
        ExtendedNextHop,
        capability_05_extended_next_hop.decode,
        capability_05_extended_next_hop.encode,
    ),
    _Codec(
        capability_06_extended_message.CODE,
        ExtendedMessage,
        capability_06_extended_message.decode,
        capability_06_extended_message.encode,
    ),
    _Codec(capability_09_role.CODE, Role, capability_09_role.decode, capability_09_role.encode),
    _Codec(
        capability_64_graceful_restart.CODE,
        GracefulRestart,
        capability_64_graceful_restart.decode,
        capability_64_graceful_restart.encode,
    ),
    _Codec(
        capability_65_four_octet_asn.CODE,
        FourOctetASN,
        capability_65_four_octet_asn.decode,
        capability_65_four_octet_asn.encode,
    ),
    _Codec(capability_69_add_path.CODE, AddPath, capability_69_add_path.decode, capability_69_add_path.encode),
    _Codec(
        capability_70_enhanced_route_refresh.CODE,
        EnhancedRouteRefresh,
        capability_70_enhanced_route_refresh.decode,
        capability_70_enhanced_route_refresh.encode,
    ),
)
BY_CODE: Final[Mapping[int, _Codec]] = MappingProxyType({codec.code: codec for codec in _TABLE})
BY_KIND: Final[Mapping[type[Capability], _Codec]] = MappingProxyType({codec.kind: codec for codec in _TABLE})


def decode_capability(code: int, value: bytes) -> Capability:
    """Decode one capability. Raises `NotificationError` (2/0) for a known one of a wrong form."""
    codec = BY_CODE.get(code)
    capability = codec.decode(value) if codec else None
    return UnknownCapability(code, value) if capability is None else capability


def encode_capability(capability: Capability) -> bytes:
    """Encode one capability with its code and length. Raises `MisuseError` for a value over 255 octets."""
    if isinstance(capability, UnknownCapability):
        code, value = capability.code, capability.value
    else:
        codec = BY_KIND[type(capability)]
        code, value = codec.code, codec.encode(capability)
    if len(value) > 0xFF:
        raise MisuseError(f"capability {code} of {len(value)} octets does not fit its one-octet length")
    return bytes((code, len(value))) + value
