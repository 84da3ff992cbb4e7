"""Graceful Restart capability (RFC 4724 §3, RFC 8538 §2)."""

from dataclasses import dataclass
from struct import iter_unpack, pack
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 64
RESTART_TIME_MAX_S: Final = 4095  # twelve bits

_RESTARTING = 0x8000
_NOTIFICATION = 0x4000
_FORWARDING = 0x80


@dataclass(frozen=True, slots=True)
class RestartFamily:
    """A family that survives a restart; `forwarding` tells that packets kept flowing through the last one."""

    afi: int
    safi: int
    forwarding: bool = False


@dataclass(frozen=True, slots=True)
class GracefulRestart:
    """The sender's routes may be kept while it restarts, for `restart_time_s` at most.

    `restarting` is the R bit, `notification` the N bit: kept also after a NOTIFICATION (RFC 8538).
    """

    restart_time_s: int = 0
    families: tuple[RestartFamily, ...] = ()
    restarting: bool = False
    notification: bool = False


def decode(value: bytes) -> GracefulRestart:
    """Decode the value: flags and restart time in two octets, then four for each family."""
    if len(value) % 4 != 2:
        raise malformed(CODE, "graceful restart", value)
    head = int.from_bytes(value[:2])
    families = tuple(
        RestartFamily(afi, safi, bool(flags & _FORWARDING)) for afi, safi, flags in iter_unpack("!HBB", value[2:])
    )
    return GracefulRestart(head & RESTART_TIME_MAX_S, families, bool(head & _RESTARTING), bool(head & _NOTIFICATION))


def encode(capability: GracefulRestart) -> bytes:
    """Encode the value."""
    head = capability.restart_time_s & RESTART_TIME_MAX_S
    head |= _RESTARTING * capability.restarting | _NOTIFICATION * capability.notification
    families = (pack("!HBB", each.afi, each.safi, _FORWARDING * each.forwarding) for each in capability.families)
    return head.to_bytes(2) + b"".join(families)
