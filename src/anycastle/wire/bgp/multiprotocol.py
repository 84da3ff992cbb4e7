"""What MP_REACH_NLRI and MP_UNREACH_NLRI share: the routes of a family, and the action when they cannot be read."""

from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.family import AFISAFI, IPV4_FLOWSPEC, IPV6_FLOWSPEC, unicast_family
from anycastle.wire.bgp.flowspec import decode_flowspec
from anycastle.wire.bgp.nlri import NLRI, decode_nlri
from anycastle.wire.bgp.options import CodecOptions


def decode_routes(octets: bytes, family: AFISAFI, options: CodecOptions) -> tuple[tuple[NLRI, ...], bytes] | Malformed:
    """Decode a family's routes: unicast ones, else octets (those of FlowSpec after a check of their form)."""
    unicast = unicast_family(*family)
    if unicast is not None:
        routes = decode_nlri(octets, unicast, add_path=family in options.add_path_receive)
        return unreadable(routes.what, family) if isinstance(routes, Malformed) else (routes, b"")
    if family in (IPV4_FLOWSPEC, IPV6_FLOWSPEC):
        rules = decode_flowspec(octets, family[0])
        if isinstance(rules, Malformed):
            return unreadable(rules.what, family)
    return (), octets


def unreadable(what: str, family: AFISAFI) -> Malformed:
    """Give the fault of a family whose routes cannot be told any more (RFC 4760 §7, RFC 7606 §5.3, §7.11)."""
    return Malformed(what, UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR, Action.DISABLE_FAMILY, family)
