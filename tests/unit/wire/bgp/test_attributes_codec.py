import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.community import StandardCommunity
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes, UnknownAttribute
from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action, NotificationError
from anycastle.wire.bgp.table import ATTRIBUTES, BY_CODE
from tests.unit.wire.bgp.octets import (
    AS_PATH,
    FOUR,
    MANDATORY,
    MP_REACH,
    NEXT_HOP,
    NLRI_OCTETS,
    ORIGIN,
    TWO,
    announced_with,
    attribute,
    decode_update,
)


@pytest.mark.rfc("4271", "5")
def test_the_table_is_in_order_of_the_type_codes() -> None:
    assert [codec.code for codec in ATTRIBUTES] == sorted(BY_CODE)
    assert len({codec.name for codec in ATTRIBUTES}) == len(ATTRIBUTES)


@pytest.mark.rfc("7606", "3.c")
@pytest.mark.rfc("4271", "6.3")
@pytest.mark.parametrize("code", [1, 2, 3])
@pytest.mark.parametrize("flags", [0x00, 0x80, 0xC0])
def test_flags_that_conflict_withdraw(code: int, flags: int) -> None:
    parts = [ORIGIN, AS_PATH, NEXT_HOP]
    parts[code - 1] = bytes((flags,)) + parts[code - 1][1:]
    update = decode_update(b"".join(parts), NLRI_OCTETS)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode) == (code, Action.TREAT_AS_WITHDRAW, 4)
    assert update.announced_nlri == ()


@pytest.mark.rfc("7606", "3.c")
def test_every_known_optional_attribute_checks_its_flags() -> None:
    for codec in ATTRIBUTES:
        if codec.code in (1, 2, 3, 14, 15):
            continue
        update = announced_with(attribute(codec.flags ^ 0x80, codec.code, b"\0\0\0\1"), CodecOptions(ebgp=False))
        assert update.action is Action.TREAT_AS_WITHDRAW, codec.name
        assert any(fault.subcode == 4 for fault in update.errors), codec.name


@pytest.mark.rfc("4271", "4.3")
def test_partial_extended_length_and_unused_flags_are_no_conflict() -> None:
    update = announced_with(bytes.fromhex("ff 08 0004 fbf50064"))
    assert update.errors == ()
    assert update.attributes.communities == (StandardCommunity(64501, 100),)
    assert update.attributes.partial == frozenset({8})
    assert bytes.fromhex("e00804fbf50064") in encode_attributes(update.attributes, FOUR)


@pytest.mark.rfc("7606", "3.d")
@pytest.mark.rfc("4271", "6.3")
@pytest.mark.parametrize(
    ("octets", "missing"),
    [
        (AS_PATH + NEXT_HOP, {1}),
        (ORIGIN + NEXT_HOP, {2}),
        (ORIGIN + AS_PATH, {3}),
        (b"", {1, 2, 3}),
        (MP_REACH + ORIGIN + AS_PATH, {3}),
    ],
)
def test_missing_well_known_attributes_withdraw(octets: bytes, missing: set[int]) -> None:
    update = decode_update(octets, NLRI_OCTETS)
    assert {fault.code for fault in update.errors} == missing
    assert all(fault.data == bytes((fault.code,)) and fault.subcode == 3 for fault in update.errors)
    assert update.action is Action.TREAT_AS_WITHDRAW


@pytest.mark.rfc("4760", "3")
def test_multiprotocol_routes_alone_need_no_next_hop_attribute() -> None:
    assert decode_update(MP_REACH + ORIGIN + AS_PATH).errors == ()
    assert {fault.code for fault in decode_update(MP_REACH).errors} == {1, 2}


@pytest.mark.rfc("4760", "3")
@pytest.mark.parametrize("next_hop", ["400304 00000000", "400303 c00002"])
def test_a_malformed_next_hop_beside_multiprotocol_routes_alone_is_ignored(next_hop: str) -> None:
    octets = MP_REACH + ORIGIN + AS_PATH + bytes.fromhex(next_hop)
    update = decode_update(octets)
    assert (update.action, len(update.announced_nlri)) == (Action.DISCARD_ATTRIBUTE, 1)
    assert decode_update(octets, NLRI_OCTETS).action is Action.TREAT_AS_WITHDRAW


@pytest.mark.rfc("7606", "3.g")
def test_a_repeated_attribute_counts_once() -> None:
    update = announced_with(bytes.fromhex("40010102 800404 00000001 800404 00000002 c0c801 01 c0c801 02"))
    assert update.action is Action.DISCARD_ATTRIBUTE
    assert [fault.code for fault in update.errors] == [1, 4, 200]
    assert (update.attributes.origin, update.attributes.med) == (Origin.IGP, 1)
    assert update.attributes.unknown == (UnknownAttribute(200, 0xC0, b"\x01"),)


@pytest.mark.rfc("7606", "3.g")
@pytest.mark.parametrize("octets", [MP_REACH, attribute(0x80, 15, b"\0\2\1")])
def test_multiprotocol_attributes_twice_end_the_session(octets: bytes) -> None:
    with pytest.raises(NotificationError) as error:
        decode_update(MANDATORY + octets + octets, NLRI_OCTETS)
    assert (error.value.code, error.value.subcode) == (3, 1)


@pytest.mark.rfc("7606", "3.h")
def test_every_fault_is_told_and_the_worst_wins() -> None:
    update = announced_with(attribute(0xC0, 7, b"\0") + attribute(0x80, 4, b"\0"))
    assert [fault.action for fault in update.errors] == [Action.DISCARD_ATTRIBUTE, Action.TREAT_AS_WITHDRAW]
    assert update.action is Action.TREAT_AS_WITHDRAW


@pytest.mark.rfc("7606", "3.i", "3.j")
@pytest.mark.rfc("4271", "6.3")
@pytest.mark.parametrize(("nlri", "withdrawn"), [("21", ""), ("18c000", ""), ("", "21"), ("", "18c0")])
def test_routes_that_cannot_be_read_end_the_session(nlri: str, withdrawn: str) -> None:
    with pytest.raises(NotificationError) as error:
        decode_update(MANDATORY, bytes.fromhex(nlri), bytes.fromhex(withdrawn))
    assert (error.value.code, error.value.subcode) == (3, 10)


@pytest.mark.rfc("7606", "4")
@pytest.mark.parametrize("tail", ["80", "8004", "800404 000000", "9004", "900400", "90040004 000000"])
def test_an_attribute_over_the_end_of_the_field_withdraws(tail: str) -> None:
    update = announced_with(bytes.fromhex(tail))
    (fault,) = update.errors
    assert (fault.action, fault.subcode, fault.data) == (Action.TREAT_AS_WITHDRAW, 5, bytes.fromhex(tail))
    assert fault.code == (4 if len(tail) > 2 else 0)
    assert len(update.withdrawn_nlri) == 1


@pytest.mark.rfc("7606", "5.2")
@pytest.mark.parametrize("octets", [ORIGIN[:3] + b"\x09", attribute(0x80, 4, b""), b"\x80", MP_REACH[:-7] + b"\x80"])
def test_what_would_withdraw_ends_the_session_where_no_route_was_read(octets: bytes) -> None:
    with pytest.raises(NotificationError) as error:
        decode_update(octets)
    assert error.value.code == 3


@pytest.mark.rfc("7606", "5.2")
def test_what_is_discarded_does_not_end_the_session_where_no_route_was_read() -> None:
    assert decode_update(attribute(0xC0, 7, b"")).action is Action.DISCARD_ATTRIBUTE


@pytest.mark.rfc("4271", "6.3")
def test_an_unknown_well_known_attribute_ends_the_session() -> None:
    octets = attribute(0x40, 99, b"abc")
    with pytest.raises(NotificationError) as error:
        announced_with(octets)
    assert (error.value.code, error.value.subcode, error.value.data) == (3, 2, octets)


@pytest.mark.rfc("4271", "6.3")
@pytest.mark.rfc("7606", "7.2")
def test_the_first_asn_is_checked_after_as4_path_is_merged() -> None:
    wanted = CodecOptions(first_asn=ASN(4200000001))
    octets = ORIGIN + bytes.fromhex("400206 0202 5ba0 fbf5 c0110a 0202 fa56ea01 0000fbf5") + NEXT_HOP
    assert decode_update(octets, NLRI_OCTETS, options=wanted).errors == ()
    other = decode_update(octets, NLRI_OCTETS, options=CodecOptions(first_asn=ASN(64501)))
    (fault,) = other.errors
    assert (fault.code, fault.action, fault.subcode) == (2, Action.TREAT_AS_WITHDRAW, 11)


@pytest.mark.rfc("5065", "5")
def test_confederation_members_see_its_inside_and_local_preference() -> None:
    octets = ORIGIN + bytes.fromhex("400206 0301 0000fde9 400504 00000064") + NEXT_HOP
    member = decode_update(octets, NLRI_OCTETS, options=CodecOptions(four_octet_asn=True, confederation=True))
    assert member.errors == ()
    assert member.attributes.local_preference == 100
    assert str(member.attributes.as_path) == "(65001)"


@pytest.mark.rfc("7606", "5.1")
def test_multiprotocol_routes_are_written_first_and_the_rest_by_code() -> None:
    attributes = decode_update(
        MANDATORY + MP_REACH + attribute(0xC0, 200, b"z") + attribute(0xC0, 32, bytes(12)) + attribute(0x80, 26, b"a"),
        NLRI_OCTETS,
    ).attributes
    octets = encode_attributes(attributes, FOUR)
    assert octets.startswith(MP_REACH + MANDATORY)
    assert octets.index(b"\x80\x1a\x01a") < octets.index(b"\xc0\x20\x0c") < octets.index(b"\xc0\xc8\x01z")


@pytest.mark.rfc("4271", "4.3")
def test_more_than_255_asns_are_written_in_several_segments() -> None:
    attributes = PathAttributes(as_path=ASPath.sequence(*range(1, 301)))
    octets = encode_attributes(attributes, TWO)
    decoded, _ = decode_attributes(octets, TWO, has_nlri=False)
    assert decoded.as_path is not None
    assert [len(segment.asns) for segment in decoded.as_path.segments] == [255, 45]
    assert decoded.as_path.asns == tuple(range(1, 301))


def test_a_value_over_its_length_field_is_a_misuse() -> None:
    with pytest.raises(MisuseError, match="two-octet length"):
        encode_attributes(PathAttributes(unknown=(UnknownAttribute(200, 0xC0, bytes(65536)),)), FOUR)


@pytest.mark.rfc("7606", "3.b")
@pytest.mark.rfc("4271", "6.3")
def test_fields_over_the_end_of_the_update() -> None:
    from anycastle.wire.bgp.codec import decode_message
    from tests.unit.wire.bgp.octets import message

    for body in ("0001 0000", "0000 0001", "ffff 0000", "0000 ffff", "0001 0a 00"):
        with pytest.raises(NotificationError) as error:
            decode_message(message(2, bytes.fromhex(body)), FOUR)
        assert (error.value.code, error.value.subcode) == (3, 1)
