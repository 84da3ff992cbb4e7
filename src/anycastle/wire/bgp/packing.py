"""Routes packed into as few UPDATEs as hold them, and UPDATEs split to fit the session's limit.

A message carries one kind of routes: withdrawn or announced, of one family (RFC 7606 §5.1), so that an error in it
touches nothing else. Withdrawals go first, so that a neighbour near its limit has room for what follows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Address, Family
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.codec import HEADER_LENGTH
from anycastle.wire.bgp.family import IPV4_UNICAST, SAFI_UNICAST
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach, MPUnreach
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bgp.update_codec import encode_update

_LENGTH_OCTET_GROWTH = 1
"""An attribute over 255 octets has one octet more of length."""


def pack_withdrawals(routes: Iterable[NLRI], options: CodecOptions) -> tuple[Update, ...]:
    """Give the UPDATEs that withdraw the routes, of both families."""
    by_family = _by_family(routes)
    updates: list[Update] = []
    if by_family[Family.IPV4]:
        updates += split_update(Update(withdrawn=tuple(by_family[Family.IPV4])), options)
    if by_family[Family.IPV6]:
        unreach = MPUnreach(Family.IPV6.value, SAFI_UNICAST, tuple(by_family[Family.IPV6]))
        updates += split_update(Update(attributes=PathAttributes(mp_unreach=unreach)), options)
    return tuple(updates)


def pack_announcements(
    routes: Iterable[NLRI], attributes: PathAttributes, next_hops: Sequence[Address], options: CodecOptions
) -> tuple[Update, ...]:
    """Give the UPDATEs that announce the routes, of both families, with the same attributes.

    `next_hops` holds an address for each family in use: IPv4 routes take the IPv4 one, or else the IPv6 ones
    (RFC 8950, for a peer that agreed); IPv6 routes take the IPv6 ones. Next hops and multiprotocol routes in
    `attributes` are not read. Raises `MisuseError` where a family has no next hop, or the attributes leave no room.
    """
    hops_v4 = [hop for hop in next_hops if isinstance(hop, IPv4Address)]
    hops_v6 = tuple([hop for hop in next_hops if isinstance(hop, IPv6Address)])
    bare = replace(attributes, next_hop=None, mp_reach=None, mp_unreach=None)
    updates: list[Update] = []
    for family, some in _by_family(routes).items():
        if not some:
            continue
        if family is Family.IPV4 and hops_v4:
            update = Update((), replace(bare, next_hop=hops_v4[0]), tuple(some))
        elif hops_v6:
            reach = MPReach(family.value, SAFI_UNICAST, hops_v6, tuple(some))
            update = Update((), replace(bare, mp_reach=reach))
        else:
            raise MisuseError(f"{family} routes need a next hop")
        updates += split_update(update, options)
    return tuple(updates)


def split_update(update: Update, options: CodecOptions) -> tuple[Update, ...]:
    """Give the UPDATE as it is when it fits the session's limit, else as several. Raises `MisuseError` if none can.

    Routes kept as octets are never split. Attributes that leave no room for a route cannot be announced at all
    (RFC 4271 §9.2).
    """
    limit = options.message_max - HEADER_LENGTH
    if _fits(update, options, limit):
        return (update,)
    return tuple(_split(update, options, limit))


def _fits(update: Update, options: CodecOptions, limit: int) -> bool:
    try:
        return len(encode_update(update, options)) <= limit
    except MisuseError:
        return False


def _split(update: Update, options: CodecOptions, limit: int) -> Iterator[Update]:
    attributes = update.attributes
    unreach, reach = attributes.mp_unreach, attributes.mp_reach
    bare = replace(attributes, mp_reach=None, mp_unreach=None)
    for some in _chunks(update.withdrawn, Update(), IPV4_UNICAST, options, limit):
        yield Update(withdrawn=some)
    if unreach is not None:
        empty = Update(attributes=PathAttributes(mp_unreach=replace(unreach, nlri=())))
        yield from _refit(empty, unreach, options, limit)
    for some in _chunks(update.nlri, Update((), bare), IPV4_UNICAST, options, limit):
        yield Update((), bare, some)
    if reach is not None:
        without_next_hop = replace(bare, next_hop=None)
        empty = Update((), replace(without_next_hop, mp_reach=replace(reach, nlri=())))
        yield from _refit(empty, reach, options, limit)


def _refit(empty: Update, routes: MPReach | MPUnreach, options: CodecOptions, limit: int) -> Iterator[Update]:
    """Give `empty`, whose multiprotocol attribute has no prefixes, once for each part of them that fits."""
    if not routes.nlri:
        if not _fits(empty, options, limit):
            raise MisuseError("routes that are kept as octets do not fit one UPDATE")
        yield empty
    family = routes.afi, routes.safi
    for some in _chunks(routes.nlri, empty, family, options, limit - _LENGTH_OCTET_GROWTH):
        part = replace(routes, nlri=some)
        field = {"mp_reach": part} if isinstance(part, MPReach) else {"mp_unreach": part}
        yield replace(empty, attributes=replace(empty.attributes, **field))


def _chunks(
    routes: tuple[NLRI, ...], around: Update, family: tuple[int, int], options: CodecOptions, limit: int
) -> Iterator[tuple[NLRI, ...]]:
    """Give the routes in runs that fit the limit beside what `around` takes."""
    if not routes:
        return
    try:
        room = limit - len(encode_update(around, options))
    except MisuseError:
        room = 0
    identifier = 4 if family in options.add_path_send else 0
    start, used = 0, 0
    for index, route in enumerate(routes):
        size = 1 + identifier + ((route.prefix.length + 7) >> 3)
        if size > room:
            raise MisuseError(f"the attributes leave no room for {route} in {limit} octets")
        if used + size > room:
            yield routes[start:index]
            start, used = index, 0
        used += size
    yield routes[start:]


def _by_family(routes: Iterable[NLRI]) -> dict[Family, list[NLRI]]:
    by_family: dict[Family, list[NLRI]] = {family: [] for family in Family}
    for route in routes:
        by_family[route.prefix.family].append(route)
    return by_family
