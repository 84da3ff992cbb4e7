from ipaddress import IPv4Address

import pytest

from anycastle.wire.bgp.attributes_codec import decode_attributes, encode_attributes
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.errors import Action
from tests.unit.wire.bgp.octets import AS_PATH, FOUR, NLRI_OCTETS, ORIGIN, attribute, decode_update

CODE, FLAGS = 3, 0x40


@pytest.mark.rfc("4271", "4.3", "5.1.3", "6.3")
@pytest.mark.parametrize(
    ("value", "expected", "options"),
    [
        ("c0000201", IPv4Address("192.0.2.1"), FOUR),
        ("7f000001", IPv4Address("127.0.0.1"), FOUR),
    ],
)
def test_values(value: str, expected: object, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(ORIGIN + AS_PATH + octets, NLRI_OCTETS, options=options)
    assert update.errors == ()
    assert update.attributes.next_hop == expected
    again = encode_attributes(update.attributes, options)
    assert decode_attributes(again, options, has_nlri=True) == (update.attributes, ())


@pytest.mark.rfc("7606", "3.e", "7.3")
@pytest.mark.parametrize(
    ("value", "action", "subcode", "options"),
    [
        ("", Action.TREAT_AS_WITHDRAW, 5, FOUR),
        ("c00002", Action.TREAT_AS_WITHDRAW, 5, FOUR),
        ("c000020100", Action.TREAT_AS_WITHDRAW, 5, FOUR),
        ("00000000", Action.TREAT_AS_WITHDRAW, 8, FOUR),
        ("e0000001", Action.TREAT_AS_WITHDRAW, 8, FOUR),
        ("ffffffff", Action.TREAT_AS_WITHDRAW, 8, FOUR),
    ],
)
def test_malformed_ones(value: str, action: Action, subcode: int, options: CodecOptions) -> None:
    octets = attribute(FLAGS, CODE, bytes.fromhex(value))
    update = decode_update(ORIGIN + AS_PATH + octets, NLRI_OCTETS, options=options)
    (fault,) = update.errors
    assert (fault.code, fault.action, fault.subcode, fault.data) == (CODE, action, subcode, octets)
    assert update.action is action
    assert update.attributes.next_hop is None
    assert (len(update.announced_nlri), len(update.withdrawn_nlri)) == (
        (1, 0) if action is Action.DISCARD_ATTRIBUTE else (0, 1)
    )
