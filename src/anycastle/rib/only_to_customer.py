"""The Only to Customer rules, which stop route leaks (RFC 9234 §5). `peer_role` is what the peer is to us."""

from dataclasses import replace
from typing import Final

from anycastle.model.asn import ASN
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.capability import RoleValue

_BELOW: Final = (RoleValue.CUSTOMER, RoleValue.ROUTE_SERVER_CLIENT)
_ABOVE: Final = (RoleValue.PROVIDER, RoleValue.ROUTE_SERVER)


def check_received(attributes: PathAttributes, peer_role: RoleValue | None, peer_asn: ASN) -> PathAttributes | None:
    """Give the attributes of a received route, marked where the rules ask for it; None for a leak, not to be used."""
    if peer_role is None:
        return attributes
    mark = attributes.only_to_customer
    if mark is None:
        return attributes if peer_role in _BELOW else replace(attributes, only_to_customer=peer_asn)
    leaked = peer_role in _BELOW or (peer_role is RoleValue.PEER and mark != peer_asn)
    return None if leaked else attributes


def check_sent(attributes: PathAttributes, peer_role: RoleValue | None, own_asn: ASN) -> PathAttributes | None:
    """Give the attributes of a route as it may be sent, marked where the rules ask for it; None where it may not."""
    if peer_role is None:
        return attributes
    if attributes.only_to_customer is not None:
        return attributes if peer_role in _BELOW else None
    return attributes if peer_role in _ABOVE else replace(attributes, only_to_customer=own_asn)
