from ipaddress import IPv4Address, IPv6Address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes, UnknownAttribute
from anycastle.wire.bgp.codec import CodecOptions, decode_message, encode_message
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach, MPUnreach
from anycastle.wire.bgp.packing import pack_announcements, pack_withdrawals, split_update
from tests.unit.wire.bgp.octets import FOUR

V4 = [NLRI(Prefix(Family.IPV4, (10 << 24) + (index << 8), 24)) for index in range(5000)]
V6 = [NLRI(Prefix(Family.IPV6, (0x20010DB8 << 96) + (index << 80), 48)) for index in range(3000)]
ATTRIBUTES = PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(64501))
HOPS = (IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1"))
EXTENDED = CodecOptions(four_octet_asn=True, extended_message=True)
BOTH = frozenset({(1, 1), (2, 1)})
ADD_PATH = CodecOptions(four_octet_asn=True, add_path_send=BOTH, add_path_receive=BOTH)


def _sizes(updates: tuple[Update, ...], options: CodecOptions) -> list[int]:
    sizes = []
    for update in updates:
        octets = encode_message(update, options)
        assert decode_message(octets, options) == update
        sizes.append(len(octets))
    return sizes


@pytest.mark.rfc("4271", "4.3")
@pytest.mark.rfc("7606", "5.1")
@pytest.mark.parametrize("options", [FOUR, EXTENDED], ids=["4096", "65535"])
def test_announcements_of_both_families_fill_their_messages(options: CodecOptions) -> None:
    updates = pack_announcements(V4 + V6, ATTRIBUTES, HOPS, options)
    sizes = _sizes(updates, options)
    assert [route for update in updates for route in update.announced_nlri] == V4 + V6
    for update in updates:
        assert bool(update.nlri) != (update.attributes.mp_reach is not None)
        assert (update.attributes.next_hop is None) == (not update.nlri)
    v4 = [size for size, update in zip(sizes, updates, strict=True) if update.nlri]
    v6 = [size for size, update in zip(sizes, updates, strict=True) if not update.nlri]
    assert all(options.message_max - 8 < size <= options.message_max for size in v4[:-1] + v6[:-1])


@pytest.mark.rfc("4760", "4")
@pytest.mark.parametrize("options", [FOUR, EXTENDED], ids=["4096", "65535"])
def test_withdrawals_of_both_families_fill_their_messages(options: CodecOptions) -> None:
    updates = pack_withdrawals(V6 + V4, options)
    sizes = _sizes(updates, options)
    assert [route for update in updates for route in update.withdrawn_nlri] == V4 + V6
    least = sum(4 for _ in V4) // (options.message_max - 23) + sum(7 for _ in V6) // (options.message_max - 30)
    assert len(sizes) <= least + 2


@pytest.mark.rfc("7911", "3")
def test_path_identifiers_take_room() -> None:
    routes = [NLRI(route.prefix, 7) for route in V4[:2000] + V6[:1000]]
    updates = pack_announcements(routes, ATTRIBUTES, HOPS, ADD_PATH)
    _sizes(updates, ADD_PATH)
    assert [route for update in updates for route in update.announced_nlri] == routes
    gone = pack_withdrawals(routes, ADD_PATH)
    _sizes(gone, ADD_PATH)
    assert [route for update in gone for route in update.withdrawn_nlri] == routes


def test_nothing_to_say_is_no_message() -> None:
    assert pack_announcements([], ATTRIBUTES, HOPS, FOUR) == ()
    assert pack_withdrawals([], FOUR) == ()


@pytest.mark.rfc("8950", "3")
def test_ipv4_routes_over_an_ipv6_next_hop() -> None:
    (update,) = pack_announcements(V4[:2], ATTRIBUTES, HOPS[1:], FOUR)
    assert update.attributes.mp_reach == MPReach(1, 1, HOPS[1:], tuple(V4[:2]))
    assert update.attributes.next_hop is None


def test_a_family_without_a_next_hop_is_a_misuse() -> None:
    with pytest.raises(MisuseError, match="ipv6 routes need a next hop"):
        pack_announcements(V6[:1], ATTRIBUTES, HOPS[:1], FOUR)
    with pytest.raises(MisuseError, match="ipv4 routes need a next hop"):
        pack_announcements(V4[:1], ATTRIBUTES, (), FOUR)


def test_an_update_that_fits_is_left_alone() -> None:
    update = Update((V4[0],), PathAttributes(mp_unreach=MPUnreach(2, 1, (V6[0],))))
    assert split_update(update, FOUR) == (update,)


@pytest.mark.rfc("7606", "5.1")
def test_an_update_of_everything_is_split_by_kind_withdrawals_first() -> None:
    attributes = PathAttributes(
        origin=Origin.IGP,
        as_path=ASPath.sequence(64501),
        next_hop=HOPS[0],
        mp_reach=MPReach(2, 1, HOPS[1:], tuple(V6[:1500])),
        mp_unreach=MPUnreach(2, 1, tuple(V6[1500:])),
    )
    whole = Update(tuple(V4[:2500]), attributes, tuple(V4[2500:]))
    updates = split_update(whole, FOUR)
    _sizes(updates, FOUR)
    assert [route for update in updates for route in update.withdrawn_nlri] == V4[:2500] + V6[1500:]
    assert [route for update in updates for route in update.announced_nlri] == V4[2500:] + V6[:1500]
    kinds = [bool(update.withdrawn_nlri) for update in updates]
    assert kinds == sorted(kinds, reverse=True)


def test_octets_of_another_family_are_kept_whole() -> None:
    opaque = MPUnreach(25, 70, opaque=bytes(3000))
    updates = split_update(Update(tuple(V4[:2000]), PathAttributes(mp_unreach=opaque)), FOUR)
    _sizes(updates, FOUR)
    assert [update.attributes.mp_unreach for update in updates if not update.withdrawn] == [opaque]
    with pytest.raises(MisuseError, match="kept as octets"):
        split_update(Update(attributes=PathAttributes(mp_unreach=MPUnreach(25, 70, opaque=bytes(5000)))), FOUR)


@pytest.mark.rfc("4271", "9.2")
@pytest.mark.parametrize("size", [4070, 5000, 70000])
def test_attributes_that_leave_no_room_cannot_be_announced(size: int) -> None:
    big = PathAttributes(origin=Origin.IGP, unknown=(UnknownAttribute(200, 0xC0, bytes(size)),))
    with pytest.raises(MisuseError, match="leave no room for"):
        pack_announcements([NLRI(parse_prefix("10.0.0.0/24"))], big, HOPS, FOUR)
    with pytest.raises(MisuseError, match="leave no room for"):
        pack_announcements(V6[:1], big, HOPS, FOUR)
