"""What two OPENs come to: our OPEN, and the verdict on the peer's (RFC 4271 §4.2, §6.2; RFC 5492)."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, TypeVar

from anycastle.model.asn import AS_TRANS, ASN
from anycastle.model.prefix import Family
from anycastle.session.config import SessionConfig
from anycastle.wire.bgp.capability import (
    AddPath,
    AddPathFamily,
    AddPathMode,
    Capability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    FourOctetASN,
    GracefulRestart,
    MultiProtocol,
    RestartFamily,
    Role,
    RoleValue,
    RouteRefresh,
    encode_capability,
)
from anycastle.wire.bgp.error_codes import ErrorCode, OpenSubcode
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.family import SAFI_UNICAST, unicast_family
from anycastle.wire.bgp.message import Open
from anycastle.wire.bgp.options import CodecOptions

VERSION: Final = 4  # RFC 4271 §4.2

_ROLE_PAIRS: Final = {
    RoleValue.PROVIDER: RoleValue.CUSTOMER,
    RoleValue.CUSTOMER: RoleValue.PROVIDER,
    RoleValue.ROUTE_SERVER: RoleValue.ROUTE_SERVER_CLIENT,
    RoleValue.ROUTE_SERVER_CLIENT: RoleValue.ROUTE_SERVER,
    RoleValue.PEER: RoleValue.PEER,
}
"""Our role -> the role that the peer must state (RFC 9234 table 2)."""

_Kind = TypeVar("_Kind", bound=Capability)


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What holds for a session once both OPENs are accepted."""

    peer_asn: ASN
    peer_identifier: IPv4Address
    internal: bool
    hold_time_s: int
    families: frozenset[Family]
    options: CodecOptions
    route_refresh: bool = False
    enhanced_route_refresh: bool = False
    peer_role: RoleValue | None = None
    """What the peer is to us; from its OPEN, or by implication from ours (RFC 9234 §4.2)."""
    peer_restart: GracefulRestart | None = None
    """The peer's graceful restart capability, if we take part in it."""

    @property
    def keepalive_s(self) -> float:
        """Time between KEEPALIVEs: a third of the hold time (RFC 4271 §4.4)."""
        return self.hold_time_s / 3


def own_open(config: SessionConfig) -> Open:
    """Give the OPEN that we send."""
    capabilities: list[Capability] = [MultiProtocol(family, SAFI_UNICAST) for family in config.families]
    capabilities += [RouteRefresh(), EnhancedRouteRefresh(), FourOctetASN(config.local_asn)]
    if config.extended_message:
        capabilities.append(ExtendedMessage())
    if config.role is not None:
        capabilities.append(Role(config.role))
    if config.add_path_receive:
        capabilities.append(
            AddPath(tuple(AddPathFamily(each, SAFI_UNICAST, AddPathMode.RECEIVE) for each in config.families))
        )
    restart = config.graceful_restart
    if restart is not None:
        families = tuple(RestartFamily(each, SAFI_UNICAST, restart.forwarding) for each in config.families)
        capabilities.append(GracefulRestart(restart.restart_time_s, families, restart.restarting))
    two_octets = config.local_asn if config.local_asn <= 0xFFFF else AS_TRANS
    return Open(VERSION, two_octets, config.hold_time_s, config.identifier, tuple(capabilities))


def negotiate(config: SessionConfig, theirs: Open) -> Negotiated:
    """Judge the peer's OPEN. Raises `NotificationError` whose text names what differs."""
    if theirs.version != VERSION:
        data = VERSION.to_bytes(2)
        raise _refused(
            OpenSubcode.UNSUPPORTED_VERSION_NUMBER, f"peer speaks BGP version {theirs.version}, we speak 4", data
        )
    four_octets = next(_each(theirs, FourOctetASN), None)
    peer_asn = four_octets.asn if four_octets else theirs.asn
    internal = peer_asn == config.local_asn
    _check_asn(config, peer_asn, by_capability=four_octets is not None)
    _check_identifier(config, theirs, internal=internal)
    families = frozenset(config.families) & _families(theirs)
    if not families:
        raise _no_family(config, theirs)
    refresh = any(_each(theirs, RouteRefresh))
    options = CodecOptions(
        four_octet_asn=four_octets is not None,
        extended_message=config.extended_message and any(_each(theirs, ExtendedMessage)),
        add_path_receive=frozenset(
            (family.afi, family.safi) for family in _add_path(theirs) if family.mode & AddPathMode.SEND
        )
        if config.add_path_receive
        else frozenset(),
        ebgp=not internal,
        first_asn=peer_asn if config.check_first_asn and not internal else None,
    )
    return Negotiated(
        peer_asn=peer_asn,
        peer_identifier=theirs.identifier,
        internal=internal,
        hold_time_s=_hold_time(config, theirs),
        families=families,
        options=options,
        route_refresh=refresh,
        enhanced_route_refresh=refresh and any(_each(theirs, EnhancedRouteRefresh)),
        peer_role=None if internal else _peer_role(config, theirs),
        peer_restart=next(_each(theirs, GracefulRestart), None) if config.graceful_restart else None,
    )


def _each(message: Open, kind: type[_Kind]) -> Iterator[_Kind]:
    return (each for each in message.capabilities if isinstance(each, kind))


def _refused(subcode: int, text: str, data: bytes = b"") -> NotificationError:
    return NotificationError(ErrorCode.OPEN_MESSAGE_ERROR, subcode, data, text)


def _check_asn(config: SessionConfig, peer_asn: ASN, *, by_capability: bool) -> None:
    if peer_asn == 0:  # RFC 7607 §2
        raise _refused(OpenSubcode.BAD_PEER_AS, "peer says AS0, which no network may use")
    if config.peer_asn is not None and peer_asn != config.peer_asn:
        text = f"peer says AS{peer_asn}, we expect AS{config.peer_asn}"
        if peer_asn == AS_TRANS and not by_capability:
            text += "; AS23456 stands for a four-octet ASN of a speaker that does not support them (RFC 6793)"
        raise _refused(OpenSubcode.BAD_PEER_AS, text)


def _check_identifier(config: SessionConfig, theirs: Open, *, internal: bool) -> None:
    # RFC 6286 §2.2: any non-zero identifier will do; only inside an AS must they differ.
    if int(theirs.identifier) == 0:
        raise _refused(OpenSubcode.BAD_BGP_IDENTIFIER, "peer's BGP Identifier is 0.0.0.0")
    if internal and theirs.identifier == config.identifier:
        raise _refused(
            OpenSubcode.BAD_BGP_IDENTIFIER,
            f"peer of our own AS has our BGP Identifier {config.identifier}: give one another",
        )


def _hold_time(config: SessionConfig, theirs: Open) -> int:
    offered = theirs.hold_time_s
    if offered in (1, 2):  # RFC 4271 §4.2
        raise _refused(
            OpenSubcode.UNACCEPTABLE_HOLD_TIME, f"peer offers a hold time of {offered} s; it is 0 or at least 3 s"
        )
    agreed = min(offered, config.hold_time_s)
    if 0 < agreed < config.hold_time_min_s:
        raise _refused(
            OpenSubcode.UNACCEPTABLE_HOLD_TIME,
            f"peer offers a hold time of {offered} s, we accept {config.hold_time_min_s} s or more",
        )
    return agreed


def _families(theirs: Open) -> frozenset[Family]:
    stated = list(_each(theirs, MultiProtocol))
    if not stated:  # a speaker without RFC 4760 exchanges IPv4 unicast
        return frozenset((Family.IPV4,))
    known = (unicast_family(each.afi, each.safi) for each in stated)
    return frozenset(family for family in known if family is not None)


def _no_family(config: SessionConfig, theirs: Open) -> NotificationError:
    wanted = [MultiProtocol(family, SAFI_UNICAST) for family in config.families]
    names = " and ".join(map(str, config.families))
    offered = " and ".join(sorted(map(str, _families(theirs)))) or "no unicast family"
    data = b"".join(map(encode_capability, wanted))
    return _refused(
        OpenSubcode.UNSUPPORTED_CAPABILITY, f"no common address family: peer offers {offered}, we {names}", data
    )


def _add_path(theirs: Open) -> tuple[AddPathFamily, ...]:
    return tuple(family for each in _each(theirs, AddPath) for family in each.families)


def _peer_role(config: SessionConfig, theirs: Open) -> RoleValue | None:
    if config.role is None:
        return None
    expected = _ROLE_PAIRS[config.role]
    stated = {each.value for each in _each(theirs, Role)}
    if not stated:
        if config.role_strict:
            raise _refused(
                OpenSubcode.ROLE_MISMATCH,
                f"peer states no role, we are strict and expect {_role_name(expected)} (RFC 9234)",
            )
        return expected
    if stated != {expected}:
        names = " and ".join(_role_name(value) for value in sorted(stated))
        raise _refused(
            OpenSubcode.ROLE_MISMATCH,
            f"peer says its role is {names}; ours is {_role_name(config.role)}, so it must be {_role_name(expected)}",
        )
    return expected


def _role_name(value: int) -> str:
    known = value in RoleValue.__members__.values()
    return RoleValue(value).name.lower().replace("_", "-") if known else f"unknown ({value})"
