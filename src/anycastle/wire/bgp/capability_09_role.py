"""BGP Role capability (RFC 9234 §4.1)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 9


class RoleValue(IntEnum):
    """The local AS's part in the business relationship (RFC 9234 table 1)."""

    PROVIDER = 0
    ROUTE_SERVER = 1
    ROUTE_SERVER_CLIENT = 2
    CUSTOMER = 3
    PEER = 4


@dataclass(frozen=True, slots=True)
class Role:
    """What the sender is to the receiver; `value` may be one that is not in `RoleValue`, which never matches."""

    value: int


def decode(value: bytes) -> Role:
    """Decode the value: one octet."""
    if len(value) != 1:
        raise malformed(CODE, "role", value)
    return Role(value[0])


def encode(capability: Role) -> bytes:
    """Encode the value."""
    return bytes((capability.value,))
