import pytest

from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.errors import Action, NotificationError
from anycastle.wire.bgp.nlri import NLRI, MPUnreach
from tests.unit.wire.bgp.octets import attribute, decode_update


@pytest.mark.rfc("4760", "4")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0002 01 20 20010db8", MPUnreach(2, 1, (NLRI(parse_prefix("2001:db8::/32")),))),
        ("0001 01 08 0a", MPUnreach(1, 1, (NLRI(parse_prefix("10.0.0.0/8")),))),
        ("0019 46 0102", MPUnreach(25, 70, opaque=b"\x01\x02")),
        ("0019 85 0102", MPUnreach(25, 133, opaque=b"\x01\x02")),
        ("0001 85 03 01080a", MPUnreach(1, 133, opaque=b"\x03\x01\x08\x0a")),
    ],
)
def test_values(value: str, expected: MPUnreach) -> None:
    update = decode_update(attribute(0x80, 15, bytes.fromhex(value)))
    assert (update.attributes.mp_unreach, update.errors) == (expected, ())
    assert update.withdrawn_nlri == expected.nlri


@pytest.mark.rfc("7606", "7.12", "5.3")
@pytest.mark.parametrize(
    "value", ["0002 01 81", "0002 01 20 2001", "0001 01 21 0000000000", "0001 85 01", "0002 85 02 0d81"]
)
def test_routes_that_cannot_be_read_disable_the_family(value: str) -> None:
    octets = attribute(0x80, 15, bytes.fromhex(value))
    (fault,) = decode_update(octets).errors
    assert (fault.action, fault.subcode, fault.family) == (Action.DISABLE_FAMILY, 9, (octets[4], octets[5]))


@pytest.mark.rfc("7606", "5.3")
@pytest.mark.parametrize("value", ["", "00", "0002"])
def test_without_a_family_the_session_ends(value: str) -> None:
    octets = attribute(0x80, 15, bytes.fromhex(value))
    with pytest.raises(NotificationError) as error:
        decode_update(octets)
    assert (error.value.code, error.value.subcode, error.value.data) == (3, 9, octets)
