"""Routes for tests, said shortly."""

from ipaddress import IPv4Address, ip_address

from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.rib.route import Route, Source
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes

PREFIX = "192.0.2.0/24"


def source(number: int = 1, *, internal: bool = False, identifier: int | None = None) -> Source:
    return Source(
        f"n{number}",
        ASN(64500 + number),
        IPv4Address(0x0A000000 + (number if identifier is None else identifier)),
        ip_address(f"10.9.0.{number}"),
        internal,
    )


def route(
    prefix: str = PREFIX,
    number: int = 1,
    path: tuple[int, ...] = (64501,),
    *,
    internal: bool = False,
    identifier: int | None = None,
    path_id: int | None = None,
    own: bool = False,
    **attributes: object,
) -> Route:
    said = {"origin": Origin.IGP, "as_path": ASPath.sequence(*path), **attributes}
    return Route(
        parse_prefix(prefix),
        PathAttributes(**said),
        ip_address(f"10.9.0.{number}"),
        None if own else source(number, internal=internal, identifier=identifier),
        path_id,
    )
