from ipaddress import IPv4Address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.wire.bgp.capability import (
    AddPath,
    AddPathFamily,
    AddPathMode,
    Capability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetASN,
    GracefulRestart,
    MultiProtocol,
    RestartFamily,
    Role,
    RoleValue,
    RouteRefresh,
    UnknownCapability,
    encode_capability,
)
from anycastle.wire.bgp.codec import decode_message, encode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Open
from tests.unit.wire.bgp.octets import TWO, message

FIXED = bytes.fromhex("04 fbf5 005a c0000201")


def _open(parameters: bytes, fixed: bytes = FIXED) -> bytes:
    return message(1, fixed + bytes((len(parameters),)) + parameters)


def _with(*capabilities: Capability) -> Open:
    return Open(4, ASN(64501), 90, IPv4Address("192.0.2.1"), capabilities)


def _refusal(octets: bytes) -> tuple[int, int, bytes]:
    with pytest.raises(NotificationError) as error:
        decode_message(octets, TWO)
    return error.value.code, error.value.subcode, error.value.data


@pytest.mark.rfc("4271", "4.2")
def test_open_without_parameters() -> None:
    assert decode_message(_open(b""), TWO) == _with()
    assert encode_message(_with(), TWO) == _open(b"")


@pytest.mark.rfc("5492", "4")
@pytest.mark.parametrize(
    ("capability", "octets"),
    [
        pytest.param(MultiProtocol(2, 1), "01 04 0002 00 01", marks=pytest.mark.rfc("4760", "8")),
        pytest.param(RouteRefresh(), "02 00", marks=pytest.mark.rfc("2918", "2")),
        pytest.param(ExtendedNextHop(((1, 1, 2),)), "05 06 0001 0001 0002", marks=pytest.mark.rfc("8950", "4")),
        pytest.param(ExtendedMessage(), "06 00", marks=pytest.mark.rfc("8654", "3")),
        pytest.param(Role(RoleValue.CUSTOMER), "09 01 03", marks=pytest.mark.rfc("9234", "4.1")),
        pytest.param(Role(77), "09 01 4d", marks=pytest.mark.rfc("9234", "4.1")),
        pytest.param(
            GracefulRestart(120, (RestartFamily(1, 1, True), RestartFamily(2, 1)), True, False),
            "40 0a 8078 00010180 00020100",
            marks=pytest.mark.rfc("4724", "3"),
        ),
        pytest.param(GracefulRestart(4095, (), False, True), "40 02 4fff", marks=pytest.mark.rfc("8538", "2")),
        pytest.param(FourOctetASN(ASN(4200000001)), "41 04 fa56ea01", marks=pytest.mark.rfc("6793", "3")),
        pytest.param(
            AddPath((AddPathFamily(1, 1, AddPathMode.BOTH), AddPathFamily(2, 1, AddPathMode.SEND))),
            "45 08 00010103 00020102",
            marks=pytest.mark.rfc("7911", "4"),
        ),
        pytest.param(EnhancedRouteRefresh(), "46 00", marks=pytest.mark.rfc("7313", "3.1")),
        pytest.param(UnknownCapability(73, b"\x02vm\x00"), "49 04 02766d00", marks=pytest.mark.rfc("5492", "3")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_capability(capability: Capability, octets: str) -> None:
    value = bytes.fromhex(octets)
    whole = _open(bytes((2, len(value))) + value)
    assert decode_message(whole, TWO) == _with(capability)
    assert encode_message(_with(capability), TWO) == whole


@pytest.mark.rfc("5492", "5")
@pytest.mark.parametrize(
    "octets",
    ["01 03 000201", "02 01 00", "05 05 0001000100", "06 01 00", "09 02 0303", "40 03 807800", "40 00", "41 02 fbf5",
     "45 03 000101", "46 01 00"],
)  # fmt: skip
def test_a_known_capability_of_a_wrong_form(octets: str) -> None:
    value = bytes.fromhex(octets)
    assert _refusal(_open(bytes((2, len(value))) + value)) == (2, 0, value)


@pytest.mark.rfc("7911", "4")
@pytest.mark.parametrize("mode", [0, 4, 255])
def test_add_path_of_an_unknown_mode_is_not_understood(mode: int) -> None:
    value = bytes((69, 4, 0, 1, 1, mode))
    assert decode_message(_open(bytes((2, 6)) + value), TWO) == _with(UnknownCapability(69, value[2:]))


@pytest.mark.rfc("5492", "4")
def test_capabilities_over_several_parameters_and_repeated_ones() -> None:
    octets = bytes.fromhex("0206 0104 00010001  0202 0200  0208 0200 0104 00010001  0206 0104 00020001")
    assert decode_message(_open(octets), TWO) == _with(MultiProtocol(1, 1), RouteRefresh(), MultiProtocol(2, 1))


@pytest.mark.rfc("9072", "2")
def test_extended_optional_parameters() -> None:
    many = _with(*[UnknownCapability(200 + index, bytes(100)) for index in range(5)])
    octets = encode_message(many, TWO)
    assert octets[28:35] == bytes.fromhex("ff ff 0201 02 01fe")
    assert decode_message(octets, TWO) == many
    short = bytes.fromhex("ff 0005 02 0002 0200")  # a short list may come in the extended form, too
    assert decode_message(message(1, FIXED + b"\xff" + short), TWO) == _with(RouteRefresh())
    assert decode_message(message(1, FIXED + b"\x04" + short), TWO) == _with(RouteRefresh())


@pytest.mark.rfc("9072", "2")
@pytest.mark.parametrize(("size", "head"), [(251, "ff 02 fd"), (252, "ff ff 0101 02 00fe")])
def test_255_octets_of_parameters_stay_in_the_plain_form(size: int, head: str) -> None:
    message = _with(UnknownCapability(200, bytes(size)))
    octets = encode_message(message, TWO)
    assert octets[28:].startswith(bytes.fromhex(head))
    assert decode_message(octets, TWO) == message


@pytest.mark.rfc("4271", "6.2")
@pytest.mark.parametrize(
    ("octets", "refusal"),
    [
        pytest.param(_open(b"", b"\x03" + FIXED[1:]), (2, 1, b"\x00\x04"), id="version"),
        pytest.param(_open(b"", FIXED[:1] + bytes(2) + FIXED[3:]), (2, 2, b""), id="asn 0"),
        pytest.param(_open(b"", FIXED[:5] + bytes(4)), (2, 3, b""), id="identifier 0"),
        pytest.param(_open(b"", FIXED[:3] + b"\0\1" + FIXED[5:]), (2, 6, b""), id="hold time 1"),
        pytest.param(_open(b"", FIXED[:3] + b"\0\2" + FIXED[5:]), (2, 6, b""), id="hold time 2"),
        pytest.param(_open(b"\x01\x01\x00"), (2, 4, b""), id="authentication parameter"),
        pytest.param(message(1, FIXED + b"\x05"), (2, 0, b""), id="length beyond the end"),
        pytest.param(message(1, FIXED + b"\x00\x02\x00"), (2, 0, b""), id="octets beyond the length"),
        pytest.param(_open(b"\x02\x05\x02\x00"), (2, 0, b""), id="parameter beyond the end"),
        pytest.param(_open(b"\x02"), (2, 0, b""), id="half a parameter"),
        pytest.param(_open(b"\x02\x01\x02"), (2, 0, b""), id="half a capability"),
        pytest.param(_open(b"\x02\x02\x01\x04"), (2, 0, b""), id="capability beyond the end"),
        pytest.param(_open(b"\x02\x06\x41\x04\0\0\0\0"), (2, 2, b""), id="four-octet asn 0"),
    ],
)
def test_refused_opens(octets: bytes, refusal: tuple[int, int, bytes]) -> None:
    assert _refusal(octets) == refusal


@pytest.mark.rfc("4271", "4.2")
@pytest.mark.parametrize("hold_time_s", [0, 3, 65535])
def test_hold_times_that_are_allowed(hold_time_s: int) -> None:
    octets = _open(b"", FIXED[:3] + hold_time_s.to_bytes(2) + FIXED[5:])
    decoded = decode_message(octets, TWO)
    assert isinstance(decoded, Open)
    assert decoded.hold_time_s == hold_time_s


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(MisuseError, match="one-octet length"):
        encode_capability(UnknownCapability(200, bytes(256)))
    with pytest.raises(MisuseError, match="do not fit an OPEN"):
        encode_message(_with(*[UnknownCapability(200, bytes(255))] * 300), TWO)
    with pytest.raises(MisuseError, match="over the session's limit"):
        encode_message(_with(*[UnknownCapability(200, bytes(255))] * 20), TWO)
