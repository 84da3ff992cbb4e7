from ipaddress import IPv4Address, IPv6Address

import pytest

from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.errors import Action, NotificationError
from anycastle.wire.bgp.nlri import NLRI, MPReach
from tests.unit.wire.bgp.octets import AS_PATH, FOUR, MP_REACH, ORIGIN, attribute, decode_update

ONE = "20010db8000000000000000000000001"
LOCAL = "fe800000000000000000000000000001"


def _reach(value: str) -> MPReach | None:
    octets = attribute(0x80, 14, bytes.fromhex(value))
    return decode_update(octets + ORIGIN + AS_PATH).attributes.mp_reach


@pytest.mark.rfc("4760", "3")
@pytest.mark.rfc("2545", "3")
@pytest.mark.rfc("8950", "3")
@pytest.mark.parametrize(
    ("value", "next_hops"),
    [
        (f"0002 01 10 {ONE} 00 00", (IPv6Address("2001:db8::1"),)),
        (f"0002 01 20 {ONE}{LOCAL} 00 00", (IPv6Address("2001:db8::1"), IPv6Address("fe80::1"))),
        ("0001 01 04 c0000201 00 00", (IPv4Address("192.0.2.1"),)),
        (f"0001 01 10 {ONE} 00 00", (IPv6Address("2001:db8::1"),)),
    ],
)
def test_next_hops(value: str, next_hops: tuple[object, ...]) -> None:
    reach = _reach(value)
    assert reach is not None
    assert reach.next_hops == next_hops
    assert [route.prefix.length for route in reach.nlri] == [0]


@pytest.mark.rfc("4760", "3", "6")
def test_the_reserved_octet_means_nothing() -> None:
    assert _reach(f"0002 01 10 {ONE} ff 2020010db8") == MPReach(
        2, 1, (IPv6Address("2001:db8::1"),), (NLRI(parse_prefix("2001:db8::/32")),)
    )


@pytest.mark.rfc("7606", "7.11", "5.3")
@pytest.mark.rfc("4760", "7")
@pytest.mark.parametrize(
    "value",
    [
        f"0002 01 0f {ONE} 00",
        "0002 01 04 c0000201 00 00",
        "0002 01 00 00 00",
        "0001 01 05 c000020100 00 00",
        "0002 01 10 20010db8",
        f"0002 01 10 {ONE}",
        f"0002 01 10 {ONE} 00 81",
        f"0002 01 10 {ONE} 00 30 20010db8",
        "0001 85 00 00 03 01 21 c0",
    ],
)
def test_routes_that_cannot_be_read_disable_the_family(value: str) -> None:
    octets = attribute(0x80, 14, bytes.fromhex(value))
    update = decode_update(octets + ORIGIN + AS_PATH)
    (fault,) = update.errors
    assert (fault.action, fault.subcode, fault.data) == (Action.DISABLE_FAMILY, 9, octets)
    assert fault.family == (octets[4], octets[5])
    assert update.attributes.mp_reach is None
    assert update.announced_nlri == ()


@pytest.mark.rfc("7606", "5.3")
@pytest.mark.parametrize("value", ["", "0002", "00020110"])
def test_without_a_family_the_session_ends(value: str) -> None:
    octets = attribute(0x80, 14, bytes.fromhex(value))
    with pytest.raises(NotificationError) as error:
        decode_update(octets + ORIGIN + AS_PATH)
    assert (error.value.code, error.value.subcode, error.value.data) == (3, 9, octets)


@pytest.mark.rfc("7606", "3.c")
def test_wrong_flags_withdraw_its_routes() -> None:
    update = decode_update(b"\xc0" + MP_REACH[1:] + ORIGIN + AS_PATH, options=FOUR)
    assert update.action is Action.TREAT_AS_WITHDRAW
    assert update.withdrawn_nlri == (NLRI(parse_prefix("2001:db8:1::/48")),)
